"""Records that are older than activities or transitions: the marts describe the later state."""

import duckdb
import pytest

from ingest.warehouses.base import DATASET
from tests.support.crafted import crafted_warehouse
from tests.support.marts import broken_checks, build, rows

MOVED_FROM, MOVED_TO, UNDONE, WITHOUT_STORIES = 1, 2, 3, 4
LATER, DONE, MOVED, LISTED, LABELLED, IN_CSV, UNACCEPTED = 101, 102, 103, 104, 105, 106, 301
PERSON, OTHER = 11, 12
EPIC, DELETED_EPIC = 21, 22
LABEL, DELETED_LABEL = 31, 32


def day(number):
    return f"2024-03-{number:02}T12:00:00Z"


def story(number, **values):
    return {
        "id": number, "project_id": number // 100, "name": f"Story {number}",
        "story_type": "feature", "current_state": "started", "estimate": 1, "labels": [],
        "owner_ids": [PERSON], "created_at": day(1), "updated_at": day(10), **values,
    }  # fmt: skip


def activity(project_id, version, at, number, new, original=None, kind="story", type_="update"):
    return {
        "kind": f"{kind}_{type_}_activity", "guid": f"{project_id}_{version}",
        "project_id": project_id, "project_version": version, "performed_by_id": PERSON,
        "occurred_at": day(at), "primary_resources": [{"kind": "story", "id": LATER}],
        "changes": [
            {
                "kind": kind, "change_type": type_, "id": number, "new_values": new,
                "original_values": original or {},
            }
        ],
    }  # fmt: skip


def records():
    moved = [{"project_id": MOVED_FROM}, {"project_id": MOVED_TO}]
    return {
        "projects": [
            {"id": each, "name": f"Project {each}", "start_time": day(1), "created_at": day(1)}
            for each in (MOVED_FROM, MOVED_TO, UNDONE, WITHOUT_STORIES)
        ],
        "stories": [
            story(
                LATER,
                tasks=[{"id": 1, "story_id": LATER, "description": "Write", "complete": False},
                       {"id": 2, "story_id": LATER, "description": "Drop", "complete": False}],
                comments=[],
            ),
            story(DONE, current_state="accepted", accepted_at=day(9)),
            story(MOVED, current_state="accepted", accepted_at=day(5)),
            story(LISTED),
            story(LABELLED),
            story(IN_CSV),
            story(UNACCEPTED, current_state="rejected", updated_at=day(20)),
        ],
        "epics": [
            {"id": each, "project_id": UNDONE, "name": f"Epic {each}", "label_id": LABEL}
            for each in (EPIC, DELETED_EPIC)
        ],
        "labels": [
            {"id": each, "project_id": UNDONE, "name": f"label {each}"}
            for each in (LABEL, DELETED_LABEL)
        ],
        "archive_files": [{"file": "a.csv", "file_kind": "stories_csv", "as_of": day(10)}],
        "story_transitions": [
            {"project_id": MOVED_FROM, "project_version": 50 + at, "story_id": LISTED,
             "state": state, "occurred_at": day(at)}
            for at, state in ((5, "started"), (12, "finished"), (13, "accepted"))
        ],
        "activity": [
            # Before the record, which has had the last word about it.
            activity(MOVED_FROM, 9, 9, LATER, {"estimate": 8, "owner_ids": []}),
            activity(
                MOVED_FROM, 12, 12, LATER,
                {"current_state": "accepted", "accepted_at": day(12), "estimate": 3,
                 "owner_ids": [PERSON, OTHER], "name": "Renamed"},
                {"current_state": "started", "estimate": 1, "owner_ids": [PERSON]},
            ),
            activity(MOVED_FROM, 13, 13, 1, {"story_id": LATER, "complete": True}, kind="task"),
            activity(MOVED_FROM, 14, 13, 2, None, kind="task", type_="delete"),
            activity(
                MOVED_FROM, 15, 13, 3,
                {"story_id": LATER, "text": "Later"}, kind="comment", type_="create",
            ),
            activity(
                MOVED_FROM, 16, 14, DONE,
                {"current_state": "rejected", "accepted_at": None}, {"current_state": "accepted"},
            ),
            activity(MOVED_FROM, 10, 9, IN_CSV, {"estimate": 8}),
            activity(
                MOVED_FROM, 11, 11, IN_CSV, {"current_state": "accepted"},
                {"current_state": "started"},
            ),
            activity(MOVED_FROM, 17, 15, MOVED, moved[1], moved[0]),
            activity(MOVED_TO, 1, 15, MOVED, moved[1], moved[0]),
            activity(MOVED_FROM, 8, 8, LABELLED, {"label_ids": []}, {"label_ids": [5]}),
            activity(
                UNDONE, 1, 20, UNACCEPTED,
                {"current_state": "rejected", "accepted_at": None}, {"current_state": "accepted"},
            ),
            activity(UNDONE, 2, 20, DELETED_EPIC, None, kind="epic", type_="delete"),
            activity(UNDONE, 3, 20, DELETED_LABEL, None, kind="label", type_="delete"),
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(models, tmp_path_factory):
    path = tmp_path_factory.mktemp("later") / "warehouse.duckdb"
    crafted_warehouse(path, records())
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"update {DATASET}.projects set record_source = 'json' where id = {WITHOUT_STORIES}"
        )
        connection.execute(
            f"update {DATASET}.stories set record_source = 'stories_csv', source_file = 'a.csv', "
            f"updated_at = null where id = {IN_CSV}"
        )
    build(path, models)
    return path


@pytest.fixture(scope="module")
def stories(warehouse):
    return {row["story_id"]: row for row in rows(warehouse, "dim_story")}


def test_no_check_fails(warehouse, models):
    """A move at as_of, an acceptance before the activities, a project without its stories."""
    assert broken_checks(warehouse, models) == {}


def test_a_story_has_what_changed_after_its_record(stories):
    later = stories[LATER]
    names = ("story_name", "current_state", "is_accepted", "estimate", "owner_count")
    assert [later[name] for name in names] == ["Renamed", "accepted", True, 3, 2]
    assert later["accepted_date"].day == 12
    assert (stories[DONE]["current_state"], stories[DONE]["accepted_at"]) == ("rejected", None)
    assert stories[MOVED]["project_id"] == MOVED_TO


def test_a_story_of_a_csv_has_what_changed_after_its_file(stories):
    names = ("current_state", "is_accepted", "estimate")
    assert [stories[IN_CSV][name] for name in names] == ["accepted", True, 1]
    assert stories[IN_CSV]["accepted_date"].day == 11


def test_parts_of_a_story_have_what_changed_after_its_record(stories, warehouse):
    later = stories[LATER]
    counts = ("task_count", "completed_task_count", "comment_count")
    assert [later[name] for name in counts] == [1, 1, 1]
    tasks = [(row["task_id"], row["task_description"]) for row in rows(warehouse, "fct_task")]
    assert tasks == [(1, "Write")]


def test_a_state_in_a_later_list_of_transitions_counts(stories):
    assert stories[LISTED]["current_state"] == "accepted"
    assert stories[LISTED]["accepted_date"].day == 13


def test_no_acceptance_is_inferred_before_a_later_state(warehouse):
    transitions = [
        (row["record_source"], row["to_state"])
        for row in rows(warehouse, "fct_story_transition")
        if row["story_id"] == DONE
    ]
    assert transitions == [("activity", "rejected")]


def test_versions_continue_after_the_record(warehouse):
    versions = [row for row in rows(warehouse, "dim_story_history") if row["story_id"] == LATER]
    last = max(versions, key=lambda row: row["version_number"])
    assert (last["estimate"], last["is_inferred"]) == (3, False)


def test_an_epic_and_a_label_do_not_outlive_an_activity_that_deletes_them(warehouse):
    for mart in ("dim_epic", "fct_epic_progress"):
        assert [row["epic_id"] for row in rows(warehouse, mart)] == [EPIC]
    labels = {row["label_id"]: row["epic_id"] for row in rows(warehouse, "dim_label")}
    assert labels == {LABEL: EPIC}
