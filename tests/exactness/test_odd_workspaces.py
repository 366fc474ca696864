"""Random odd projects: all marts are built, no test fails, and clean projects are unaffected.

Each raw value that is impossible, missing or repeated is reported in `dq_finding`.

ODD_PROJECTS (default 300) is the number of odd projects to try. Each build contains 50 of them and
two clean projects. They share no ids, so they are independent of each other.
"""

import os

import pytest

from tests.support.odd_builds import problems, random_odd_projects

_A_BUILD = 50
_COUNT = int(os.environ.get("ODD_PROJECTS", "300"))


@pytest.mark.parametrize("number", range(-(-_COUNT // _A_BUILD)))
def test_odd_projects_break_no_mart_and_change_no_other_project(number, models, tmp_path):
    odd = random_odd_projects(min(_A_BUILD, _COUNT - number * _A_BUILD), number)
    assert len(odd) > 20
    found = problems(odd, tmp_path, models)
    assert not found, "\n".join(found)
