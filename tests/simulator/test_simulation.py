"""The simulated company is deterministic, large enough, and contains all odd cases."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from zoneinfo import ZoneInfo

import orjson
import pytest

from simulator import simulate
from simulator.activities import activity_record
from simulator.counts import NO_COUNTS, counts_moved
from simulator.instants import iso
from tests.simulator.oddities import oddities

DIGEST = """
from tests.simulator.test_simulation import digest
from simulator import simulate
print(digest(simulate(seed=3, stories=150)))
"""


# Neighbours and first owners change with other stories, and names with renamed labels.
PLACE = {"before_id", "after_id", "labels", "owned_by_id"}


def digest(workspace):
    found = hashlib.sha256()
    for activity in workspace.activities:
        found.update(orjson.dumps(activity_record(activity, workspace, iso)))
    for story in workspace.stories.values():
        found.update(repr(story).encode())
    return found.hexdigest()


def test_the_same_seed_gives_the_same_workspace():
    first = digest(simulate(seed=3, stories=150))
    assert first == digest(simulate(seed=3, stories=150))
    assert first != digest(simulate(seed=4, stories=150))
    other_hashes = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other_hashes.stdout.strip() == first


def test_size(workspace):
    assert len(workspace.stories) + len(workspace.deleted_stories) == 2000
    assert 27_000 < len(workspace.activities) < 33_000
    assert iso(workspace.now) == "2025-04-30T17:00:00Z"


@pytest.mark.parametrize("stories", [1, 8, 40])
def test_small_sizes(stories):
    workspace = simulate(stories=stories)
    assert len(workspace.stories) + len(workspace.deleted_stories) == stories


def test_the_projects_differ(workspace):
    projects = list(workspace.projects.values())
    assert len(projects) >= 5
    assert len({project.time_zone for project in projects}) >= 5
    assert len({project.week_start_day for project in projects}) >= 4
    assert {project.iteration_length for project in projects} == {1, 2}
    assert {project.velocity_averaged_over for project in projects} == {1, 2, 3, 4}
    assert any(not project.automatic_planning for project in projects)
    assert any(project.bugs_and_chores_are_estimatable for project in projects)
    assert any("0.5" in project.point_scale for project in projects)
    assert all(ZoneInfo(project.time_zone) for project in projects)
    plans = {project.name: workspace.plan(project.id) for project in projects}
    assert any(len(plan.calendar.done) == 0 for plan in plans.values())
    idle = workspace.plan(next(p.id for p in projects if p.name == "Legacy Storefront"))
    assert idle.current_velocity == 7
    assert sum(each.accepted_points for each in idle.iterations) > 0
    assert sum(len(plan.iterations) > len(plan.calendar.spans) for plan in plans.values()) >= 4


def test_the_log_is_complete(workspace):
    for project in workspace.projects.values():
        versions = [activity.project_version for activity in project.activities]
        assert versions == list(range(1, project.version + 1))
        instants = [activity.occurred_at for activity in project.activities]
        assert instants == sorted(instants)
    assert Counter(each.project_id for each in workspace.activities) == Counter(
        {project.id: project.version for project in workspace.projects.values()}
    )


def test_transitions_and_logged_states_agree(workspace):
    """Transitions and state changes in activities correspond one to one."""
    logged = [
        (activity.project_id, activity.project_version, change.id, change.new["current_state"])
        for activity in workspace.activities
        for change in activity.changes
        if change.kind == "story"
        and change.change_type == "update"
        and isinstance(change.new, dict)
        if "current_state" in change.new
    ]
    rows = [
        (row.project_id, row.project_version, row.story_id, row.state)
        for row in workspace.transitions
    ]
    assert logged == rows


def test_every_change_starts_from_the_previous_values(workspace):
    """Replaying the log gives the current stories, value by value."""
    values = {}
    for activity in workspace.activities:
        for change in activity.changes:
            if change.kind != "story":
                continue
            if change.change_type == "create":
                values[change.id] = dict(change.new)
            elif change.change_type == "delete":
                del values[change.id]
            else:
                # Both activities of a move to another project contain the whole move.
                if activity.kind != "story_move_into_project_activity":
                    for key in change.original.keys() & values[change.id].keys() - PLACE:
                        assert values[change.id][key] == change.original[key], (change, key)
                values[change.id].update(change.new)
    assert values.keys() == workspace.stories.keys()
    for story_id, replayed in values.items():
        story = workspace.stories[story_id]
        for key in ("current_state", "estimate", "accepted_at", "updated_at", "owner_ids"):
            assert replayed.get(key) == getattr(story, key), (story_id, key)
        assert replayed["label_ids"] == story.label_ids
        assert replayed["project_id"] == story.project_id


def test_label_counts_equal_those_of_the_stories(workspace):
    for project in workspace.projects.values():
        counts = dict.fromkeys(project.labels, NO_COUNTS)
        for story_id in project.story_ids:
            story = workspace.stories[story_id]
            for label_id in story.label_ids:
                standing = (story.current_state, story.points)
                counts[label_id] = counts_moved(counts[label_id], None, standing)
        assert counts == {label.id: label.counts for label in project.labels.values()}


def test_every_story_has_exactly_one_place(workspace):
    listed = [each for project in workspace.projects.values() for each in project.story_ids]
    assert sorted(listed) == sorted(workspace.stories)
    for project in workspace.projects.values():
        assert project.accepted == sorted(project.accepted)
        for instant, story_id in project.accepted:
            assert workspace.stories[story_id].accepted_at == instant
        states = {workspace.stories[each].current_state for each in project.icebox}
        assert states <= {"unscheduled"}


def test_daily_flow_ends_with_the_current_states(workspace):
    for project in workspace.projects.values():
        totals = Counter()
        for change in project.flow:
            totals[change.from_state] -= 1
            totals[change.to_state] += 1
        del totals[None]
        stories = [workspace.stories[each] for each in project.story_ids]
        present = Counter(s.current_state for s in stories if s.story_type != "release")
        assert +totals == present


def test_all_odd_cases_occur(workspace):
    counts = oddities(workspace)
    missing = {name: count for name, count in counts.items() if count < 2}
    assert missing == {}
