"""Reading records column by column gives the same rows as reading them one by one."""

import itertools
import json

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ingest.api.http.answers import Answer
from ingest.api.http.plain_pages import PlainPages
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import STORY_FIELDS
from ingest.plain_records import TABLES_WITH_PLAIN_RECORDS
from ingest.records import DEEPEST, Drift
from ingest.tables import TABLES
from simulator import serve, simulate

TEXT = st.text(
    st.sampled_from("ab \"'\\/\n\t,{}[]:1234567890eE.é\u2028\x00\x1f\x7f😀")
    | st.characters(exclude_categories=["Cs"]),
    max_size=25,
)
INSTANT = st.sampled_from(
    ["2020-01-01T10:00:00Z", "2021-12-31T23:59:59Z", "2020-02-29T00:00:00.123Z"]
)
PERSON = st.fixed_dictionaries({"id": st.integers(1, 9), "name": TEXT})
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
VALUE = st.recursive(
    TEXT | NUMBER | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
LISTS = st.lists(
    st.fixed_dictionaries({"id": st.integers(1, 9)}, optional={"x": VALUE}), max_size=2
)
PLAIN = {
    "activity": st.fixed_dictionaries(
        {
            "kind": TEXT,
            "guid": TEXT,
            "project_version": st.integers(1, 10**9),
            "performed_by": PERSON,
            "occurred_at": INSTANT,
        },
        optional={
            "message": TEXT,
            "highlight": TEXT,
            "changes": LISTS,
            "primary_resources": LISTS,
            "project": st.fixed_dictionaries({"id": st.integers(1, 9), "name": TEXT}),
            "project_id": st.integers(1, 9),
        },
    ),
    "stories": st.fixed_dictionaries(
        {"kind": st.just("story"), "id": st.integers(101, 160), "name": TEXT},
        optional={
            "project_id": st.integers(1, 9),
            "estimate": st.sampled_from([0, 1, 8, 0.5, -1, 1.0, 100.25]),
            "created_at": INSTANT,
            "updated_at": INSTANT,
            "owner_ids": st.lists(st.integers(1, 9), max_size=2),
            "owners": st.lists(PERSON, max_size=2),
            "labels": LISTS,
            "comments": LISTS,
            "is_deleted": st.booleans(),
        },
    ),
    "story_transitions": st.fixed_dictionaries(
        {
            "kind": st.just("story_transition"),
            "project_version": st.integers(1, 10**9),
            "story_id": st.integers(101, 160),
            "state": TEXT,
            "occurred_at": INSTANT,
        },
        optional={"project_id": st.integers(1, 9), "performed_by_id": st.integers(1, 9)},
    ),
}
DEEP = {"x": 1}
for _ in range(260):
    DEEP = {"x": DEEP}
ODD = [
    *({"id": each} for each in ("107", 0, None, "x", 1.5, 1e3, 1 << 70)),
    *({"guid": each} for each in (None, 5, "")),
    *({"project_version": each} for each in (None, "9", "x", 9.0, 1 << 64)),
    *({"project_id": each} for each in (None, "9", "x", 9.0)),
    *({"story_id": each} for each in (None, "9", [9])),
    *({"name": each} for each in (5, None, True, ["a"])),
    *({"estimate": each} for each in ("2", None, True, 0.12345, 1e30, 10**12, 1e2)),
    *({"occurred_at": each} for each in (1577836800000, "2020-01-01", "soon", None)),
    *({"created_at": each} for each in ("2020-13-01T00:00:00Z", "0000-01-01T00:00:00Z")),
    *({"performed_by": each} for each in (None, 5, [], {}, {"id": "5"}, {"id": 1 << 70})),
    *({"project": each} for each in (None, 5, {}, {"id": None}, {"id": "9"})),
    *({"performed_by_id": each} for each in (None, 7, "7")),
    *({"changes": each} for each in (None, {}, "x", [DEEP], 1e400)),
    *({each: "x"} for each in ("swimlane", "title", "it's", "\\", "", "\x00", "é", "Kind")),
    {"swimlane": None},
    {"api_token": "x"},
    {"comments": [{"id": 1, "size": 123456789012345678, "part": 1e-7, "sum": 1e16}]},
]


def page(records, form="compact", **options):
    if form == "compact":
        return json.dumps(records, separators=(",", ":"), ensure_ascii=False, **options).encode()
    if form == "escaped":
        return json.dumps(records, separators=(",", ":"), **options).encode().replace(b"/", b"\\/")
    return json.dumps(records, indent=1, **options).encode()


def rows_one_by_one(table_name, text, project_id=7):
    drift = Drift()
    answer = Answer(orjson.loads(text))
    rows = Intake(drift).take(table_name, answer, project_id).rows
    return rows, not (drift.undeclared or drift.misfits or drift.rejections)


@pytest.fixture(scope="module")
def plain_pages():
    return PlainPages(DEEPEST)


def test_every_table_is_tested():
    assert set(PLAIN) == TABLES_WITH_PLAIN_RECORDS


@pytest.mark.parametrize("table_name", sorted(PLAIN))
@given(data=st.data(), form=st.sampled_from(["compact", "escaped", "spread out"]))
def test_a_page_read_in_bulk_equals_its_records_read_one_by_one(
    plain_pages, table_name, data, form
):
    record = PLAIN[table_name]
    odd = st.builds(lambda record, odd: {**record, **odd}, record, st.sampled_from(ODD))
    records = data.draw(st.lists(st.one_of(record, record, record, odd), min_size=1, max_size=5))
    text = page(records, form)
    rows = plain_pages.rows(TABLES[table_name], 7, text)
    if rows is not None:
        assert (rows, True) == rows_one_by_one(table_name, text)


@pytest.mark.parametrize("table_name", sorted(PLAIN))
@given(data=st.data(), form=st.sampled_from(["compact", "spread out"]))
def test_plain_records_are_read_in_bulk(plain_pages, table_name, data, form):
    records = data.draw(st.lists(PLAIN[table_name], min_size=1, max_size=5))
    for each in records:
        each.pop("project_id", None)  # must be in all or none, as spaces hide nulls
    text = page(records, form)
    if form == "spread out":
        text = b"[" + text.strip()[1:].lstrip()
    assert plain_pages.rows(TABLES[table_name], 7, text) is not None


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("table_name", sorted(PLAIN))
def test_an_odd_record_is_read_like_one_by_one(plain_pages, table_name, odd):
    plain = {
        "kind": "x", "id": 101, "guid": "7_1", "project_version": 1, "story_id": 101,
        "occurred_at": "2020-01-01T10:00:00Z",
    }  # fmt: skip
    names = {*TABLES[table_name].columns, "kind"}
    plain = {name: value for name, value in plain.items() if name in names}
    text = page([plain, {**plain, **odd}, plain])
    rows = plain_pages.rows(TABLES[table_name], 7, text)
    if rows is not None:
        assert (rows, True) == rows_one_by_one(table_name, text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[]", id="no records"),
        pytest.param(b'{"id":1}', id="an object"),
        pytest.param(b'[{"id":1},5]', id="a number among the records"),
        pytest.param(b'[{"id":1},[{"id":2}]]', id="a list among the records"),
        pytest.param(b'[{"id":1}', id="incomplete"),
        pytest.param(b'[{"id":1}]]', id="text after the list"),
        pytest.param(b'[{"id":1}][{"id":2}]', id="two lists"),
        pytest.param(b'[{"id":1,"id":2}]', id="a repeated field"),
        pytest.param(b'[{"id":1,"name":NaN}]', id="NaN"),
        pytest.param(b'[{"id":1,"labels":[NaN]}]', id="NaN in a list"),
        pytest.param(b'[{"id":1,"labels":[1, nan]}]', id="NaN in small letters"),
        pytest.param(b'[{"id":1,"labels":-inf}]', id="negative infinity"),
        pytest.param(b'[{"id":1,"labels":{"size":Infinity}}]', id="infinity in an object"),
        pytest.param(b'[{"id":1,"labels":1e400}]', id="a number beyond the range"),
        pytest.param(b'[{"id":1,"name":"\\ud800"}]', id="a lone surrogate"),
        pytest.param(b'[{"id":1,"name":"\xff"}]', id="invalid UTF-8"),
        pytest.param(
            b'[{"id":1,"estimate":1e5,"x":0}]', id="a field where a rewritten number is longer"
        ),
    ],
)
def test_odd_pages_are_read_record_by_record(plain_pages, text):
    assert plain_pages.rows(TABLES["stories"], 7, text) is None


def test_closing_does_not_wait_for_the_page_being_converted():
    """The garbage collector may close the client in the thread that converts a page."""
    pages = PlainPages(DEEPEST)
    with pages._lock:
        pages.close()
    assert pages.rows(TABLES["stories"], 7, b'[{"id":1}]') is not None
    pages.close()
    assert pages.rows(TABLES["stories"], 7, b'[{"id":1}]') is None


def test_the_pages_of_the_demo_are_plain(plain_pages):
    paths = {"activity": "activity", "stories": "stories", "story_transitions": "story_transitions"}
    workspace = simulate(stories=100)
    with serve(workspace) as server:
        for project_id, (table_name, path) in itertools.product(workspace.projects, paths.items()):
            fields = {"fields": STORY_FIELDS[0]} if table_name == "stories" else {}
            text = requests.get(
                f"{server.base_url}/projects/{project_id}/{path}",
                {"limit": 500, **fields},
                headers={"X-TrackerToken": server.token},
                timeout=60,
            ).content
            if text != b"[]":
                rows = plain_pages.rows(TABLES[table_name], project_id, text)
                assert (rows, True) == rows_one_by_one(table_name, text, project_id)
