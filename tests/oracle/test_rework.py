"""The rework marts equal a computation in plain Python from the demo's event log."""

from tests.oracle import rework
from tests.oracle.test_oracle import check, mart


def test_fct_rejection(built_warehouse, workspace):
    expected = rework.rejections(workspace, workspace.now)
    check(expected, mart(built_warehouse, "fct_rejection", "story_id", "rejection_number"))
    outcomes = {row["outcome"] for row in expected.values()}
    assert outcomes >= {"accepted", "rejected_again", "open"}
    assert len({row["is_unaccept"] for row in expected.values()}) == 2


def test_fct_acceptance(built_warehouse, workspace):
    expected = rework.acceptances(workspace, workspace.now)
    check(expected, mart(built_warehouse, "fct_acceptance", "story_id", "acceptance_number"))
    assert len({row["is_undone"] for row in expected.values()}) == 2


def test_fct_estimate_change(built_warehouse, workspace):
    expected = rework.estimate_changes(workspace, workspace.now)
    check(expected, mart(built_warehouse, "fct_estimate_change", "estimate_change_key"))
    assert {row["phase"] for row in expected.values()} >= {"before_start", "after_start"}
