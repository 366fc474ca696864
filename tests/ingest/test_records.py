"""Records become rows without loss, errors or secrets."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.contract import admitted
from ingest.records import (
    Drift,
    history_day_records,
    parse_instant,
    removal_rows,
    shape,
    to_arrow,
)
from ingest.tables import TABLES

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=5,
)


def one_story(**fields):
    """The row of one story, and the drift."""
    drift = Drift()
    rows = to_arrow(TABLES["stories"], [{"id": 1, **fields}], "api", drift)
    return rows.to_pylist()[0], drift


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_records_give_an_empty_table_with_the_declared_schema(table):
    rows = to_arrow(table, [], "api", Drift())
    assert rows.num_rows == 0
    assert rows.schema == table.arrow_schema


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_keys_and_scopes_are_declared_columns(table):
    assert set(table.key) <= table.columns.keys()
    assert table.scope is None or table.scope in table.columns


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(2, Decimal("2.0000"), id="integer"),
        pytest.param(0, Decimal("0.0000"), id="zero is not null"),
        pytest.param(0.5, Decimal("0.5000"), id="fraction"),
        pytest.param(0.1, Decimal("0.1000"), id="no rounding errors"),
        pytest.param(None, None, id="absent"),
        pytest.param("3", Decimal("3.0000"), id="number written as text"),
    ],
)
def test_estimate_is_a_decimal(value, expected):
    row, drift = one_story(estimate=value)
    assert row["estimate"] == expected
    assert not drift.misfits


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("2017-05-03T23:29:40Z", id="as Tracker writes it"),
        pytest.param("2017-05-04T01:29:40+02:00", id="another zone"),
        pytest.param("2017-05-03T23:29:40", id="UTC without a zone"),
        pytest.param(1493854180000, id="milliseconds"),
    ],
)
def test_instants_are_read_in_every_form(value):
    row, drift = one_story(accepted_at=value)
    assert row["accepted_at"] == datetime(2017, 5, 3, 23, 29, 40, tzinfo=UTC)
    assert not drift.misfits


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("estimate", "many"), ("estimate", True), ("estimate", 10**30), ("name", 5),
        ("is_deleted", "no"), ("owned_by_id", 1.5), ("owned_by_id", 2**70),
        ("accepted_at", "yesterday"), ("accepted_at", [2017]),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_null_and_kept(field, value):
    row, drift = one_story(**{field: value})
    assert row[field] is None
    assert json.loads(row["extra_fields"])[field] == value
    assert drift.misfits == {("stories", field): 1}


def test_a_value_of_the_wrong_type_does_not_affect_other_rows():
    records = [{"id": 1, "estimate": 1}, {"id": 2, "estimate": "?"}, {"id": 3, "estimate": 3}]
    rows = to_arrow(TABLES["stories"], records, "api", Drift()).to_pylist()
    assert [row["estimate"] for row in rows] == [1, None, 3]


def test_an_undeclared_field_is_kept_and_counted():
    row, drift = one_story(swimlane={"id": 9}, kind="story")
    assert orjson.loads(row["extra_fields"]) == {"swimlane": {"id": 9}}
    assert drift.undeclared == {("stories", "swimlane"): 1}


def test_secrets_are_never_kept():
    record = {"id": 1, "api_token": "s3cret", "login": {"password": "s3cret", "name": "ok"}}
    for table in ("me", "stories"):
        rows = to_arrow(TABLES[table], [record], "api", Drift())
        assert "s3cret" not in str(rows.to_pylist())
        assert orjson.loads(rows["extra_fields"][0].as_py()) == {"login": {"name": "ok"}}


@pytest.mark.parametrize(
    ("record", "column", "value", "reason"),
    [
        ({"project_id": 1}, "number", None, "a record without its key"),
        ({"project_id": 1, "number": 2**70}, "number", str(2**70), "no usable key"),
        ({"project_id": 1, "number": "x\ud800"}, "number", "x\ufffd", "no usable key"),
        ({"project_id": 1, "number": 2, "x": "deep"}, "x", "list", "nested more than 254 levels"),
        ({"project_id": 1, "number": 2, "analytics": "deep"}, "analytics", "list", "nested more"),
        ({"project_id": 1, "number": 2, "length": "deep"}, "length", "list", "nested more"),
    ],
    ids=[
        "no key", "huge key", "key with a lone surrogate", "deep field", "deep list", "deep number",
    ],
)  # fmt: skip
def test_only_an_invalid_record_is_refused(record, column, value, reason):
    deep = []
    for _ in range(900):
        deep = [deep]
    records = [{"project_id": 1, "number": number} for number in (1, 3)]
    odd = {name: deep if each == "deep" else each for name, each in record.items()}
    drift = Drift()
    rows = to_arrow(
        TABLES["iterations"], [records[0], odd, records[1]], "api", drift, request="GET /x?offset=5"
    )
    assert rows["number"].to_pylist() == [1, 3]
    (refused,) = drift.rejections
    assert (refused.table, refused.request, refused.record) == ("iterations", "GET /x?offset=5", 2)
    assert (refused.column, refused.value) == (column, value)
    assert refused.reason.startswith(reason)


def test_lone_surrogates_and_infinity_are_replaced():
    labels = [{"name": "a\ud800", "\udfff": [float("inf"), 10**30]}]
    row, drift = one_story(name="Pay \udc00", labels=labels, other="\ud800")
    assert row["name"] == "Pay \ufffd"
    assert json.loads(row["labels"]) == [{"name": "a\ufffd", "\ufffd": [None, 10**30]}]
    assert json.loads(row["extra_fields"]) == {"other": "\ufffd"}
    assert not drift.misfits


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_timestamp_out_of_range_is_null_and_kept(value):
    row, drift = one_story(accepted_at=value)
    assert row["accepted_at"] is None
    assert json.loads(row["extra_fields"]) == {"accepted_at": value}
    assert drift.misfits == {("stories", "accepted_at"): 1}


@given(
    st.dictionaries(
        st.sampled_from([name for name in TABLES["stories"].columns if name != "id"]) | st.text(),
        JSON_VALUES,
    )
)
def test_any_story_is_loaded_without_loss(fields):
    fields.pop("id", None)
    row, _ = one_story(**fields)
    extra = orjson.loads(row["extra_fields"] or "{}")
    for name, value in fields.items():
        kept = row.get(name) if name in TABLES["stories"].columns else None
        is_dropped_on_purpose = name == "kind" or value is None
        is_secret = any(word in name.lower() for word in ("token", "passw", "secret"))
        assert kept is not None or name in extra or is_dropped_on_purpose or is_secret


def test_activity_takes_its_ids_from_nested_records():
    record = {
        "guid": "99_7",
        "project": {"id": 99, "name": "x"},
        "performed_by": {"id": 5, "name": "Ann"},
    }
    shaped = shape("activity", record)
    row = to_arrow(TABLES["activity"], [shaped], "api", Drift()).to_pylist()[0]
    assert (row["project_id"], row["project_version"], row["performed_by_id"]) == (99, 7, 5)
    assert row["extra_fields"] is None
    assert "project_version" not in record


def test_a_title_becomes_the_name():
    assert shape("stories", {"id": 1, "title": "Checkout"})["name"] == "Checkout"
    assert shape("stories", {"id": 1, "name": "a", "title": "b"})["title"] == "b"


def test_bodies_of_stories_in_an_iteration_become_ids():
    record = {"number": 3, "stories": [{"id": 8, "name": "a"}, {"id": 9}]}
    shaped = shape("iterations", record, project_id=1)
    assert shaped["story_ids"] == [8, 9]
    assert "stories" not in shaped
    assert shaped["project_id"] == 1


def test_history_container_becomes_one_record_a_day():
    container = {"header": ["date", "points_accepted"], "data": [["2019-07-09", 1.5]]}
    records = history_day_records(container, 7)
    rows = to_arrow(TABLES["history_days"], records, "api", Drift()).to_pylist()
    assert rows[0]["date"] == date(2019, 7, 9)
    assert rows[0]["points_accepted"] == Decimal("1.5")
    assert rows[0]["project_id"] == 7


def test_removal_rows_have_only_the_key():
    rows = removal_rows(TABLES["iterations"], [(1, 2)])
    assert rows.schema == TABLES["iterations"].arrow_schema
    row = rows.to_pylist()[0]
    assert {name for name, value in row.items() if value is not None} == {
        "project_id",
        "number",
        "is_removed",
    }


@pytest.mark.parametrize("value", [True, None, {}, "2017-13-01T00:00:00Z"])
def test_an_invalid_timestamp_is_refused(value):
    with pytest.raises(ValueError, match="instant|month|Invalid"):
        parse_instant(value)


def test_arrow_schema_marks_only_keys_as_required():
    schema = TABLES["stories"].arrow_schema
    assert [name for name in schema.names if not schema.field(name).nullable] == ["id"]
    assert schema.field("estimate").type == pa.decimal128(18, 4)


def test_a_nul_character_is_replaced_in_texts_and_json_but_a_literal_escape_is_kept():
    text = "a\0b\0\0 \\u0000 \\\0"
    record = {"id": 1, "name": text, "labels": [{"name": text}]}
    table = TABLES["stories"]
    rows = admitted(table, to_arrow(table, [record], "api", Drift()), Drift())
    assert rows.schema == table.arrow_schema
    (row,) = rows.to_pylist()
    assert row["name"] == text.replace("\0", "\ufffd")
    assert json.loads(row["labels"]) == [{"name": text.replace("\0", "\ufffd")}]
