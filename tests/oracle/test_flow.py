"""The flow marts equal a computation in plain Python from the demo's event log, cell by cell."""

import pytest

from tests.oracle import flow
from tests.oracle.test_oracle import check, mart
from tests.support import oracle


@pytest.fixture(scope="module")
def stories(workspace):
    """The oracle's rows of `fct_story_cycle_time`; iterations are not needed here."""
    return oracle.story_cycle_time(workspace, workspace.now, dict.fromkeys(workspace.projects, []))


def test_fct_throughput(built_warehouse, workspace, stories, starts):
    expected = flow.throughput(workspace, starts, stories, workspace.now)
    key = ("project_id", "story_type", "week_start_date")
    check(expected, mart(built_warehouse, "fct_throughput", *key))


def test_fct_cycle_time_percentile(built_warehouse, workspace, stories):
    expected = flow.cycle_time_percentiles(workspace, stories, workspace.now)
    key = ("project_id", "measure", "story_type", "time_window")
    check(expected, mart(built_warehouse, "fct_cycle_time_percentile", *key))


def test_fct_cycle_time_by_estimate(built_warehouse, stories):
    expected = flow.cycle_times_by_estimate(stories)
    actual = mart(built_warehouse, "fct_cycle_time_by_estimate", "project_id", "estimate")
    check(expected, actual)
    assert any(row["p85_seconds"] for row in expected.values())


def test_fct_process_limit(built_warehouse, workspace, stories, starts):
    weeks = flow.throughput(workspace, starts, stories, workspace.now)
    days = flow.flow_daily(workspace, starts, workspace.now)
    expected = flow.process_limits(flow.weekly_measures(workspace, stories, weeks, days))
    key = ("project_id", "measure", "week_start_date")
    check(expected, mart(built_warehouse, "fct_process_limit", *key))
    for measure in ("throughput", "work_in_progress", "cycle_time"):
        signals = {row["limit_signal"] for each, row in expected.items() if each[1] == measure}
        assert signals >= {None, "none", "above"}, measure


def test_fct_wip_aging(built_warehouse, workspace, stories):
    expected = flow.wip_aging(workspace, stories, workspace.now)
    actual = mart(built_warehouse, "fct_wip_aging", "story_id")
    check(expected, actual)
    assert {row["risk"] for row in expected.values()} >= {"low", "medium", "high"}


def test_fct_flow_efficiency(built_warehouse, workspace, stories):
    expected = flow.flow_efficiency(workspace, stories, workspace.now)
    actual = mart(built_warehouse, "fct_flow_efficiency", "story_id")
    check(expected, actual)
    assert any(row["blocked_seconds"] for row in expected.values())


def test_fct_flow_daily(built_warehouse, workspace, starts):
    expected = flow.flow_daily(workspace, starts, workspace.now)
    actual = mart(built_warehouse, "fct_flow_daily", "project_id", "story_state", "flow_date")
    check(expected, actual)
