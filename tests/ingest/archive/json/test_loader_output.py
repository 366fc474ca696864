"""The output of Airbyte and Singer is loaded like the API's own records."""

import csv
import io
import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.archive import ArchiveError
from tests.ingest.archive.samples import Loaded

PROJECT = {"id": 9, "kind": "project", "name": "Shop", "iteration_length": 1, "public": False,
           "time_zone": {"kind": "time_zone", "olson_name": "Europe/Paris", "offset": "+01:00"},
           "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-02T00:00:00Z"}  # fmt: skip
LABEL = {"id": 5, "kind": "label", "project_id": 9, "name": "api",
         "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}  # fmt: skip
STORY = {"id": 7, "kind": "story", "project_id": 9, "name": "Pay, by \"card\"", "estimate": 2,
         "description": "one\ntwo", "story_type": "feature", "current_state": "accepted",
         "requested_by_id": 3, "owned_by_id": 3, "owner_ids": [3], "labels": [LABEL],
         "created_at": "2020-01-03T00:00:00Z", "updated_at": "2020-01-05T00:00:00Z",
         "accepted_at": "2020-01-05T00:00:00Z"}  # fmt: skip
MEMBERSHIP = {"id": 4, "kind": "project_membership", "project_id": 9, "role": "owner",
              "person": {"kind": "person", "id": 3, "name": "Ada Obi"}}  # fmt: skip
RELEASE = {"id": 8, "kind": "release", "project_id": 9, "name": "1.0", "current_state": "unstarted",
           "labels": [], "created_at": "2020-01-03T00:00:00Z",
           "updated_at": "2020-01-03T00:00:00Z"}  # fmt: skip
EPIC = {"id": 6, "kind": "epic", "project_id": 9, "name": "Big", "label": LABEL,
        "created_at": "2020-01-03T00:00:00Z", "updated_at": "2020-01-03T00:00:00Z"}  # fmt: skip
ACTIVITY = {"kind": "story_update_activity", "guid": "9_12", "project_version": 12,
            "message": "Ada Obi started this feature", "project_id": 9,
            "project": {"kind": "project", "id": 9, "name": "Shop"},
            "performed_by": {"kind": "person", "id": 3, "name": "Ada Obi", "initials": "AO"},
            "changes": [{"kind": "story", "id": 7, "change_type": "update",
                         "new_values": {"current_state": "started"}}],
            "primary_resources": [{"kind": "story", "id": 7}],
            "occurred_at": "2020-01-04T00:00:00Z"}  # fmt: skip
STREAMS = {
    "projects": PROJECT, "stories": STORY, "project_memberships": MEMBERSHIP, "labels": LABEL,
    "releases": RELEASE, "epics": EPIC, "activity": ACTIVITY,
}  # fmt: skip
READ_AT = 1_580_000_000_000


def raw(record):
    return {"_airbyte_ab_id": "b1c7", "_airbyte_emitted_at": READ_AT, "_airbyte_data": record}


def flat(record):
    return {"_airbyte_raw_id": "b1c7", "_airbyte_extracted_at": READ_AT, "_airbyte_meta": {},
            **record}  # fmt: skip


def lines(wrap):
    return lambda _, record: json.dumps(wrap(record)).encode() + b"\n"


def as_text(value):
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value)


def table(wrap):
    def write_file(_, record):
        out = io.StringIO()
        row = {name: as_text(value) for name, value in wrap(record).items()}
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
        return out.getvalue().encode()

    return write_file


def parquet(convert):
    def write_file(_, record):
        row = {name: convert(name, value) for name, value in flat(record).items()}
        row.pop("_airbyte_meta")
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([row]), out)
        return out.getvalue()

    return write_file


def typed(name, value):
    if name.endswith("_at") and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


def texts_of_nested(_, value):
    return json.dumps(value) if isinstance(value, dict | list) else value


def message(stream, record):
    stated = {"type": "RECORD", "record": {"stream": stream, "data": record, "emitted_at": READ_AT}}
    return json.dumps(stated).encode() + b"\n"


def singer(stream, record):
    stated = [
        {"type": "STATE", "value": {"currently_syncing": stream}},
        {"type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": ["id"]},
        {"type": "RECORD", "stream": stream, "record": record,
         "time_extracted": "2020-01-26T00:53:20.000000Z"},
        {"type": "STATE", "value": {"bookmarks": {}}},
    ]  # fmt: skip
    return b"".join(json.dumps(each).encode() + b"\n" for each in stated)


FORMS = {
    "airbyte json lines": ("_airbyte_raw_{}.jsonl", lines(raw)),
    "airbyte flat json lines": ("{}/2020_01_26_1580000000000_0.jsonl", lines(flat)),
    "airbyte csv": ("_airbyte_raw_{}.csv", table(raw)),
    "airbyte flat csv": ("{}/2020_01_26_1580000000000_0.csv", table(flat)),
    "airbyte parquet": ("{}/2020_01_26_1580000000000_0.parquet", parquet(typed)),
    "airbyte parquet, nested as text": ("{}/0.parquet", parquet(texts_of_nested)),
    "airbyte messages": ("{}.jsonl", message),
    "singer messages": ("{}.jsonl", singer),
}


def write_output(tmp_path, form, leave_out=()):
    name, write_file = FORMS[form]
    for stream, record in STREAMS.items():
        path = tmp_path / name.format(stream)
        path.parent.mkdir(parents=True, exist_ok=True)
        left = {field: value for field, value in record.items() if field not in leave_out}
        path.write_bytes(write_file(stream, left))
    return Loaded(tmp_path)


def rows(loaded):
    """The rows of all tables without the columns about their source."""
    own = ("source_file", "source_line", "record_source")
    found = {}
    for name, records in loaded.tables.items():
        if name not in ("archive_files", "extracts"):
            found[name] = [
                {field: value for field, value in each.items() if field not in own}
                for each in records
            ]
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_loaders_output_equals_the_apis_records(tmp_path, form):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "dump.json").write_text(json.dumps(list(STREAMS.values())))
    loaded = write_output(tmp_path / "landed", form)
    assert rows(loaded) == rows(Loaded(tmp_path / "plain"))
    assert loaded.refusals == []
    assert not loaded.reader.drift.undeclared
    assert not loaded.reader.drift.misfits
    assert len(loaded.stories) == len(loaded.activity) == len(loaded.memberships) == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_record_without_its_kind_belongs_to_the_stream_it_was_written_to(tmp_path, form):
    loaded = write_output(tmp_path, form, leave_out=("kind",))
    assert (len(loaded.stories), len(loaded.projects), len(loaded.memberships)) == (1, 1, 1)
    assert (len(loaded.labels), len(loaded.releases), len(loaded.epics)) == (1, 1, 1)


def test_the_version_extracted_last_wins(tmp_path):
    stated = [{**raw({**STORY, "name": name}), "_airbyte_emitted_at": READ_AT + late}
            for name, late in (("new", 2), ("old", 1))]  # fmt: skip
    (tmp_path / "_airbyte_raw_stories.jsonl").write_text("\n".join(map(json.dumps, stated)))
    loaded = Loaded(tmp_path)
    assert loaded.one_story()["name"] == "new"
    assert loaded.reader.as_of == datetime(2020, 1, 26, 0, 53, 20, 2_000, tzinfo=UTC)


def test_a_singer_story_has_its_labels_and_cycle_time(tmp_path):
    story = {name: value for name, value in STORY.items() if name != "labels"}
    figures = {
        "kind": "cycle_time_details",
        "story_id": 7,
        "total_cycle_time": 60,
        "started_time": 60,
    }
    story |= {"label_ids": [5, 99], "cycle_time_details": figures}
    (tmp_path / "tap.jsonl").write_bytes(singer("labels", LABEL) + singer("stories", story))
    loaded = Loaded(tmp_path)
    labels = json.loads(loaded.one_story()["labels"])
    assert [(each["id"], each.get("name")) for each in labels] == [(5, "api"), (99, None)]
    assert loaded.one_story()["extra_fields"] is None
    (detail,) = loaded.cycle_time_details
    assert (detail["story_id"], detail["project_id"], detail["total_cycle_time"]) == (7, 9, 60)


def test_a_damaged_parquet_file_does_not_affect_others(tmp_path):
    (tmp_path / "stories.parquet").write_bytes(b"PAR1" + b"x" * 100)
    with pytest.raises(ArchiveError, match="is a damaged Parquet file"):
        Loaded(tmp_path)
    (tmp_path / "more.jsonl").write_bytes(singer("stories", STORY))
    assert Loaded(tmp_path).one_story()["id"] == 7


def test_a_parquet_value_that_python_cannot_represent_affects_no_other(tmp_path):
    odd = {
        "id": pa.array([7.0, 8.0, float("nan")]),  # as pandas writes a column with gaps
        "project_id": pa.array([Decimal(9)] * 3),
        "name": pa.array([b"caf\xc3\xa9", b"b", b"c"], pa.binary()),
        "updated_at": pa.array([2**62, 0, 0], pa.timestamp("us")),
        "planned": pa.array([timedelta(1), None, None]),
        "at": pa.array([time(1), None, None]),
        "parts": pa.array([[("a", 1)], None, None], pa.map_(pa.string(), pa.int64())),
    }
    plain = dict.fromkeys(("kind", "story_type", "current_state", "created_at"), "x")
    shared = {name: [value] * 3 for name, value in {**plain, "kind": "story"}.items()}
    pq.write_table(pa.table({**shared, **odd}), tmp_path / "stories.parquet")
    loaded = Loaded(tmp_path)
    first, second = loaded.stories
    assert (first["id"], first["project_id"], first["name"]) == (7, 9, "café")
    assert (first["updated_at"], second["id"]) == (None, 8)
    extra = json.loads(first["extra_fields"])
    assert (extra["planned"], extra["at"]) == ("1 day, 0:00:00", "01:00:00")
    assert (extra["parts"], extra["updated_at"]) == ([["a", 1]], 2**62)
    assert [column for _, column, _ in loaded.refusals] == ["id"]
