"""History and iteration marts equal a computation in plain Python from the demo's event log."""

from fractions import Fraction

import pytest
import requests

from simulator.instants import to_instant
from tests.oracle import iterations as rules
from tests.oracle import versions as history
from tests.oracle.test_oracle import check
from tests.support import marts, oracle


@pytest.fixture(scope="module")
def versions(workspace):
    return history.story_versions(workspace, workspace.now)


@pytest.fixture(scope="module")
def listed(demo_server, workspace):
    """All iterations with their stories, from the API: {project_id: [iteration]}."""
    fields = "number,start,finish,length,team_strength,stories(id)"
    answers = {
        project_id: requests.get(
            f"{demo_server.base_url}/projects/{project_id}/iterations",
            params={"limit": 1000, "fields": fields},
            headers={"X-TrackerToken": demo_server.token},
            timeout=60,
        ).json()
        for project_id in workspace.projects
    }
    return {
        project_id: [
            each | {"start": to_instant(each["start"]), "finish": to_instant(each["finish"])}
            for each in answer
        ]
        for project_id, answer in answers.items()
    }


@pytest.fixture(scope="module")
def in_scope(workspace, listed, versions):
    """When each story was in scope: {iteration_key: {story_id: [ScopeInterval]}}."""
    places = {
        story["id"]: (iteration["number"], index)
        for iterations in listed.values()
        for iteration in iterations
        for index, story in enumerate(iteration["stories"])
    }
    return rules.scopes(workspace, workspace.now, listed, places, versions)


@pytest.fixture(scope="module")
def scope(workspace, listed, in_scope, versions):
    return rules.iteration_scope(listed, workspace.now, in_scope, versions)


def mart(path, name, key):
    rows = marts.rows(path, name)
    by_key = {row[key]: row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


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


def test_fct_iteration_burn_daily(built_warehouse, workspace, listed, in_scope, scope, versions):
    expected = rules.burn(workspace, listed, workspace.now, in_scope, scope, versions)
    check(expected, mart(built_warehouse, "fct_iteration_burn_daily", "iteration_burn_key"))


def test_fct_iteration_velocity(built_warehouse, workspace, listed, scope):
    velocities = oracle.iteration_velocity(workspace, workspace.now, listed)
    sums = rules.velocity(workspace, listed, workspace.now, scope)
    expected = {key: row | sums[key] for key, row in velocities.items()}
    check(expected, mart(built_warehouse, "fct_iteration_velocity", "iteration_key"))
    assert any(row["restated_points"] for row in expected.values())


def test_dim_iteration(built_warehouse, listed):
    expected = {
        f"{project_id}-{iteration['number']}": {
            "length_weeks": iteration["length"],
            "team_strength": Fraction(str(iteration["team_strength"])),
        }
        for project_id, iterations in listed.items()
        for iteration in iterations
    }
    check(expected, mart(built_warehouse, "dim_iteration", "iteration_key"))
