"""Dimensions, bridges and marts of story parts equal a computation in plain Python."""

from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction

import pytest

from simulator.figures import release_story_ids
from tests.oracle.test_oracle import check, mart
from tests.support import oracle


@pytest.fixture(scope="module")
def living(workspace):
    """Stories that are not deleted, including releases."""
    return list(workspace.stories.values())


def counts(stories):
    work = [story for story in stories if story.story_type != "release"]
    accepted = sum(story.current_state == "accepted" for story in work)
    return {"story_count": len(work), "accepted_story_count": accepted}


def points(number):
    return None if number is None else Fraction(str(number))


def test_dim_date(built_warehouse):
    days = mart(built_warehouse, "dim_date", "calendar_date")
    expected = {}
    for day in days:
        year, week, weekday = day.isocalendar()
        expected[day] = {
            "weekday_name": f"{day:%A}",
            "month_name": f"{day:%B}",
            "week_label": f"{year}-W{week:02}",
            "quarter_label": f"{day.year}-Q{(day.month + 2) // 3}",
            "iso_year": year,
            "iso_week": week,
            "iso_day_of_week": weekday,
            "is_weekend": weekday > 5,
            "week_start_date": day - timedelta(days=weekday - 1),
        }
    check(expected, days)
    assert any(week["iso_week"] == 53 for week in expected.values())


def test_dim_epic(built_warehouse, workspace, living):
    expected = {}
    for epic in workspace.epics.values():
        stories = [story for story in living if epic.label_id in story.label_ids]
        expected[epic.id] = counts(stories)
    check(expected, mart(built_warehouse, "dim_epic", "epic_id"))


def test_dim_label(built_warehouse, workspace, living):
    listed = {
        label.id: counts(story for story in living if label.id in story.label_ids)
        for project in workspace.projects.values()
        for label in project.labels.values()
    }
    found = mart(built_warehouse, "dim_label", "label_id")
    check(listed, {key: row for key, row in found.items() if row["is_listed"]})
    # Labels that only deleted stories have count 0.
    assert not any(row["story_count"] for row in found.values() if not row["is_listed"])


def test_dim_release(built_warehouse, workspace):
    expected = {}
    for project in workspace.projects.values():
        for release_id, story_ids in release_story_ids(project, workspace.stories).items():
            expected[release_id] = {"story_count": len(story_ids) or None}
    found = mart(built_warehouse, "dim_release", "release_id")
    check(expected, {key: found[key] for key in found if key in expected})
    assert len(expected) > 10


def test_dim_person(built_warehouse, workspace):
    projects = defaultdict(int)
    for project in workspace.projects.values():
        for membership in project.memberships.values():
            projects[membership.person_id] += membership.role != "inactive"
    found = mart(built_warehouse, "dim_person", "person_id")
    check({key: {"project_count": projects[key]} for key in found}, found)
    assert {person for person, count in projects.items() if count} <= found.keys()


def test_dim_story(built_warehouse, workspace, living):
    expected = {
        story.id: {
            "story_description": story.description or None,
            "estimate": points(story.estimate),
            "owner_count": len(story.owner_ids),
            "comment_count": len(story.comments),
            "task_count": len(story.tasks),
            "completed_task_count": sum(task.complete for task in story.tasks),
            "blocker_count": len(story.blockers),
            "open_blocker_count": sum(not blocker.resolved for blocker in story.blockers),
            "review_count": len(story.reviews),
        }
        for story in living
    }
    found = mart(built_warehouse, "dim_story", "story_id")
    check(expected, {key: row for key, row in found.items() if not row["is_deleted"]})


def test_bridge_story_owner(built_warehouse, workspace, living):
    expected = {
        (story.id, person_id): {"story_owner_count": len(story.owner_ids)}
        for story in living
        for person_id in story.owner_ids
    }
    found = mart(built_warehouse, "bridge_story_owner", "story_id", "person_id")
    check(expected, {key: row for key, row in found.items() if not row["is_deleted"]})


def test_fct_comment(built_warehouse, workspace, living):
    owners = [*living, *workspace.epics.values()]
    expected = {
        comment.id: {"character_count": len(comment.text)}
        for owner in owners
        for comment in owner.comments
    }
    check(expected, mart(built_warehouse, "fct_comment", "comment_id"))


def test_fct_activity_change(built_warehouse, workspace):
    expected = {}
    for activity in workspace.activities:
        for index, change in enumerate(activity.changes, start=1):
            is_story = change.kind == "story"
            before, after = (
                values if is_story and isinstance(values, dict) else {}
                for values in (change.original, change.new)
            )
            expected[activity.guid, index] = {
                "from_estimate": points(before.get("estimate")),
                "to_estimate": points(after.get("estimate")),
            }
    check(expected, mart(built_warehouse, "fct_activity_change", "activity_id", "change_index"))


def test_fct_story_state_interval(built_warehouse, workspace):
    expected = {}
    for story_id, history in oracle.histories(workspace, workspace.now).items():
        for number, (state, entered, left) in enumerate(history.intervals(), start=1):
            expected[story_id, number] = {"story_state": state, "interval_seconds": left - entered}
    found = mart(built_warehouse, "fct_story_state_interval", "story_id", "interval_number")
    check(expected, {key: row for key, row in found.items() if not row["is_inferred"]})


def test_rpt_data_coverage(built_warehouse, workspace, living, iterations):
    transitions = Counter()
    for history in oracle.histories(workspace, workspace.now).values():
        known = [event for event in history.events if event.is_known]
        transitions[history.story.project_id] += len(known)
    expected = {}
    for project in workspace.projects.values():
        stories = [story for story in living if story.project_id == project.id]
        members = [each for each in project.memberships.values() if each.role != "inactive"]
        expected[project.id] = {
            "file_count": 0,
            "story_count": len(stories),
            "history_known_story_count": len(stories),
            "transition_count": transitions[project.id],
            "comment_count": sum(len(story.comments) for story in stories),
            "iteration_count": len(iterations[project.id]),
            "member_count": len(members),
        }
    check(expected, mart(built_warehouse, "rpt_data_coverage", "project_id"))
