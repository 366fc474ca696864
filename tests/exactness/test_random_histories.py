"""Random histories: many syncs give the same marts as one full load, and the marts are right.

HISTORIES (default 200) and FIRST_HISTORY (default 0) select the histories. Each test is one
workspace with all its checks, so that `pytest -n 2` can run two at once.
"""

import os

import pytest

from tests.exactness.checking import outcome_of_seeds
from tests.exactness.commands import BY_NAME
from tests.exactness.histories import HISTORIES_PER_WORKSPACE

_FIRST = int(os.environ.get("FIRST_HISTORY", "0"))
_END = _FIRST + int(os.environ.get("HISTORIES", "200"))
WORKSPACES = [
    range(first, min(first + HISTORIES_PER_WORKSPACE, _END))
    for first in range(_FIRST, _END, HISTORIES_PER_WORKSPACE)
]


@pytest.mark.parametrize("seeds", WORKSPACES, ids=lambda seeds: f"seeds {seeds[0]} to {seeds[-1]}")
def test_syncs_give_the_same_marts_as_one_full_load_and_as_the_oracle(seeds, models, tmp_path):
    outcome = outcome_of_seeds(seeds, tmp_path, models)
    assert outcome.counts.total() > 20 * len(seeds)
    if len(seeds) == HISTORIES_PER_WORKSPACE:
        assert not [name for name in BY_NAME if not outcome.counts[name]]
    assert not outcome.problems(), "\n".join(outcome.problems())
