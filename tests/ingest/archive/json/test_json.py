"""JSON in any arrangement, and SQLite backups, become the same rows as from the API."""

import gzip
import json
import shutil
import sqlite3
from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.archive import ArchiveError
from tests.ingest.archive.samples import Loaded, story, write_csv

STORY = {
    "kind": "story", "id": 101, "project_id": 9, "name": "Pay", "story_type": "feature",
    "current_state": "started", "estimate": 2, "created_at": "2020-01-01T10:00:00Z",
    "updated_at": "2020-01-02T10:00:00Z", "owner_ids": [5], "labels": [],
    "url": "https://www.pivotaltracker.com/story/show/101",
}  # fmt: skip
OTHER = {**STORY, "id": 102, "name": "Ship"}
PROJECT = {"kind": "project", "id": 9, "name": "Shop", "version": 3, "iteration_length": 1}
STUB = {"kind": "story", "id": 101, "name": "Pay", "story_type": "feature", "url": "u"}
ACTIVITY = {
    "kind": "story_update_activity",
    "guid": "9_7",
    "project_version": 7,
    "message": "Ann accepted this feature",
    "highlight": "accepted",
    "changes": [
        {
            "kind": "story",
            "change_type": "update",
            "id": 101,
            "original_values": {"current_state": "delivered", "accepted_at": None},
            "new_values": {"current_state": "accepted", "accepted_at": 1577959200000},
        }
    ],
    "primary_resources": [STUB],
    "project": {"kind": "project", "id": 9, "name": "Shop"},
    "performed_by": {"kind": "person", "id": 5, "name": "Ann", "initials": "A"},
    "occurred_at": 1577959200000,
}


def load(tmp_path, *values, **options):
    for number, value in enumerate(values):
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        (tmp_path / f"{number}.json").write_bytes(content)
    return Loaded(tmp_path, **options)


def lines(*values):
    return "\n".join(json.dumps(each) for each in values).encode()


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


def camel_case(record, change_first):
    named = {name.title().replace("_", ""): value for name, value in record.items()}
    return {change_first(name[0]) + name[1:]: value for name, value in named.items()}


ARRANGEMENTS = [
    pytest.param([STORY, OTHER], id="list"),
    pytest.param([[STORY], [OTHER]], id="pages"),
    pytest.param({"stories": [STORY, OTHER]}, id="named list"),
    pytest.param({"http_status": "200", "data": [STORY, OTHER], "pagination": {}}, id="envelope"),
    pytest.param(
        [{"http_status": "200", "data": [STORY]}, {"http_status": "200", "data": [OTHER]}],
        id="enveloped pages",
    ),
    pytest.param(
        [{"PathTemplate": "projects/{project_id}/stories", "Keys": {"project_id": "9"},
          "Data": [without(STORY, "project_id"), OTHER]}],
        id="cache",
    ),
    pytest.param(
        [{"PathTemplate": "stories", "Keys": [{"Key": "project_id", "Value": 9}],
          "Data": json.dumps([STORY, OTHER])}],
        id="cache of texts",
    ),
    pytest.param({**PROJECT, "stories": [without(STORY, "project_id"), OTHER]}, id="nested"),
    pytest.param(
        {"kind": "iteration", "number": 1, "project_id": 9, "stories": [STORY, OTHER],
         "start": "2020-01-01T00:00:00Z", "finish": "2020-01-08T00:00:00Z"},
        id="iteration",
    ),
    pytest.param(
        {"request": {"method": "GET", "path": "/services/v5/projects/9/stories"},
         "response": {"status": 200, "body": [without(STORY, "project_id"), OTHER]}},
        id="recorded interaction",
    ),
    pytest.param(
        {"log": {"version": "1.2", "pages": [{"id": "page_1"}], "entries": [
            {"request": {"method": "GET", "url": "https://example.com/services/v5/projects/9/stories"},
             "response": {"status": 200, "content": content}}
            for content in (
                {"mimeType": "x", "text": json.dumps([without(STORY, "project_id")])},
                {"text": b64encode(json.dumps([OTHER]).encode()).decode(), "encoding": "base64"},
                {"mimeType": "text/html", "text": "<p>"},
            )
        ]}},
        id="HTTP archive of a browser",
    ),
    pytest.param(
        {"http_interactions": [
            {"request": {"method": "get", "uri": "https://example.com/services/v5/projects/9/stories"},
             "response": {"status": {"code": 200}, "body": {"encoding": "UTF-8", "string":
                          json.dumps([without(STORY, "project_id"), OTHER])}}}
        ]},
        id="cassette",
    ),
    pytest.param(
        {"/services/v5/projects/9/stories?limit=2": [without(STORY, "project_id"), OTHER],
         "/services/v5/projects/9/epics": []},
        id="responses by path",
    ),
    pytest.param({**PROJECT, "stories": {"101": STORY, "102": OTHER}}, id="nested by id"),
    pytest.param({**PROJECT, "backlog": {"101": STORY, "102": OTHER}}, id="otherwise named, by id"),
    pytest.param(
        {**PROJECT, "backlog": [{"x": 1}, without(STORY, "project_id"), OTHER]},
        id="otherwise named, after another object",
    ),
    pytest.param(
        {"rows": [{"id": "a", "doc": STORY}, {"id": "b", "doc": {"story": OTHER}}]},
        id="documents with ids of their own",
    ),
    pytest.param([{"id": 9, "name": "Shop", "stories": [
        without(STORY, "kind", "project_id"), without(OTHER, "kind", "project_id")]}],
        id="nested in a project without its kind"),
    pytest.param({"project_id": "9", "stories": [without(STORY, "project_id"), OTHER]},
                 id="beside the project's id"),
    pytest.param({"project": {"id": 9, "name": "Shop"}, "pages": [[without(STORY, "project_id")],
                  [OTHER]]}, id="beside the project"),
    pytest.param([camel_case(STORY, str.title), camel_case(without(OTHER, "kind"), str.lower)],
                 id="camel case"),
    pytest.param([{**STORY, "createdAt": 5}, OTHER], id="a field in camel case"),
    pytest.param({"projectId": 9, "stories": [camel_case(without(STORY, "project_id"), str.lower),
                  OTHER]}, id="camel case around stories"),
    pytest.param([json.dumps(STORY), json.dumps([OTHER])], id="texts"),
    pytest.param(json.dumps([STORY, OTHER], indent=1), id="a text"),
    pytest.param(json.dumps(json.dumps({"stories": [STORY, OTHER]})), id="a text in a text"),
    pytest.param(lines(json.dumps(STORY), json.dumps(OTHER, indent=1)), id="lines of texts"),
    pytest.param(b"%s,\n%s,\n" % (lines(STORY), lines(OTHER)), id="lines that end with a comma"),
    pytest.param(
        b"%s,%s" % (json.dumps(STORY, indent=1).encode(), lines(OTHER)), id="documents and commas"
    ),
    pytest.param(
        b"\n".join(b"\xef\xbb\xbf" + lines(each) for each in (STORY, OTHER)), id="joined lines"
    ),
    pytest.param(
        b"".join(b"\xef\xbb\xbf" + json.dumps(each, indent=1).encode() for each in (STORY, OTHER)),
        id="joined documents",
    ),
    pytest.param([without(STORY, "kind"), without(OTHER, "kind")], id="no kind"),
    pytest.param(
        {"stories": {"stories": [STORY, OTHER], "total_hits": 2},
         "epics": {"epics": [], "total_hits": 0}, "query": "x"},
        id="search",
    ),
    pytest.param(lines(STORY, OTHER), id="JSON lines"),
    pytest.param(lines([]) + b"\n" + lines(STORY) + lines(OTHER), id="a line of two documents"),
    pytest.param(lines([STORY], [OTHER]), id="lines of pages"),
    pytest.param(json.dumps([{**STORY, "description": "a|b"}, OTHER]).replace("|", "\n\t").encode(),
                 id="a line break in a text"),
    pytest.param(gzip.compress(lines(STORY, OTHER)), id="gzip"),
    pytest.param(json.dumps([STORY, OTHER]).encode("utf-8-sig"), id="byte order mark"),
    pytest.param(json.dumps([STORY, OTHER]).encode("utf-16"), id="UTF-16"),
]  # fmt: skip


@pytest.mark.parametrize("value", ARRANGEMENTS)
def test_stories_are_found_in_every_arrangement(tmp_path, value):
    loaded = load(tmp_path, value)
    found = {each["id"]: each for each in loaded.stories}
    assert found.keys() == {101, 102}
    assert (found[101]["name"], found[101]["estimate"]) == ("Pay", Decimal(2))
    assert {each["project_id"] for each in loaded.stories} == {9}
    assert {each["record_source"] for each in loaded.stories} == {"json"}
    assert {each["source_file"] for each in loaded.stories} == {str(tmp_path / "0.json")}
    assert loaded.reader.rejections == []
    assert loaded.reader.as_of == datetime(2020, 1, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize("apart", [b"", b"\n"], ids=["beside the brackets", "apart from them"])
def test_a_list_with_an_invalid_line_loses_only_that_line(tmp_path, apart):
    damaged = b'{"kind": "story", "id": 103, "name": "x'
    rows = b",\n".join([lines(STORY), damaged, lines(OTHER)])
    loaded = load(tmp_path, b"[" + apart + rows + apart + b"]\n")
    assert {each["id"] for each in loaded.stories} == {101, 102}
    assert [each.line for each in loaded.reader.rejections] == [2 + len(apart)]


@pytest.mark.parametrize("begin", [b"", b"\0"])
def test_lines_between_damaged_ones_are_read_if_the_first_line_is_damaged(tmp_path, begin):
    noise = [b"\x85\x88n\xf0\xe6ZY\x8f", b"\x1f\x80\x16"]
    content = b"\n".join(
        [begin + lines(PROJECT)[1:], lines(STORY), *noise, lines(OTHER)[:40], lines(OTHER)]
    )
    assert {each["id"] for each in load(tmp_path, content).stories} == {101, 102}


def test_short_objects_inside_an_indented_document_are_not_its_lines(tmp_path):
    labels = b",\n      ".join([b'{"id": 5, "name": "x"}'] * 9)
    story = b'{\n    "kind": "story",\n    "id": %d, "project_id": 9,\n    "labels": [\n      %s]}'
    records = [story % (1, labels), b'{\n    "kind":,\n    "id": 9}', story % (2, labels)]
    loaded = load(tmp_path, b"[\n  %s\n]\n" % b",\n  ".join(records))
    assert {each["id"] for each in loaded.stories} == {1, 2}
    assert len(loaded.refusals) == 1


HEADERS = b"HTTP/2 200 \r\ncontent-type: application/json\r\nset-cookie: " + b"a=[b]; " * 99
LOG = b"2020-01-01 10:00:00 [main] INFO sent: "


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        pytest.param(HEADERS + b"\r\n\r\n" + lines(STORY), [101], id="headers of a response"),
        pytest.param((HEADERS + b"\n\n%s\n") * 2 % (lines([STORY]), lines(OTHER)), [101, 102],
                     id="headers of two responses"),
        pytest.param(b"/**/callback(%s);" % lines([STORY, OTHER]), [101, 102], id="JSONP"),
        pytest.param(b"let a = %s;\nlet b = {c: %s};" % (lines([STORY]), lines([OTHER])),
                     [101, 102], id="script"),
        pytest.param(b")]}',\n" + lines([STORY]), [101], id="guard against scripts"),
        pytest.param(LOG + lines(STORY) + b"\n" + LOG + lines(OTHER), [101, 102], id="log"),
        pytest.param(b"[2020-01-01T10:00] INFO %s\n" * 2 % (lines(STORY), lines(OTHER)),
                     [101, 102], id="log that begins with a bracket"),
        pytest.param(b"%s\nDone in [2 s]\n%s\nDone" % tuple(
            json.dumps([each], indent=1).encode() for each in (STORY, OTHER)), [101, 102],
            id="output of a command"),
        pytest.param(b"id\tbody\n1\t%s\n2\t%s\n" % (lines(STORY), lines(OTHER)), [101, 102],
                     id="copy of a table"),
    ],
)  # fmt: skip
def test_records_in_other_text_are_read_and_the_text_is_reported(tmp_path, content, ids):
    loaded = load(tmp_path, content)
    assert [each["id"] for each in loaded.stories] == ids
    (refused,) = loaded.rejected_rows
    assert refused["reason"].endswith(" characters around the JSON in this file were not read")


def test_a_broken_record_in_other_text_is_refused_and_its_parts_are_read(tmp_path):
    broken = lines({**STORY, "x": [{**OTHER, "id": 6}]})[:-9]
    loaded = load(tmp_path, b"\n".join([LOG + broken, LOG + lines(OTHER)]))
    assert {each["id"] for each in loaded.stories} == {102}
    around, refused = loaded.refusals
    assert around[2].endswith("were not read")
    assert (refused[0], refused[2][:12]) == (1, "invalid JSON")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"# Dump\n\n" + b"How it was made. " * 40 + lines(STORY), id="manual"),
        pytest.param(b"[Dump](x)\n\n" + b"How it was made. " * 40 + lines(STORY), id="link"),
        pytest.param(b'let settings = {"indent": 2, "name": "x"};', id="no record"),
        pytest.param(b"see " + b'[{"a":' * 20_000, id="nothing complete"),
        pytest.param(b"\x89PNG\0" + lines(STORY), id="picture"),
    ],
)
def test_other_text_with_little_json_is_not_read(tmp_path, content):
    with pytest.raises(ArchiveError, match="is not an export, dump or backup|is invalid JSON"):
        load(tmp_path, content)


def test_records_of_json_lines_have_line_numbers(tmp_path):
    loaded = load(tmp_path, lines(STORY, OTHER) + b'\n{"broken\n')
    assert [each["source_line"] for each in loaded.stories] == [1, 2]
    assert [(line, reason.partition(":")[0]) for line, _, reason in loaded.refusals] == [
        (3, "invalid JSON")
    ]


def test_the_newer_version_of_a_record_wins_in_any_order(tmp_path):
    newer = {**STORY, "name": "Pay!", "updated_at": 1580000000000}
    for order in ((STORY, newer), (newer, STORY)):
        (found,) = load(tmp_path, *order).stories
        assert found["name"] == "Pay!"
        assert found["updated_at"] == datetime(2020, 1, 26, 0, 53, 20, tzinfo=UTC)


def test_a_file_of_recorded_responses_is_as_of_its_newest_response(tmp_path):
    responses = [
        {"request": {"path": "/projects/9/stories"}, "response": {"body": body}, "recorded_at": at}
        for body, at in (([STORY], "2021-05-02T00:00:00Z"), ([OTHER], "2021-05-01T00:00:00Z"))
    ]
    (tmp_path / "recorded.json").write_text(json.dumps(responses))
    (file,) = Loaded(tmp_path).archive_files
    assert file["as_of"] == datetime(2021, 5, 2, tzinfo=UTC)


def test_fields_missing_in_a_newer_record_are_removed(tmp_path):
    accepted = {**STORY, "current_state": "accepted", "accepted_at": "2020-01-02T10:00:00Z"}
    reopened = {**STORY, "updated_at": "2020-01-03T10:00:00Z"}
    assert load(tmp_path, reopened, accepted).one_story()["accepted_at"] is None


@pytest.mark.parametrize("stub_comes_first", [True, False])
def test_a_stub_never_overwrites_a_story(tmp_path, stub_comes_first):
    stub = {**STUB, "project_id": 9, "name": "stub", "updated_at": "2024-01-01T00:00:00Z"}
    files = (stub, STORY) if stub_comes_first else (STORY, stub)
    found = load(tmp_path, *files).one_story()
    assert (found["name"], found["current_state"]) == ("Pay", "started")


def test_separate_parts_are_added_to_their_story(tmp_path):
    nested = {"id": 1, "story_id": 101, "text": "old", "updated_at": "2020-01-01T00:00:00Z"}
    edited = {**nested, "text": "new", "updated_at": "2020-01-02T00:00:00Z"}
    more = {"kind": "comment", "id": 2, "story_id": 101, "text": "hi", "file_attachments": [
        {"kind": "file_attachment", "id": 77, "filename": "a.png", "size": 5}]}  # fmt: skip
    task = {"kind": "task", "id": 3, "story_id": 101, "description": "do", "complete": True}
    loaded = load(tmp_path, [{**edited, "kind": "comment"}, more], task,
                  {**STORY, "comments": [nested]})  # fmt: skip
    found = loaded.one_story()
    assert [each["text"] for each in json.loads(found["comments"])] == ["new", "hi"]
    assert json.loads(found["tasks"])[0]["complete"] is True
    assert [(each["story_id"], each["file_name"]) for each in loaded.attachments] == [
        (101, "a.png")
    ]


def test_parts_of_unknown_stories_are_refused(tmp_path):
    task = {"kind": "task", "id": 3, "story_id": 555, "description": "do", "complete": True}
    loaded = load(tmp_path, STORY, task)
    assert [reason for _, _, reason in loaded.refusals] == ["story 555 is in no file"]


def test_parts_of_a_story_known_from_a_csv_are_added_to_its_row(tmp_path):
    write_csv(tmp_path / "shop_20200101_1010.csv", [story(101)])
    task = {"kind": "task", "id": 3, "story_id": 101, "description": "do", "complete": True}
    loaded = load(tmp_path, task)
    assert json.loads(loaded.one_story()["tasks"])[0]["description"] == "do"
    assert loaded.reader.rejections == []


def test_a_web_hook_body_is_an_activity_with_instants(tmp_path):
    loaded = load(tmp_path, ACTIVITY)
    (found,) = loaded.activity
    assert (found["guid"], found["project_id"], found["project_version"]) == ("9_7", 9, 7)
    assert found["occurred_at"] == datetime(2020, 1, 2, 10, tzinfo=UTC)
    new_values = json.loads(found["changes"])[0]["new_values"]
    assert new_values == {"current_state": "accepted", "accepted_at": "2020-01-02T10:00:00Z"}
    assert loaded.stories == []
    assert [(each["id"], each["name"]) for each in loaded.projects] == [(9, "Shop")]


@pytest.mark.parametrize("name", ["body", "detail", "Message"])
@pytest.mark.parametrize("write", [lambda body: body, json.dumps], ids=["object", "text"])
def test_a_web_hook_body_is_found_in_an_envelope_with_an_id(tmp_path, name, write):
    loaded = load(tmp_path, {"id": "evt_1", "headers": {"a": "b"}, name: write(ACTIVITY)})
    (found,) = loaded.tables["activity"]
    assert (found["guid"], loaded.stories) == ("9_7", [])


def test_other_records_are_loaded_into_their_tables(tmp_path):
    loaded = load(
        tmp_path,
        {**PROJECT, "labels": [{"id": 1, "name": "api"}], "time_zone": {"olson_name": "UTC"}},
        {"kind": "project_membership", "id": 4, "project_id": 9, "role": "owner",
         "person": {"kind": "person", "id": 5, "name": "Ann"}},
        {"kind": "epic", "id": 6, "project_id": 9, "name": "Big", "label": {"id": 1}},
        {"kind": "release", "id": 7, "project_id": 9, "name": "1.0"},
        {"kind": "story_transition", "state": "started", "story_id": 101, "project_id": 9,
         "project_version": 2, "occurred_at": "2020-01-01T10:00:00Z", "performed_by_id": 5},
        [{"id": 101, "cycle_time_details": {"kind": "cycle_time_details", "story_id": 101,
                                            "total_cycle_time": 5}}],
        {"request": {"path": "/projects/9/history/days"}, "response": {"body": {
            "kind": "daily_history_container", "header": ["date", "points_accepted"],
            "data": [["2020-01-01", 1.0], ["2020-01-02", 2.0]]}}},
        {"kind": "me", "id": 5, "name": "Ann", "api_token": "s3cret"},
    )  # fmt: skip
    counts = {name: len(rows) for name, rows in loaded.tables.items() if rows}
    assert counts == {
        "projects": 1, "labels": 1, "memberships": 1, "epics": 1, "releases": 1,
        "story_transitions": 1, "cycle_time_details": 1, "history_days": 2, "me": 1,
        "archive_files": 8,
    }  # fmt: skip
    assert loaded.labels[0]["project_id"] == 9
    assert "s3cret" not in str(loaded.tables)


def test_people_of_a_csv_are_matched_to_members(tmp_path):
    write_csv(tmp_path / "shop_20200101_1010.csv", [story(101, owned_by=["Bo Li"])])
    members = [{"kind": "project_membership", "id": number, "project_id": 9, "role": "member",
                "person": {"kind": "person", "id": number, "name": name}}
               for number, name in ((5, "ADA  Obi"), (6, "Bo Li"), (7, "Bo Li"))]  # fmt: skip
    found = load(tmp_path, members).one_story()
    assert found["requested_by_id"] == 5
    assert found["owned_by_id"] < 0, "two members have this name"


def test_json_is_trusted_over_a_csv_of_the_same_project(tmp_path):
    rows = [story(101, title="csv"), story(102, title="csv only", labels="api")]
    write_csv(tmp_path / "shop_20250101_1010.csv", rows)
    loaded = load(tmp_path, [STORY, PROJECT,
                             {"kind": "label", "id": 1, "project_id": 9, "name": "api",
                              "created_at": "2020-01-01T00:00:00Z"}])  # fmt: skip
    names = {each["id"]: (each["name"], each["record_source"]) for each in loaded.stories}
    assert names == {101: ("Pay", "json"), 102: ("csv only", "stories_csv")}
    assert {each["project_id"] for each in loaded.stories} == {9}
    assert [each["name"] for each in loaded.projects] == ["Shop"]
    assert json.loads(loaded.stories[1]["labels"])[0]["id"] == 1


@pytest.mark.parametrize(("dump", "name"), [(STORY, "Our Shop"), (ACTIVITY, "Shop")])
def test_a_project_only_mentioned_in_a_dump_has_the_settings_of_its_csv(tmp_path, dump, name):
    week = {"iteration_start": "Nov 16, 2015", "iteration_end": "Nov 22, 2015"}
    write_csv(tmp_path / "shop_20250101_1010.csv", [story(101, iteration="1", **week)])
    (project,) = load(tmp_path, [STORY, dump], project_name="Our Shop").projects
    assert (project["id"], project["name"], project["week_start_day"]) == (9, name, "Monday")
    assert (project["iteration_length"], project["record_source"]) == (1, "stories_csv")


def test_csv_dates_are_in_the_time_zone_of_a_dump(tmp_path):
    write_csv(tmp_path / "shop_20250101_1010.csv", [story(101), story(102)])
    zone = {"kind": "time_zone", "olson_name": "America/Denver"}
    loaded = load(tmp_path, [{**STORY, "id": 102}, {**PROJECT, "time_zone": zone}])
    (found,) = [each for each in loaded.stories if each["id"] == 101]
    assert found["created_at"] == datetime(2015, 11, 19, 7, tzinfo=UTC)
    assert loaded.reader.as_of == datetime(2025, 1, 1, 17, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"kind": "error", "code": "unfound_resource", "error": "no"}', "an error response"),
        (b'[{"kind": "story", "id": 1, "project_id"', "is invalid JSON"),
        (b'<?xml version="1.0"?>\n<stories type="array">', "XML of Tracker's retired API v3"),
        (b'{"kind": "story", "id": 1, "name": "x"}', "a record of stories without it"),
        (b'{"kind": "story", "change_type": "create", "id": 1}', "a change without its activity"),
        (b'{"hello": "world"}', "is JSON without Tracker data"),
        (b"SQLite format 3\x00" + b"\x00" * 100, "is a damaged SQLite file"),
    ],
)
def test_input_that_is_not_a_record_is_reported(tmp_path, content, reason):
    (tmp_path / "x.json").write_bytes(content)
    if reason.startswith(("an error", "a record", "a change")):
        loaded = Loaded(tmp_path)
        assert reason in loaded.rejected_rows[0]["reason"]
        assert loaded.stories == []
    else:
        with pytest.raises(ArchiveError, match=reason):
            Loaded(tmp_path)


NO_PROJECT = without({**STORY, "id": 103}, "project_id")
TOO_DEEP = b'{"kind": "story", "id": 3, "x": ' + b"[" * 900 + b"]" * 900 + b"}"


@pytest.mark.parametrize(
    ("value", "position"),
    [
        pytest.param([STORY, NO_PROJECT], (None, 2), id="list"),
        pytest.param([STORY, NO_PROJECT] + [{**STORY, "id": each} for each in range(200, 4_200)],
                     (None, 2), id="list that is read in bulk"),
        pytest.param([[STORY], [PROJECT, OTHER, NO_PROJECT]], (None, 3), id="pages"),
        pytest.param([{"response": {"body": [STORY]}, "request": {}},
                      {"response": {"body": NO_PROJECT}, "request": {}}],
                     (None, 2), id="recorded responses"),
        pytest.param(NO_PROJECT, (None, 1), id="single record"),
        pytest.param(lines(STORY, NO_PROJECT), (2, None), id="JSON lines"),
        pytest.param(lines([STORY], [OTHER, NO_PROJECT]), (2, 2), id="lines of pages"),
        pytest.param(b"[%s, %s]" % (lines(STORY), TOO_DEEP), (None, 2), id="deep nesting"),
        pytest.param(b"[%s, {,}]" % lines(STORY), (1, 2), id="damaged list"),
        pytest.param([STORY, {"kind": "error", "code": "x", "error": "y"}], (None, 2), id="error"),
        pytest.param([STORY, {"kind": "task", "id": 3, "story_id": 555}], (None, 2), id="part"),
        pytest.param([STORY, {"kind": "story_update_activity", "project": {"id": ""}}],
                     (None, 2), id="webhook without project"),
    ],
)  # fmt: skip
def test_a_refused_record_is_listed_with_its_position(tmp_path, value, position):
    loaded = load(tmp_path, value)
    (refused,) = loaded.rejected_rows
    assert (refused["line"], refused["record_number"]) == position
    if position == (None, 2):
        (note,) = loaded.reader.skipped
        assert note.startswith(f"{tmp_path}/0.json, record 2: ")


def write_backup(path, comment_table, has_owners):
    with sqlite3.connect(path) as connection:
        connection.executescript(f"""
            create table project (id integer primary key, name text not null);
            create table person (id integer primary key, name text, email text, initials text);
            create table label (id integer primary key, project_id integer, name text);
            create table epic (id integer primary key, project_id integer, label_id integer,
                name text);
            create table story (id integer primary key, project_id integer, name text,
                story_type text, current_state text, estimate real, accepted_at text,
                created_at text, owned_by_id integer, requested_by_id integer, updated_at text);
            create table story_label (story_id integer, label_id integer);
            create table {comment_table} (id integer primary key, story_id integer, text text,
                person_id integer, created_at text, updated_at text);
            create table file_attachment (id integer primary key, filename text, size integer,
                comment_id integer);
            create table file_attachment_file (file_attachment_id integer, blob blob);
            insert into project values (9, 'Shop');
            insert into person values (5, 'Ann', 'ann@example.com', 'A');
            insert into label values (1, 9, 'api');
            insert into epic values (6, 9, 1, 'Api');
            insert into story values (101, 9, 'Pay', 'feature', 'accepted', 2.0,
                '2020-01-02T10:00:00Z', '2020-01-01T10:00:00Z', 5, 5, '2020-01-02T10:00:00Z');
            insert into story_label values (101, 1);
            insert into {comment_table} values (3, 101, 'hi', 5, '2020-01-01T11:00:00Z', null);
            insert into file_attachment values (4, 'a.png', 7, 3);
            insert into file_attachment_file values (4, x'00');
        """)
        if has_owners:
            connection.executescript("""
                create table story_owner (_id integer primary key, story_id integer,
                    person_id integer);
                insert into story_owner values (1, 101, 5), (2, 101, 8);
            """)
    connection.close()
    return path


@pytest.mark.parametrize(
    ("comment_table", "has_owners", "owners"),
    [
        pytest.param("comment", False, [5], id="storyexporter"),
        pytest.param("story_comment", True, [5, 8], id="pivotal-tracker-dump"),
    ],
)
def test_a_backup_of_either_tool_loads(tmp_path, comment_table, has_owners, owners):
    loaded = Loaded(write_backup(tmp_path / "dump.db", comment_table, has_owners))
    counts = {name: len(rows) for name, rows in loaded.tables.items() if rows}
    assert counts == {
        "stories": 1, "projects": 1, "epics": 1, "labels": 1, "people": 1, "attachments": 1,
        "archive_files": 1,
    }  # fmt: skip
    found = loaded.one_story()
    assert json.loads(found["owner_ids"]) == owners
    assert [each["name"] for each in json.loads(found["labels"])] == ["api"]
    assert [each["text"] for each in json.loads(found["comments"])] == ["hi"]
    assert found["accepted_at"] == datetime(2020, 1, 2, 10, tzinfo=UTC)
    assert loaded.epics[0]["label_id"] == 1
    assert (loaded.attachments[0]["story_id"], loaded.attachments[0]["bytes"]) == (101, 7)


def test_a_refused_row_of_a_backup_is_listed_with_its_position(tmp_path):
    path = write_backup(tmp_path / "dump.db", "comment", has_owners=False)
    with sqlite3.connect(path) as connection:
        connection.execute("insert into story (id, name) values (102, 'of no project')")
    connection.close()
    (refused,) = Loaded(path).rejected_rows
    assert (refused["column_name"], refused["record_number"]) == ("project_id", 2)


def write_tables(path, records):
    with sqlite3.connect(path) as connection:
        for table, record in records.items():
            columns = ", ".join(record or ["id"])
            connection.execute(f"create table {table} ({columns})")
            values = [
                each if isinstance(each, str | int) else json.dumps(each)
                for each in (record or {}).values()
            ]
            if record:
                places = ", ".join("?" * len(values))
                connection.execute(f"insert into {table} values ({places})", values)
    connection.close()


def test_a_copy_of_the_apis_records_in_sqlite_loads(tmp_path):
    records = {"stories": STORY, "Projects": PROJECT, "labels": None}
    write_tables(tmp_path / "copy.db", records)
    loaded = Loaded(tmp_path / "copy.db")
    assert (loaded.one_story()["id"], loaded.one_story()["owner_ids"]) == (101, "[5]")
    assert [each["name"] for each in loaded.projects] == ["Shop"]


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param({"pt_stories": STORY, "pt_project": PROJECT}, id="other names"),
        pytest.param({"stories": {"id": 101, "json": json.dumps(STORY)},
                      "log": {"id": 7, "body": json.dumps(PROJECT)}}, id="JSON in a column"),
    ],
)  # fmt: skip
def test_records_in_any_table_of_sqlite_are_read(tmp_path, tables):
    write_tables(tmp_path / "copy.db", tables)
    loaded = Loaded(tmp_path / "copy.db")
    assert (loaded.one_story()["id"], loaded.one_story()["owner_ids"]) == (101, "[5]")
    assert loaded.rejected_rows == []


def test_a_view_of_stories_is_read(tmp_path):
    write_tables(tmp_path / "copy.db", {"a": STORY})
    with sqlite3.connect(tmp_path / "copy.db") as connection:
        connection.execute("alter table a rename column id to number")
        connection.execute("create view stories as select number as id, * from a")
    connection.close()
    assert Loaded(tmp_path / "copy.db").one_story()["id"] == 101


def test_changes_that_are_still_in_the_log_of_sqlite_are_read(tmp_path):
    write_tables(tmp_path / "app.db", {"stories": STORY})
    connection = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("update stories set name = 'Paid'")
    (tmp_path / "copy").mkdir()
    for name in ("app.db", "app.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / "copy")
    connection.close()
    loaded = Loaded(tmp_path / "copy")
    assert (loaded.one_story()["name"], loaded.reader.skipped) == ("Paid", [])


def test_a_column_name_that_is_not_utf_8_does_not_affect_other_columns(tmp_path):
    path = tmp_path / "dump.db"
    write_backup(path, "comment", has_owners=True)
    content = path.read_bytes()
    assert content.count(b"story_type") == 1
    path.write_bytes(content.replace(b"story_type", b"story_t\xe9pe"))
    assert Loaded(path).one_story()["current_state"] == "accepted"


def test_another_sqlite_file_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("create table cats (id integer)")
    connection.close()
    with pytest.raises(ArchiveError, match=r"no known backup tool \(tables: cats\)"):
        Loaded(tmp_path / "x.db")


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path):
    records = [{**STORY, "name": "a\u2028b\x85c"}, OTHER]
    content = "\n".join(json.dumps(each, ensure_ascii=False) for each in records)
    loaded = load(tmp_path, content.encode())
    assert loaded.refusals == []
    assert [(each["name"], each["source_line"]) for each in loaded.stories] == [
        ("a\u2028b\x85c", 1),
        ("Ship", 2),
    ]
