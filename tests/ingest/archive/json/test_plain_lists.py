"""Reading the records of a file in bulk gives the same result as reading them one by one."""

import gzip
import io
import itertools
import json
import zipfile
from contextlib import contextmanager
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive import ArchiveError
from ingest.archive.json import large, plain_lists, values
from tests.ingest.archive.samples import Loaded, story, write_csv

TEXT = st.text(
    st.sampled_from("ab \"'\\/\n\r\t,{}[]:1234é\u2028\x00\x1f😀")
    | st.characters(exclude_categories=["Cs"]),
    max_size=25,
)
INSTANT = st.sampled_from(
    ["2020-01-01T10:00:00Z", "2021-12-31T23:59:59Z", "2020-02-29T00:00:00.123Z"]
)


def label(number, updated_at):
    """A label; the same version always has the same fields."""
    read_one_by_one = {"id": number, "name": f"{number} {updated_at}", "project_id": 9}
    return {**read_one_by_one, "created_at": "2020-01-01T10:00:00Z", "updated_at": updated_at}


LABEL = st.builds(label, st.integers(1, 4), INSTANT) | st.sampled_from([{"id": 5, "name": "api"}])
NUMBERS = itertools.count(1)
FILES = st.lists(
    st.builds(lambda name: {"id": next(NUMBERS), "filename": name}, TEXT), max_size=2
)  # ids are unique
COMMENT = st.fixed_dictionaries(
    {"id": st.integers(1, 5), "text": TEXT},
    optional={"created_at": INSTANT, "file_attachments": FILES, "score": st.floats(-9, 9)},
)
GOOD = {
    "name": TEXT,
    "description": TEXT,
    "story_type": st.sampled_from(["feature", "bug", "chore", "release"]),
    "current_state": st.sampled_from(["accepted", "started"]),
    "estimate": st.sampled_from([0, 1, 8, 0.5, -1]),
    "created_at": INSTANT,
    "updated_at": INSTANT,
    "accepted_at": INSTANT,
    "requested_by_id": st.integers(1, 9),
    "owned_by_id": st.integers(1, 9),
    "owner_ids": st.lists(st.integers(1, 9), max_size=2),
    "labels": st.lists(LABEL, max_size=3),
    "comments": st.lists(COMMENT, max_size=2),
    "tasks": st.lists(st.fixed_dictionaries({"id": st.integers(1, 9), "x": TEXT}), max_size=2),
    "is_deleted": st.booleans(),
}
ODD = [
    *({"id": each} for each in ("107", 0, -3, None, "x", 1.5, 1 << 70)),
    *({"project_id": each} for each in (None, "9", 9.0)),
    *({"name": each} for each in (5, None, True, ["a"])),
    *({"estimate": each} for each in ("2", None, True, 0.12345, 1e30, 10**12)),
    *({"created_at": each} for each in (1577836800000, "2020-01-01", "soon", "2020-13-01T00:00Z")),
    *({"labels": each} for each in (None, {}, "api", 5, [5], [None])),
    *(
        # In one project: of a label that seems to be in two, either may be loaded.
        {"project_id": 9, "labels": [{"name": "api", "created_at": "2020-01-01T10:00:00Z", **each}]}
        for each in ({}, {"id": None}, {"id": "7"}, {"id": "x"}, {"id": [1]}, {"id": 1 << 70})
    ),
    {"labels": [{"id": 7, "created_at": 5, "updated_at": 1 << 70, "project_id": None}]},
    *({"comments": each} for each in (None, {}, "x", [5], [{"file_attachments": 5}])),
    *({"owner_ids": each} for each in (None, [], "x")),
    {"owned_by": {"id": 5, "name": "Ann"}},
    {"owners": [{"id": 5, "name": "Ann", "initials": "A"}]},
    {"requested_by": {"id": 6, "name": "Bo"}, "owners": None},
    {"swimlane": "left"},
    {"swimlane": None},
    *({each: "x"} for each in ("it's", "a'b\"", "\\", "", "a'}) ; select 1 --", "\x00", "é")),
    {"project": {"id": 9, "name": "Shop"}},
    {"version": 3},
    {"title": "Pay"},
    {"kind": "comment", "story_id": 101},
    {"kind": "epic"},
    {"kind": None},
    {"deadline": "2020-01-05"},
    {"is_deleted": "yes"},
    {"comments": [{"id": 1, "text": "x", "size": 123456789012345678, "part": 1e-7}]},
]
PLAIN = st.fixed_dictionaries(
    {"kind": st.just("story"), "id": st.integers(101, 160), "project_id": st.sampled_from([9, 8])},
    optional=GOOD,
)
RECORD = st.one_of(
    PLAIN, PLAIN, st.builds(lambda record, odd: {**record, **odd}, PLAIN, st.sampled_from(ODD))
)
STORIES = st.lists(RECORD, min_size=1, max_size=12)
FORMS = {
    "compact": lambda records, **how: json.dumps(records, separators=(",", ":"), **how),
    "spread out": lambda records, **how: " " + json.dumps(records, indent=1, **how),
    "lines": lambda records, **how: "\n".join(json.dumps(each, **how) for each in records),
    "ended lines": lambda records, **how: "".join(
        json.dumps(each, **how) + "\r\n" for each in records
    ),
    "named": lambda records, **how: json.dumps({"data": {"found": records}, "next": None}, **how),
    "in a project": lambda records, **how: json.dumps(
        {"id": 9, "version": 3, "found": records, "name": "Shop", "kind": "project"}, **how
    ),
    "in projects": lambda records, **how: json.dumps(
        [
            {"kind": "project", "id": 8, "name": "Store", "found": records[1:]},
            {"kind": "project", "id": 9, "name": "Shop", "found": records[:1]},
        ],
        **how,
    ),
    "pages": lambda records, **how: json.dumps([records[:2], records[2:]], **how),
    "lines apart": lambda records, **how: "\n\n".join(json.dumps(each, **how) for each in records),
}


def write(path, records, form="compact", **how):
    path.write_bytes(FORMS[form](records, **how).encode())
    return path


def read_one_by_one(*paths):
    """The complete result of reading files: rows, refusals, or error.

    The two ways of reading may report different source lines for labels and projects.
    """
    try:
        loaded = Loaded(*paths)
    except ArchiveError as error:
        return str(error)
    for name in ("labels", "projects"):
        for each in loaded.tables[name]:
            del each["source_line"]
    tables = {name: sorted(rows, key=str) for name, rows in loaded.tables.items()}
    return tables, loaded.refusals, loaded.reader.skipped, loaded.reader.drift


def read_in_bulk(*paths):
    with large_from(64):
        return read_one_by_one(*paths)


@contextmanager
def large_from(size):
    """Treat lists and lines of at least a number of bytes as large."""
    with (
        mock.patch.object(large, "LARGE_BYTES", size),
        mock.patch.object(values, "LARGE_BYTES", size),
    ):
        yield


def is_read_in_bulk(path):
    with large_from(64):
        return bool(Loaded(path).reader._dumps._plain_lists)


PERSON = st.fixed_dictionaries(
    {"kind": st.just("person"), "id": st.integers(1, 3), "name": TEXT}, optional={"initials": TEXT}
)
PROJECT = st.fixed_dictionaries(
    {"kind": st.just("project"), "id": st.sampled_from([8, 9]), "name": TEXT}
)
PLAIN_ACTIVITY = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["story_update_activity", "comment_create_activity"]),
        "guid": st.builds(lambda: f"9_{next(NUMBERS)}"),
        "project_version": st.integers(1, 99),
        "project": PROJECT,
        "performed_by": PERSON,
        "occurred_at": INSTANT,
    },
    optional={
        "message": TEXT,
        "highlight": TEXT,
        "changes": st.lists(st.fixed_dictionaries({"id": st.integers(1, 9)}, optional={"x": TEXT})),
        "primary_resources": st.lists(COMMENT, max_size=2),
        "secondary_resources": st.just([]),
    },
)
ODD_ACTIVITY = [
    *({"guid": each} for each in ("107", None, "", 5, "9_07", "9_x", "1234567890_1", "é")),
    *({"project_version": each} for each in (None, "9", "x", 1 << 70)),
    *({"project_id": each} for each in (None, "9", 8)),
    *({"project": each} for each in (None, 5, {}, {"id": "9"}, {"id": 9}, {"name": "Shop"})),
    *({"performed_by": each} for each in (None, 5, [], {"id": "5", "name": "Ann"})),
    *({"performed_by_id": each} for each in (None, 7)),
    *({"occurred_at": each} for each in (None, 1577836800000, "soon", "2020-01-01")),
    *({"changes": each} for each in (None, {}, "x", [1e-7])),
    *({"kind": each} for each in ("story", "label", None)),
    {"swimlane": "left"},
    {"version": 3},
    {"updated_at": "2022-01-01T00:00:00Z"},
    {"owners": [{"id": 5, "name": "Ann", "initials": "A"}]},
]
ACTIVITIES = st.lists(
    st.one_of(
        PLAIN_ACTIVITY,
        PLAIN_ACTIVITY,
        st.builds(
            lambda record, odd: {**record, **odd}, PLAIN_ACTIVITY, st.sampled_from(ODD_ACTIVITY)
        ),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("lists", [STORIES, ACTIVITIES], ids=["stories", "activities"])
@given(
    data=st.data(),
    form=st.sampled_from(sorted(FORMS)),
    ensure_ascii=st.booleans(),
    batch=st.sampled_from([2, 2048]),
)
def test_records_read_in_bulk_equal_records_read_one_by_one(
    tmp_path_factory, lists, data, form, ensure_ascii, batch
):
    path = tmp_path_factory.mktemp("json") / "records.json"
    write(path, data.draw(lists), form, ensure_ascii=ensure_ascii)
    with mock.patch.object(plain_lists, "_BATCH", batch):
        assert read_in_bulk(path) == read_one_by_one(path)


@pytest.mark.parametrize("names", [("odd", "known"), ("known", "odd")], ids=str)
def test_a_label_with_a_null_project_changes_no_other_version(tmp_path, names):
    labels = {
        "odd": {"id": 7, "project_id": None, "created_at": 5, "updated_at": 1 << 70},
        "known": {"id": 7, "name": "api", "created_at": "2020-01-01T10:00:00Z"},
    }
    stories = [
        {"kind": "story", "id": 101 + place, "project_id": 9, "labels": [labels[name]]}
        for place, name in enumerate(names)
    ]
    path = write(tmp_path / "records.json", stories)
    tables, *_ = read_one_by_one(path)
    (found,) = tables["labels"]
    assert (found["name"], found["project_id"], found["extra_fields"]) == ("api", 9, None)
    assert read_in_bulk(path) == read_one_by_one(path)


@pytest.mark.parametrize("project_ids", [(9, None), (None, 9)], ids=str)
def test_a_null_project_does_not_replace_the_known_one(tmp_path, project_ids):
    """If the project is not known yet, the record is refused, but only that record."""
    stories = [{"kind": "story", "id": 101, "project_id": each} for each in project_ids]
    path = write(tmp_path / "records.json", stories)
    tables, refusals, *_ = read_one_by_one(path)
    assert [(each["id"], each["project_id"]) for each in tables["stories"]] == [(101, 9)]
    assert len(refusals) == (project_ids[0] is None)
    assert read_in_bulk(path) == read_one_by_one(path)


def activity(number, **fields):
    return {
        "kind": "story_update_activity",
        "guid": f"9_{number}",
        "project_version": number,
        "message": f"Ann edited story {number}",
        "changes": [{"kind": "story", "id": 101, "new_values": {"name": "Pay"}}],
        "project": {"kind": "project", "id": 9, "name": "Shop"},
        "performed_by": {"kind": "person", "id": 7, "name": "Ann"},
        "occurred_at": f"2020-01-01T10:00:{number % 60:02}Z",
        **fields,
    }


@pytest.mark.parametrize(("form", "in_bulk"), [(each, each != "lines apart") for each in FORMS])
def test_a_list_of_activities_is_read_in_bulk(tmp_path, form, in_bulk):
    renamed = activity(4, project={"kind": "project", "id": 9, "name": "Store"})
    odd = activity(3, swimlane="left")
    path = write(tmp_path / "a.json", [activity(1), activity(2), odd, renamed], form)
    assert is_read_in_bulk(path) == in_bulk
    tables, refusals, _, drift = read_in_bulk(path)
    assert sorted(each["guid"] for each in tables["activity"]) == ["9_1", "9_2", "9_3", "9_4"]
    if "project" not in form:  # which would state the name itself
        assert [each["name"] for each in tables["projects"]] == ["Store"]
    assert (refusals, dict(drift.undeclared)) == ([], {("activity", "swimlane"): 1})
    assert read_in_bulk(path) == read_one_by_one(path)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([activity(2, message="Newer")], id="a repeated activity"),
        pytest.param([activity(5)], id="other activities"),
        pytest.param([{"kind": "story", "id": 101, "project_id": 9, "name": "Pay"}], id="a story"),
        pytest.param({"kind": "project", "id": 9, "name": "Shop"}, id="their project"),
    ],
)
def test_activities_are_combined_with_another_file(tmp_path, other):
    write(tmp_path / "a.json", [activity(1), activity(2)])
    (tmp_path / "b.json").write_bytes(json.dumps(other).encode())
    assert read_in_bulk(tmp_path) == read_one_by_one(tmp_path)


def zipped(content):
    """A zip with one member."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("a.json", content)
    return packed.getvalue()


def plain(number, **fields):
    return {
        "kind": "story",
        "id": number,
        "project_id": 9,
        "name": f"Story {number}",
        "story_type": "feature",
        "current_state": "started",
        "created_at": "2020-01-01T10:00:00Z",
        "owner_ids": [],
        "labels": [],
        **fields,
    }


@pytest.mark.parametrize(("form", "in_bulk"), [(each, each != "lines apart") for each in FORMS])
def test_a_list_of_stories_is_read_in_bulk(tmp_path, form, in_bulk):
    odd = plain(103, swimlane="left")
    path = write(tmp_path / "a.json", [plain(101), plain(102), odd, plain(104)], form)
    assert is_read_in_bulk(path) == in_bulk
    tables, refusals, _, drift = read_in_bulk(path)
    assert [each["id"] for each in tables["stories"]] == [101, 102, 103, 104]
    assert (refusals, dict(drift.undeclared)) == ([], {("stories", "swimlane"): 1})
    assert read_in_bulk(path) == read_one_by_one(path)


@pytest.mark.parametrize("odd", ODD_ACTIVITY, ids=repr)
def test_an_odd_activity_is_read_like_one_by_one(tmp_path, odd):
    path = write(tmp_path / "a.json", [activity(1), {**activity(2), **odd}, activity(3)])
    assert read_in_bulk(path) == read_one_by_one(path)


@pytest.mark.parametrize("pack", [gzip.compress, zipped], ids=["gzip", "zip"])
def test_compressed_lists_are_read_in_bulk(tmp_path, pack):
    path = tmp_path / "a.json"
    path.write_bytes(pack(json.dumps([plain(101), plain(102)]).encode()))
    assert is_read_in_bulk(path)
    assert read_in_bulk(path) == read_one_by_one(path)


def test_the_stories_of_an_iteration_remain_with_it(tmp_path):
    iteration = {"kind": "iteration", "number": 3, "project_id": 9, "length": 1}
    dates = {"start": "2020-01-06T00:00:00Z", "finish": "2020-01-13T00:00:00Z"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{**iteration, **dates, "stories": [plain(101), plain(102)]}]))
    assert not is_read_in_bulk(path)
    tables, *_ = read_in_bulk(path)
    assert tables["iterations"][0]["story_ids"] == "[101,102]"
    assert read_in_bulk(path) == read_one_by_one(path)


def test_an_invalid_element_of_a_large_list_is_refused(tmp_path):
    stories = [json.dumps(plain(number)) for number in range(101, 105)]
    path = tmp_path / "a.json"
    path.write_text(f'{{"stories": [{stories[0]}, {{"id": 1,,}}, {", ".join(stories[1:])}]}}')
    tables, refusals, *_ = read_in_bulk(path)
    assert [each["id"] for each in tables["stories"]] == [101, 102, 103, 104]
    assert len(refusals) == 1
    assert "invalid JSON" in str(refusals[0])


CUT_OFF = '{"kind": "story", "id": 9, "labels": [{"id": 5}, {"id":'
BROKEN = {
    "a list": ("[{}, {}, {}, ", [1, 2, 3]),
    "a list in an envelope": ('{"http_status": "200", "data": [{}, {}, ', [1, 2]),
    "a list in a project": ('[{"kind": "project", "id": 9, "stories": [{}, {}, ', [1, 2]),
    "a list after another one": ('{"epics": [{"id": 1}], "stories": [{}, {}, ', [1, 2]),
    "an element": ("[{}, {}, " + CUT_OFF, [1, 2]),
    "an element with a large text": ("[{}, " + CUT_OFF[:-8] + '"' + "x" * 999, [1]),
    "a quote lost in an element": ("[{}, {}, " + CUT_OFF[:20] + CUT_OFF[21:] + "}]}, {}]", [1, 2]),
    "a bracket too many": ("[{}, {}}, {}]", [1, 2, 3]),
    "a bracket too few": ("[{}, {}, " + CUT_OFF + " 6}, {}]", [1, 2]),
    "the second document": ("[{}]\n[{}, {}, " + CUT_OFF, [1, 2, 3]),
    "lines after a broken one": (CUT_OFF + "\n{}\n{}\n{}\n" + CUT_OFF, [1, 2, 3]),
}


@pytest.mark.parametrize(("text", "ids"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("size", [64, 700])
def test_what_is_complete_in_a_large_broken_file_is_read(tmp_path, monkeypatch, text, ids, size):
    monkeypatch.setattr(large, "LARGEST_BROKEN", 700)
    monkeypatch.setattr(values, "LARGEST_BROKEN", 100)
    monkeypatch.setattr(values, "read_whole", lambda *_: pytest.fail("is read as a whole"))
    for number in range(1, text.count("{}") + 1):
        text = text.replace("{}", json.dumps(plain(number, description="y" * 300)), 1)
    (tmp_path / "a.json").write_text(text)
    with large_from(size):
        tables, refusals, *_ = read_one_by_one(tmp_path / "a.json")
    assert [each["id"] for each in tables["stories"]][: len(ids)] == ids
    assert 1 <= len(refusals) <= 2


@pytest.mark.parametrize("text", [CUT_OFF[:20], '{"data": [', "[1, 2, {", "[" * 300])
def test_a_large_broken_file_without_a_complete_record_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.setattr(values, "LARGEST_BROKEN", 1)
    (tmp_path / "a.json").write_text(text)
    with large_from(8), pytest.raises(ArchiveError, match="is invalid JSON"):
        Loaded(tmp_path / "a.json")


def test_stories_may_name_their_project(tmp_path):
    named = plain(103, project={"id": 9, "name": "Shop"})
    path = write(tmp_path / "a.json", [plain(101), plain(102), named])
    assert is_read_in_bulk(path)
    assert read_in_bulk(path) == read_one_by_one(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps([plain(101), plain(101)]).encode(), id="a repeated story"),
        pytest.param(
            json.dumps([plain(101), plain("101")]).encode(),
            id="a repeated story with another spelling",
        ),
        pytest.param(json.dumps([plain(101)]).encode() + b"]", id="broken"),
        pytest.param(b'[{"kind": "story", "id": 101, "name": NaN}]', id="not JSON"),
        pytest.param(b'[{"kind": "story", "id": 1, "id": 2}]', id="a repeated field"),
        pytest.param(b'[{"kind": "story", "id": 1, "Id": 2}]', id="a field in two spellings"),
        pytest.param(json.dumps([plain(101, name="é")]).encode("utf-16"), id="UTF-16"),
        pytest.param(json.dumps([plain(101), [plain(102)]]).encode(), id="a page among stories"),
        pytest.param(json.dumps([plain(101), {"kind": "label"}]).encode(), id="another kind"),
    ],
)
def test_ambiguous_content_is_read_one_by_one(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert not is_read_in_bulk(tmp_path / "a.json")
    assert read_in_bulk(tmp_path / "a.json") == read_one_by_one(tmp_path / "a.json")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            [plain(101, name="Newer", updated_at="2022-01-01T00:00:00Z")], id="the same stories"
        ),
        pytest.param([plain(105)], id="other stories"),
        pytest.param({"kind": "comment", "id": 5, "story_id": 101, "text": "Hm"}, id="a part"),
        pytest.param({"kind": "project", "id": 9, "name": "Shop"}, id="their project"),
        pytest.param({**label(1, "2022-01-01T00:00:00Z"), "kind": "label"}, id="a label"),
    ],
)
def test_files_with_the_same_stories_are_combined(tmp_path, other):
    older = label(1, "2020-01-01T10:00:00Z")
    write(tmp_path / "a.json", [plain(101, labels=[older]), plain(102)])
    (tmp_path / "b.json").write_bytes(json.dumps(other).encode())
    assert read_in_bulk(tmp_path) == read_one_by_one(tmp_path)


def test_a_dump_is_combined_with_a_csv_of_the_same_project(tmp_path):
    write(tmp_path / "a.json", [plain(101), plain(102)])
    write_csv(tmp_path / "shop_20200101_1010.csv", [story(101), story(103)])
    assert read_in_bulk(tmp_path) == read_one_by_one(tmp_path)


@pytest.mark.parametrize("form", ["compact", "lines apart"])
def test_an_invalid_label_does_not_cost_its_story(tmp_path, form):
    labels = [{"created_at": "2020-01-01T10:00:00Z"}, {"id": [1], "created_at": "soon"}]
    path = write(tmp_path / "a.json", [plain(101, labels=labels), plain(102)], form)
    tables, refusals, *_ = read_in_bulk(path)
    assert [json.loads(each["labels"]) for each in tables["stories"]] == [labels, []]
    assert (tables["labels"], refusals) == ([], [])


def test_a_folder_name_is_not_read_as_a_partition(tmp_path):
    (tmp_path / "team=shop").mkdir()
    write(tmp_path / "team=shop" / "a.json", [plain(101)])
    assert is_read_in_bulk(tmp_path)
    assert read_in_bulk(tmp_path) == read_one_by_one(tmp_path)
    (tmp_path / "team=shop" / "a.json").unlink()
    write_csv(tmp_path / "team=shop" / "b.csv", [story(101), story(102)])
    assert [each["id"] for each in Loaded(tmp_path).stories] == [101, 102]


def test_a_file_name_is_not_read_as_a_pattern(tmp_path):
    write(tmp_path / "a[1].json", [plain(101)])
    write(tmp_path / "a1.json", [plain(102)])
    tables, *_ = read_in_bulk(tmp_path / "a[1].json")
    assert [each["id"] for each in tables["stories"]] == [101]


@pytest.mark.parametrize("project", [{"project": {"id": 9}}, {}], ids=["nested id", "guid only"])
def test_a_project_known_only_from_activities_has_a_row(tmp_path, project):
    record = {each: value for each, value in activity(1).items() if each != "project"} | project
    path = write(tmp_path / "a.json", [record])
    for tables, *_ in (read_one_by_one(path), read_in_bulk(path)):
        assert [(each["id"], each["name"]) for each in tables["projects"]] == [(9, None)]
