"""History and iteration marts equal a computation in plain Python from the demo's event log."""

from fractions import Fraction

import pytest

from tests.oracle import iterations as rules
from tests.oracle import versions as history
from tests.oracle.test_oracle import check, mart
from tests.support import oracle


@pytest.fixture(scope="module")
def versions(workspace):
    return history.story_versions(workspace, workspace.now)


@pytest.fixture(scope="module")
def in_scope(workspace, iterations, versions):
    """When each story was in scope: {iteration_key: {story_id: [ScopeInterval]}}."""
    places = {
        story["id"]: (iteration["number"], index)
        for listed in iterations.values()
        for iteration in listed
        for index, story in enumerate(iteration["stories"])
    }
    return rules.scopes(workspace, workspace.now, iterations, places, versions)


@pytest.fixture(scope="module")
def scope(workspace, iterations, in_scope, versions):
    return rules.iteration_scope(iterations, workspace.now, in_scope, versions)


def test_dim_story_history(built_warehouse, workspace):
    expected = history.story_history(workspace, workspace.now)
    check(expected, mart(built_warehouse, "dim_story_history", "story_version_key"))


def test_dim_project_history(built_warehouse, workspace):
    expected = history.project_history(workspace, workspace.now)
    check(expected, mart(built_warehouse, "dim_project_history", "project_version_key"))


def test_fct_story_transition(built_warehouse, versions):
    actual = mart(built_warehouse, "fct_story_transition", "story_transition_key")
    expected = {}
    for key, row in actual.items():
        then = history.at_instant(versions[row["story_id"]], row["occurred_at"])
        expected[key] = {
            "story_type_at_event": then["story_type"],
            "estimate_at_event": history.points(then),
        }
    check(expected, actual)


def test_fct_iteration_scope(built_warehouse, scope):
    check(scope, mart(built_warehouse, "fct_iteration_scope", "iteration_scope_key"))
    for column, kinds in {
        "entry_kind": {"carried in", "committed", "added"},
        "exit_kind": {"accepted", "removed", "spilled", "open"},
        "commitment_source": {"state", "backlog order", None},
    }.items():
        assert {row[column] for row in scope.values()} == kinds


def test_fct_iteration_burn_daily(
    built_warehouse, workspace, iterations, in_scope, scope, versions
):
    expected = rules.burn(workspace, iterations, workspace.now, in_scope, scope, versions)
    check(expected, mart(built_warehouse, "fct_iteration_burn_daily", "iteration_burn_key"))


def test_fct_iteration_velocity(built_warehouse, workspace, iterations, scope):
    velocities = oracle.iteration_velocity(workspace, workspace.now, iterations)
    sums = rules.velocity(workspace, iterations, workspace.now, scope)
    expected = {key: row | sums[key] for key, row in velocities.items()}
    check(expected, mart(built_warehouse, "fct_iteration_velocity", "iteration_key"))
    assert any(row["restated_points"] for row in expected.values())


def test_dim_iteration(built_warehouse, iterations):
    expected = {
        f"{project_id}-{iteration['number']}": {
            "length_weeks": iteration["length"],
            "team_strength": Fraction(str(iteration["team_strength"])),
        }
        for project_id, listed in iterations.items()
        for iteration in listed
    }
    check(expected, mart(built_warehouse, "dim_iteration", "iteration_key"))
