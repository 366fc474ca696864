"""The rework marts equal a computation in plain Python from the demo's event log."""

from tests.oracle import rework
from tests.oracle.test_oracle import check
from tests.support import marts


def by_story_and(column, rows):
    return {(row["story_id"], row[column]): row for row in rows}


def test_fct_rejection(built_warehouse, workspace):
    expected = rework.rejections(workspace, workspace.now)
    rows = marts.rows(built_warehouse, "fct_rejection")
    check(expected, by_story_and("rejection_number", rows))
    outcomes = {row["outcome"] for row in expected.values()}
    assert outcomes >= {"accepted", "rejected_again", "open"}
    assert len({row["is_unaccept"] for row in expected.values()}) == 2


def test_fct_acceptance(built_warehouse, workspace):
    expected = rework.acceptances(workspace, workspace.now)
    rows = marts.rows(built_warehouse, "fct_acceptance")
    check(expected, by_story_and("acceptance_number", rows))
    assert len({row["is_undone"] for row in expected.values()}) == 2


def test_fct_estimate_change(built_warehouse, workspace):
    expected = rework.estimate_changes(workspace, workspace.now)
    rows = marts.rows(built_warehouse, "fct_estimate_change")
    check(expected, {row["estimate_change_key"]: row for row in rows})
    assert {row["phase"] for row in expected.values()} >= {"before_start", "after_start"}
