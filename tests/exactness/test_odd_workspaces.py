"""Random odd projects: all marts are built, no test fails, and clean projects stay as they are.

ODD_PROJECTS (300) says how many odd projects are tried. A build holds 50 of them beside two clean
ones: they share no id, so each of them counts as a workspace of its own.
"""

import os

import pytest

from tests.support.odd_builds import problems, random_odd_projects

_A_BUILD = 50
_COUNT = int(os.environ.get("ODD_PROJECTS", "300"))


@pytest.mark.parametrize("number", range(-(-_COUNT // _A_BUILD)))
def test_odd_projects_stop_no_mart_and_change_no_other_project(number, models, tmp_path):
    odd = random_odd_projects(min(_A_BUILD, _COUNT - number * _A_BUILD), number)
    assert len(odd) > 20
    found = problems(odd, tmp_path, models)
    assert not found, "\n".join(found)
