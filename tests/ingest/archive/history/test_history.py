"""Sentences of a project history become activities and transitions, or are kept as unparsed."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive.history.sentences import LIKELY, RECORDED, UNPARSED, parse_sentence
from ingest.archive.project.people import person_id
from tests.ingest.archive.samples import Loaded, csv_text, shared_folder, story, write_csv

HEADER = ["ID", "Type", "Message", "Performed By", "Occurred At"]
NAMES = st.text(st.characters(categories=["L", "Nd"], include_characters=" .'-"), min_size=1)
STATES = ["started", "finished", "delivered", "accepted", "rejected", "unstarted"]


def history(tmp_path, *rows, name="project_history_shop_20250401_101112.csv"):
    path = tmp_path / name
    path.write_text(csv_text(rows, HEADER))
    return path


@pytest.mark.parametrize(
    ("message", "kind", "values", "confidence"),
    [
        ("started this feature", "story_update_activity", {"current_state": "started"}, RECORDED),
        ("restarted this bug", "story_update_activity", {"current_state": "started"}, LIKELY),
        (
            'rejected this feature with comments: "Try again"',
            "story_update_activity",
            {"current_state": "rejected"},
            RECORDED,
        ),
        ("estimated this bug as 1 point", "story_update_activity", {"estimate": 1.0}, RECORDED),
        ("estimated this bug as 0.5 points", "story_update_activity", {"estimate": 0.5}, RECORDED),
        ("added this chore", "story_create_activity", {"story_type": "chore"}, RECORDED),
        ("edited this feature", "story_update_activity", {}, RECORDED),
        ("moved this story after 'Release 2'", "story_move_activity", {}, RECORDED),
        ("deleted this feature", "story_delete_activity", {}, RECORDED),
        ("deleted 14 stories", "story_delete_activity", {}, LIKELY),
        ('added comment: "started this feature"', "comment_create_activity", {}, RECORDED),
        ('added task: "x"', "task_create_activity", {}, RECORDED),
        ("added Bo Li as an owner", "story_update_activity", {"added_owners": ["Bo Li"]}, LIKELY),
        (
            "removed Bo Li as an owner",
            "story_update_activity",
            {"removed_owners": ["Bo Li"]},
            LIKELY,
        ),
        ('created labels: "a", "b"', "label_create_activity", {}, RECORDED),
        ("did something else", UNPARSED, {}, 0.0),
    ],
)
def test_a_sentence_is_parsed_with_and_without_its_performer(message, kind, values, confidence):
    for text in (message, f"Ann Lee {message}"):
        parsed = parse_sentence(text, "Ann Lee", "story")
        assert (parsed.kind, parsed.values, parsed.confidence) == (kind, values, confidence)


def test_an_epic_is_not_a_story():
    assert parse_sentence("Ann deleted this story", "Ann", "epic").kind == "epic_delete_activity"


@given(NAMES.filter(str.strip), st.sampled_from(STATES), st.sampled_from(["feature", "bug"]))
def test_any_performer_may_change_a_state(name, state, story_type):
    parsed = parse_sentence(f"{name} {state} this {story_type}", name, "story")
    assert parsed.values == {"current_state": state}


@given(st.text(), st.text(), st.text())
def test_any_sentence_is_an_activity(message, performer, type_cell):
    parsed = parse_sentence(message, performer, type_cell)
    assert 0 <= parsed.confidence <= 1
    assert parsed.kind == UNPARSED or parsed.kind.endswith("_activity")


def test_the_text_of_a_comment_is_not_a_state_change():
    parsed = parse_sentence('Ann added comment: "Bo accepted this feature"', "Ann", "story")
    assert parsed.values == {}


ROWS = [
    (101, "story", "Ann added this feature", "Ann", "2025-03-01T09:00:00Z"),
    (101, "story", "Ann estimated this feature as 2 points", "Ann", "2025-03-01T09:00:00Z"),
    (101, "story", "Bo started this feature", "Bo", "2025-03-02 10:00:00 UTC"),
    (101, "story", "Bo accepted this feature", "Bo", "2025/03/03 10:00:00 UTC"),
    (101, "story", "Bo rejected this feature", "Bo", "Mar 4, 2025"),
    (102, "story", "Ann deleted this bug", "Ann", "2025-03-05T10:00:00Z"),
    ("", "project", "Ann painted the project blue", "Ann", "2025-03-06T10:00:00Z"),
]


def test_a_history_gives_activities_and_transitions(tmp_path):
    write_csv(tmp_path / "shop_20250401_101112.csv", [story(101)])
    history(tmp_path, *ROWS)
    loaded = Loaded(tmp_path)
    (project,) = loaded.projects
    found = sorted(loaded.activity, key=lambda each: each["project_version"])
    assert [each["kind"] for each in found] == [
        "story_create_activity",
        "story_update_activity",
        "story_update_activity",
        "story_update_activity",
        "story_update_activity",
        "story_delete_activity",
        "unparsed_history",
    ]
    assert {each["project_id"] for each in found} == {project["id"]}
    assert {each["record_source"] for each in found} == {"history_csv"}
    assert [each["source_line"] for each in found] == [2, 3, 4, 5, 6, 7, 8]
    assert [each["is_date_only"] for each in found] == [False] * 4 + [True] + [False] * 2
    assert len({each["project_version"] for each in found}) == 7
    assert all(each["project_version"] < 0 for each in found)
    assert [each["message"] for each in found][-1] == "Ann painted the project blue"
    accepted, rejected = (json.loads(found[index]["changes"])[0] for index in (3, 4))
    assert accepted["new_values"]["accepted_at"] == "2025-03-03T10:00:00Z"
    assert rejected["new_values"] == {"current_state": "rejected", "accepted_at": None}
    assert json.loads(found[5]["changes"]) == [
        {"kind": "story", "change_type": "delete", "id": 102}
    ]
    assert [
        (each["story_id"], each["state"], each["occurred_at"], each["performed_by_id"])
        for each in loaded.story_transitions
    ] == [
        (101, "started", datetime(2025, 3, 2, 10, tzinfo=UTC), person_id("Bo")),
        (101, "accepted", datetime(2025, 3, 3, 10, tzinfo=UTC), person_id("Bo")),
        (101, "rejected", datetime(2025, 3, 4, tzinfo=UTC), person_id("Bo")),
    ]
    assert any("1 of 7 sentences could not be parsed" in each for each in loaded.reader.skipped)
    versions = {(each["project_version"], each["story_id"]) for each in loaded.story_transitions}
    assert versions <= {(each["project_version"], 101) for each in found}


def test_the_order_of_the_file_does_not_matter(tmp_path):
    one = Loaded(history(tmp_path, *ROWS, name="project_history_shop_20250401_101112.csv"))
    other = Loaded(history(tmp_path, *ROWS[::-1], name="project_history_shop_20250401_101112.csv"))

    def rows_of(loaded):
        found = sorted(loaded.activity, key=lambda each: each["project_version"])
        return [(each["guid"], each["message"]) for each in found]

    assert rows_of(one) == rows_of(other)


def test_an_overlapping_later_history_gives_the_same_activities(tmp_path):
    first = history(tmp_path, *ROWS[:4], name="project_history_shop_20250303_101112.csv")
    second = history(tmp_path, *ROWS, name="project_history_shop_20250401_101112.csv")
    assert len(Loaded(first, second).activity) == 7


def test_a_transition_in_a_dump_is_not_repeated(tmp_path):
    transition = {
        "kind": "story_transition", "state": "started", "story_id": 101, "project_id": 9,
        "project_version": 2, "occurred_at": "2025-03-02T10:00:00Z",
    }  # fmt: skip
    (tmp_path / "t.json").write_text(json.dumps(transition))
    write_csv(tmp_path / "shop_20250401_101112.csv", [story(101)])
    history(tmp_path, *ROWS)
    loaded = Loaded(tmp_path)
    started = [each for each in loaded.story_transitions if each["state"] == "started"]
    assert [each["record_source"] for each in started] == ["json"]


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        ((101, "story", "x", "Ann", "soon"), ("Occurred At", "invalid timestamp")),
        ((101, "story", "", "Ann", "2025-03-01T09:00:00Z"), ("Message", "empty message")),
    ],
)
def test_a_bad_row_of_a_history_is_refused(tmp_path, row, refusal):
    loaded = Loaded(history(tmp_path, ROWS[0], row))
    assert loaded.refusals == [(3, *refusal)]
    assert len(loaded.activity) == 1


def test_recorded_sentences_agree_with_their_activities():
    """In recorded activities, the parsed sentence must not contradict the recorded changes.

    A sentence contains less: `edited this bug` hides owners, `started this feature` an estimate set
    at the same time, and a move between panels its state change.
    """
    folder = shared_folder("recordings")
    if folder is None:
        pytest.skip("../shared/recordings is not there")
    found = Counter()
    for activity in Loaded(folder).activity:
        performer = json.loads(activity["performed_by"] or "{}").get("name", "")
        parsed = parse_sentence(activity["message"], performer, "story")
        found["understood" if parsed.kind == activity["kind"] else "misread"] += 1
        stories = [each for each in json.loads(activity["changes"]) if each["kind"] == "story"]
        updated = [each["new_values"] for each in stories if each["change_type"] == "update"]
        for name in ("current_state", "estimate", "owner_ids"):
            set_to = [each[name] for each in updated if name in each]
            if name not in parsed.values:
                found[name, "not stated"] += bool(set_to)
            else:
                found[name, "stated" if parsed.values[name] in set_to else "wrong"] += 1
        deleted = any(each["change_type"] == "delete" for each in stories)
        is_parsed_as_deleted = parsed.kind == "story_delete_activity"
        if deleted or is_parsed_as_deleted:
            found["deletion", "stated" if deleted == is_parsed_as_deleted else "wrong"] += 1
    assert found == {
        "understood": 149, ("current_state", "stated"): 24, ("current_state", "not stated"): 2,
        ("estimate", "stated"): 7, ("estimate", "not stated"): 12, ("owner_ids", "not stated"): 8,
        ("deletion", "stated"): 2,
    }  # fmt: skip
