"""Changes are found in activities, in the forms that Tracker recorded."""

from datetime import UTC, datetime

import pytest

from ingest.api.sync.changes import Changes

STORY = {"kind": "story", "id": 7, "name": "S", "story_type": "feature"}
EPIC = {"kind": "epic", "id": 5, "name": "E"}


def update(kind, number, new, original=None, **more):
    return {
        "kind": kind,
        "change_type": "update",
        "id": number,
        "original_values": original or {},
        "new_values": new,
        **more,
    }


def create(kind, number, new):
    return {"kind": kind, "change_type": "create", "id": number, "new_values": new}


def delete(kind, number):
    return {"kind": kind, "change_type": "delete", "id": number}


def activity(version, *changes, primary=(STORY,), kind="story_update_activity", at="12:00"):
    return {
        "kind": kind,
        "guid": f"1_{version}",
        "project_version": version,
        "changes": list(changes),
        "primary_resources": list(primary),
        "occurred_at": f"2025-01-0{version % 9 + 1}T{at}:00Z",
    }


def changes_of(*activities, since=0):
    changes = Changes(1, since)
    for each in activities:
        changes.add(each)
    return changes


def values_of(changes, **expected):
    return {name: getattr(changes, name) for name in expected}


CASES = {
    "story renamed": (
        [update("story", 7, {"name": "T", "updated_at": 1})],
        {"story_ids": {7}, "plan_ids": set(), "lists": set()},
    ),
    "story estimated, and its labels counted": (
        [update("label", 3, {"counts": {}}), update("story", 7, {"estimate": 2})],
        {"plan_ids": {7}, "lists": {"labels", "epics"}, "label_ids": set()},
    ),
    "story un-accepted": (
        [
            update(
                "story",
                7,
                {"current_state": "rejected", "accepted_at": None},
                {"current_state": "accepted", "accepted_at": "2025-01-03T23:44:24Z"},
            )
        ],
        {
            "accepted_at": {datetime(2025, 1, 3, 23, 44, 24, tzinfo=UTC)},
            "state_changed_ids": {7},
            "plan_ids": {7},
        },
    ),
    "several stories deleted": (
        [delete("story", 7), delete("story", 8)],
        {"deleted_ids": {7, 8}, "plan_ids": {7, 8}},
    ),
    "rejection with a comment": (
        [
            create("comment", 1, {"story_id": 7, "text": "no"}),
            update("story", 7, {"current_state": "rejected"}),
        ],
        {"story_ids": {7}, "state_changed_ids": {7}, "part_ids": {}},
    ),
    "comment edited, without a reference to its story": (
        [update("comment", 1, {"text": "x"})],
        {"story_ids": {7}, "part_ids": {}},
    ),
    "acceptance that resolves another story's blocker": (
        [update("story", 7, {"current_state": "accepted"}), update("blocker", 2, {"resolved": 1})],
        {"story_ids": {7}, "part_ids": {"blockers": {2}}},
    ),
    "story follower": ([], {"story_ids": {7}, "unclear": None}),
    "unknown part of a story": (
        [create("voice_note", 1, {"text": "x"})],
        {"story_ids": {7}, "unclear": None},
    ),
    "release renamed": (
        [update("story", 7, {"name": "2.0"}, story_type="release")],
        {"story_ids": {7}, "lists": {"releases"}, "plan_ids": set()},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_a_story_activity_determines_what_to_read(changes, expected):
    found = changes_of(activity(1, *changes))
    assert values_of(found, **expected) == expected
    assert found.unclear is None


OTHERS = {
    "label renamed": (
        "label_update_activity",
        {"kind": "label", "id": 3},
        [update("label", 3, {"name": "n", "updated_at": 1})],
        {"label_ids": {3}, "lists": {"labels", "epics"}, "story_ids": set()},
    ),
    "label created": (
        "label_create_activity",
        {"kind": "label", "id": 3},
        [create("label", 3, {"name": "n", "counts": {}})],
        {"label_ids": set(), "lists": {"labels", "epics"}},
    ),
    "epic commented": (
        "comment_create_activity",
        EPIC,
        [create("comment", 1, {"epic_id": 5, "text": "x"})],
        {"lists": {"epics"}, "story_ids": set()},
    ),
    "epic moved": ("epic_move_activity", EPIC, [], {"lists": {"epics"}, "unclear": None}),
    "iteration overridden": (
        "iteration_update_activity",
        {"kind": "iteration", "number": 9},
        [{"kind": "iteration", "change_type": "update", "number": 9, "new_values": {"length": 2}}],
        {"iterations_from": 9, "are_all_iterations_moved": False},
    ),
    "settings": (
        "project_update_activity",
        {"kind": "project", "id": 1},
        [update("project", 1, {"week_start_day": "Sunday"})],
        {"are_all_iterations_moved": True},
    ),
    "member": (
        "project_membership_update_activity",
        {"kind": "project_membership", "id": 4},
        [update("project_membership", 4, {"role": "inactive"})],
        {"lists": {"memberships"}},
    ),
    "review type renamed": (
        "review_type_update_activity",
        {"kind": "review_type", "id": 6},
        [update("review_type", 6, {"name": "QA"})],
        {"review_type_ids": {6}, "unclear": None},
    ),
    "import without details": (
        "model_import_activity",
        {"kind": "project", "id": 1},
        [],
        {"unclear": "model_import_activity"},
    ),
    "unknown kind": (
        "gizmo_update_activity",
        {"kind": "gizmo", "id": 1},
        [update("gizmo", 1, {"size": 2})],
        {"unclear": "gizmo_update_activity"},
    ),
}


@pytest.mark.parametrize(("kind", "primary", "changes", "expected"), OTHERS.values(), ids=OTHERS)
def test_other_activities_determine_which_lists_to_read(kind, primary, changes, expected):
    found = changes_of(activity(1, *changes, primary=[primary], kind=kind))
    assert values_of(found, **expected) == expected


def test_the_last_move_determines_the_project_in_any_reading_order():
    moves = [
        activity(version, update("story", 7, {"project_id": project_id}))
        for version, project_id in ((3, 2), (5, 1), (8, 4))
    ]
    assert changes_of(*moves).moved_away() == {7: 4}
    assert changes_of(*reversed(moves)).moved_away() == {7: 4}
    assert changes_of(*moves[:2]).moved_away() == {}


def test_known_activities_are_ignored():
    found = changes_of(activity(3, update("story", 7, {"name": "n"})), since=3)
    assert (found.story_ids, found.earliest_at) == (set(), None)


@pytest.mark.parametrize(
    ("versions", "now", "are_complete"),
    [
        ([4, 5, 6], 6, True),
        ([], 3, True),
        ([4, 6], 6, False),
        ([5, 6], 6, False),
        ([4, 5], 6, False),
        ([4, 5, 6, 7], 6, True),
        ([4, 5, 6, 8], 6, False),
        ([2, 3, 4, 5, 6], 6, True),
    ],
)
def test_changes_are_complete_if_no_version_is_missing(versions, now, are_complete):
    found = changes_of(*(activity(version) for version in versions), since=3)
    assert found.are_complete(now) is are_complete


def test_invalid_values_in_activities_are_ignored():
    found = changes_of(
        {"guid": "1_1", "project_version": "1", "kind": "story_update_activity"},
        activity(2, {"kind": "story", "change_type": "update", "id": 7, "new_values": None}),
        activity(3, "text", update("story", 7, {"accepted_at": "soon"})),
    )
    assert found.versions == {1, 2, 3}
    assert found.story_ids == {7}
    assert found.unclear == "story_update_activity"
