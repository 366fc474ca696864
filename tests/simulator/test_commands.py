"""Each command logs an activity in the form of the recordings."""

import pytest

from simulator import CommandError
from simulator.activities import activity_record
from simulator.instants import iso

ADA, BELA = 3_400_001, 3_400_002


def record(workspace, activity=None):
    return activity_record(activity or workspace.activities[-1], workspace, iso)


def kinds(workspace):
    return [activity.kind for activity in workspace.activities]


def story_change(workspace):
    changes = record(workspace)["changes"]
    return next(change for change in changes if change["kind"] == "story")


def a_story(workspace, project, **values):
    values = {"estimate": 2, "current_state": "unstarted"} | values
    return workspace.create_story(project.id, values.pop("name", "Pay by card"), **values)


def test_a_created_story_is_logged_with_all_values(small, project):
    story = a_story(small, project, description="At last", labels=["Payments"])
    assert kinds(small) == ["label_create_activity", "story_create_activity"]
    logged = record(small)
    assert logged["guid"] == f"{project.id}_2"
    assert logged["project_version"] == project.version == 2
    assert logged["message"] == "Ada Obi added this feature"
    assert logged["highlight"] == "added"
    assert logged["primary_resources"] == [
        {
            "kind": "story",
            "id": story.id,
            "name": "Pay by card",
            "story_type": "feature",
            "url": f"https://www.pivotaltracker.com/story/show/{story.id}",
        }
    ]
    assert logged["secondary_resources"] == []
    assert logged["project"] == {"kind": "project", "id": project.id, "name": "Shop"}
    assert logged["performed_by"] == {
        "kind": "person",
        "id": ADA,
        "name": "Ada Obi",
        "initials": "AO",
    }
    label_change, change = logged["changes"]
    counts = label_change["new_values"]["counts"]
    assert counts["sum_of_story_estimates_by_state"]["unstarted"] == 2
    assert label_change["original_values"]["counts"]["kind"] == "story_counts"
    assert set(change) == {"kind", "change_type", "id", "new_values", "name", "story_type"}
    assert change["new_values"] == {
        "id": story.id, "project_id": project.id, "name": "Pay by card", "description": "At last",
        "story_type": "feature", "current_state": "unstarted", "estimate": 2,
        "requested_by_id": ADA, "owner_ids": [], "label_ids": story.label_ids, "follower_ids": [],
        "created_at": "2025-01-06T09:00:00Z", "updated_at": "2025-01-06T09:00:00Z",
        "blocked_story_ids": [], "story_priority": "none", "labels": ["payments"],
    }  # fmt: skip
    assert story.transitions == []


def test_a_state_change_has_a_transition_of_the_same_version(small, project):
    story = a_story(small, project)
    small.change_state(story.id, "started", at="2025-01-06T10:00:00Z", by=BELA)
    assert record(small)["message"] == "Béla Novák started this feature"
    assert record(small)["highlight"] == "started"
    change = story_change(small)
    assert change["original_values"] == {
        "current_state": "unstarted",
        "updated_at": "2025-01-06T09:00:00Z",
    }
    row = small.transitions[-1]
    assert (row.state, row.story_id, row.project_version) == ("started", story.id, 2)
    assert (iso(row.occurred_at), row.performed_by_id) == ("2025-01-06T10:00:00Z", BELA)
    assert small.activities[-1].project_version == row.project_version


def test_an_acceptance_sets_accepted_at_and_moves_the_story(small, project):
    first = a_story(small, project, current_state="delivered")
    second = a_story(small, project, name="Other", current_state="delivered")
    small.change_state(second.id, "accepted", at="2025-01-07T08:00:00Z")
    change = story_change(small)
    assert change["original_values"]["accepted_at"] is None
    assert change["new_values"]["accepted_at"] == "2025-01-07T08:00:00Z"
    assert change["new_values"]["before_id"] == first.id
    assert change["new_values"]["after_id"] is None
    assert project.story_ids == [second.id, first.id]


def test_an_unaccepted_story_loses_accepted_at(small, project):
    story = a_story(small, project)
    small.change_state(story.id, "accepted", at="2025-01-07T08:00:00Z")
    small.change_state(story.id, "rejected", at="2025-01-07T09:00:00Z")
    change = story_change(small)
    assert change["original_values"]["accepted_at"] == "2025-01-07T08:00:00Z"
    assert change["new_values"]["accepted_at"] is None
    assert story.accepted_at is None
    assert [row.state for row in story.transitions] == ["accepted", "rejected"]


def test_a_rejection_with_a_comment_is_one_activity(small, project):
    story = a_story(small, project, current_state="delivered")
    version = project.version
    small.change_state(story.id, "rejected", comment="Not quite")
    assert project.version == version + 1
    assert kinds(small)[-1] == "story_update_activity"
    assert [each["kind"] for each in record(small)["changes"]] == ["comment", "story"]
    assert story.comments[0].text == "Not quite"


def test_a_label_is_created_in_a_version_of_its_own(small, project):
    story = a_story(small, project)
    small.add_label(story.id, "Urgent", at="2025-01-06T10:00:00Z")
    assert kinds(small)[-2:] == ["label_create_activity", "story_update_activity"]
    assert record(small, small.activities[-2])["message"] == 'Ada Obi created labels: "urgent"'
    change = story_change(small)
    assert change["original_values"]["labels"] == []
    assert change["new_values"]["labels"] == ["urgent"]
    assert change["new_values"]["label_ids"] == story.label_ids


def test_estimates_are_logged_in_points(small, project):
    story = a_story(small, project, estimate=None)
    small.estimate_story(story.id, 1)
    assert record(small)["message"] == "Ada Obi estimated this feature as 1 point"
    small.estimate_story(story.id, 3)
    assert record(small)["message"] == "Ada Obi estimated this feature as 3 points"
    assert record(small)["highlight"] == "estimated"


def test_a_feature_that_becomes_a_bug_loses_its_estimate(small, project):
    story = a_story(small, project)
    small.update_story(story.id, story_type="bug")
    change = story_change(small)
    assert change["original_values"] == {"story_type": "feature", "estimate": 2}
    assert change["new_values"] == {"story_type": "bug", "estimate": None}


def test_dragging_to_the_icebox_unschedules(small, project):
    story = a_story(small, project)
    small.move_story(story.id, panel="icebox", at="2025-01-06T10:00:00Z")
    assert kinds(small)[-1] == "story_move_activity"
    assert story_change(small)["new_values"]["current_state"] == "unscheduled"
    assert story.transitions[-1].state == "unscheduled"


def test_dragging_within_the_backlog_changes_only_neighbours(small, project):
    first, second, third = (a_story(small, project, name=name) for name in "ABC")
    small.move_story(third.id, index=0, at="2025-01-06T10:00:00Z")
    assert project.story_ids == [third.id, first.id, second.id]
    assert record(small)["message"] == "Ada Obi moved this story before 'A'"
    assert story_change(small)["new_values"] == {
        "updated_at": "2025-01-06T10:00:00Z",
        "before_id": first.id,
        "after_id": None,
    }
    assert len(small.transitions) == 0


def test_deletions_log_only_ids_and_names(small, project):
    stories = [a_story(small, project, name=name) for name in "ABC"]
    small.delete_stories([story.id for story in stories])
    logged = record(small)
    assert logged["message"] == "Ada Obi deleted 3 stories"
    assert [set(each) for each in logged["changes"]] == [
        {"kind", "change_type", "id", "name", "story_type"}
    ] * 3
    assert [each["name"] for each in logged["primary_resources"]] == ["C", "B", "A"]
    assert small.stories == {}
    assert small.deleted_stories[stories[0].id].deleted_at == small.now


def test_a_move_is_logged_in_both_projects(small, project):
    other = small.create_project("Other")
    story = a_story(small, project, labels=["api"])
    small.move_to_project(story.id, other.id)
    assert [(each.project_id, each.kind) for each in small.activities[-3:]] == [
        (project.id, "story_move_from_project_activity"),
        (other.id, "label_create_activity"),
        (other.id, "story_move_into_project_activity"),
    ]
    change = story_change(small)
    assert change["original_values"]["project_id"] == project.id
    assert change["new_values"]["project_id"] == other.id
    assert project.story_ids == []
    assert other.story_ids == [story.id]
    assert [label.counts[16:].count(1) for label in other.labels.values()] == [1]


def test_deleting_a_label_changes_its_stories(small, project):
    story = a_story(small, project, labels=["a", "b"])
    label_id = story.label_ids[0]
    small.delete_label(project.id, label_id, at="2025-01-06T10:00:00Z")
    logged = record(small)
    assert [(each["kind"], each["change_type"]) for each in logged["changes"]] == [
        ("story", "update"),
        ("label", "delete"),
    ]
    assert logged["changes"][0]["new_values"]["labels"] == ["b"]
    assert set(logged["changes"][1]) == {"kind", "change_type", "id", "name"}


def test_merging_a_label_relabels_its_stories(small, project):
    one = a_story(small, project, labels=["a"])
    both = a_story(small, project, labels=["a", "b"])
    a, b = project.label_ids_by_name["a"], project.label_ids_by_name["b"]
    small.merge_label(project.id, a, b)
    assert kinds(small)[-1] == "label_merge_activity"
    assert one.label_ids == both.label_ids == [b]
    assert project.labels[b].counts[16 + 3] == 2
    assert a not in project.labels


def test_an_epic_is_changed_with_its_label(small, project):
    epic = small.create_epic(project.id, "Payments")
    assert kinds(small) == ["label_create_activity", "epic_create_activity"]
    with pytest.raises(CommandError, match="belongs to an epic"):
        small.delete_label(project.id, epic.label_id)
    with pytest.raises(CommandError, match="belongs to an epic"):
        small.create_epic(project.id, "Again", label="payments")
    small.delete_epic(epic.id)
    assert small.epics == {}
    small.delete_label(project.id, epic.label_id)


def test_parts_are_logged_by_kind(small, project):
    story = a_story(small, project)
    start = len(small.activities)
    comment = small.add_comment(story.id, "Hm", by=BELA)
    small.edit_comment(story.id, comment.id, "Hm!", by=BELA)
    small.delete_comment(story.id, comment.id, by=BELA)
    task = small.add_task(story.id, "Do it")
    small.complete_task(story.id, task.id)
    small.delete_task(story.id, task.id)
    blocker = small.add_blocker(story.id, "Stuck")
    small.resolve_blocker(story.id, blocker.id)
    small.delete_blocker(story.id, blocker.id)
    review = small.add_review(story.id, project.review_types[2].id, BELA)
    small.update_review(story.id, review.id, status="pass")
    small.delete_review(story.id, review.id)
    verbs = ("create", "update", "delete")
    parts = ("comment", "task", "blocker", "review")
    assert kinds(small)[start:] == [f"{p}_{v}_activity" for p in parts for v in verbs]
    messages = [record(small, each)["message"] for each in small.activities[start:]]
    assert messages[0] == 'Béla Novák added comment: "Hm"'
    assert messages[3:5] == ['Ada Obi added task: "Do it"', 'Ada Obi completed task: "Do it"']
    assert story.follower_ids == [BELA]


def test_settings_and_members_are_logged(small, project):
    newcomer = small.add_person("Chidi Rao")
    small.add_member(project.id, newcomer.id)
    small.change_role(project.id, newcomer.id, "inactive")
    small.update_project(project.id, velocity_averaged_over=2)
    small.set_iteration_override(project.id, 1, length=2, team_strength=0.5)
    assert kinds(small) == [
        "project_membership_create_activity",
        "project_membership_update_activity",
        "project_update_activity",
        "iteration_update_activity",
    ]
    (change,) = record(small)["changes"]
    assert change["number"] == 1
    assert change["original_values"] == {"length": "default", "team_strength": 1}
    assert change["new_values"] == {"length": 2, "team_strength": 0.5}


def test_a_new_week_start_removes_iteration_overrides(small, project):
    small.set_iteration_override(project.id, 1, team_strength=0)
    small.update_project(project.id, week_start_day="Sunday")
    assert project.overrides == {}


REFUSED = {
    "delivered chore": {"story_type": "chore", "current_state": "delivered"},
    "started release": {"story_type": "release", "current_state": "started"},
    "started feature without an estimate": {"current_state": "started"},
    "points outside the scale": {"estimate": 7},
    "estimated bug in a project without bug points": {"story_type": "bug", "estimate": 1},
    "planned story with automatic planning": {"current_state": "planned", "estimate": 1},
    "deadline of a feature": {"deadline": "2025-02-01T00:00:00Z"},
    "acceptance in the future": {
        "estimate": 1,
        "current_state": "accepted",
        "accepted_at": "2026-01-01T00:00:00Z",
    },
    "unknown owner": {"owner_ids": [1]},
    "label without a name": {"labels": ["ok", " "]},
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED)
def test_a_refused_command_changes_nothing(small, project, values):
    with pytest.raises(CommandError):
        small.create_story(project.id, "Story", **values)
    story = small.create_story(project.id, "Story", values.get("story_type", "feature"))
    before = (project.version, small.revision, project.story_ids, repr(story))
    change = {key: value for key, value in values.items() if key != "story_type"}
    with pytest.raises(CommandError):
        small.update_story(story.id, at="2025-01-07T00:00:00Z", **change)
    assert (project.version, small.revision, project.story_ids, repr(story)) == before
    assert project.labels == {}


def test_a_command_without_a_change_is_refused(small, project):
    story = a_story(small, project)
    before = repr(story)
    with pytest.raises(CommandError, match="nothing changes"):
        small.move_story(story.id, index=0, at="2025-01-07T00:00:00Z")
    with pytest.raises(CommandError, match="nothing changes"):
        small.estimate_story(story.id, 2)
    assert repr(story) == before


def test_time_never_goes_back(small, project):
    with pytest.raises(CommandError, match="before the workspace clock"):
        small.create_story(project.id, "Story", at="2025-01-06T08:59:59Z")


def test_an_import_may_be_accepted_before_it_was_created(small, project):
    story = a_story(small, project, current_state="accepted", accepted_at="2024-11-05T12:00:00Z")
    assert story.accepted_at < story.created_at
    assert iso(small.calendar(project.id).spans[0].start) == "2024-11-03T23:00:00Z"
