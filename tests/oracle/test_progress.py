"""Progress of epics and releases equals a computation in plain Python, cell by cell."""

from tests.oracle import progress
from tests.oracle.test_oracle import check, mart


def test_fct_epic_progress(built_warehouse, workspace, iterations):
    expected = progress.epics(workspace, workspace.now, iterations)
    check(expected, mart(built_warehouse, "fct_epic_progress", "epic_id"))


def test_fct_release_progress(built_warehouse, workspace, iterations):
    expected = progress.releases(workspace, workspace.now, iterations)
    check(expected, mart(built_warehouse, "fct_release_progress", "release_id"))
