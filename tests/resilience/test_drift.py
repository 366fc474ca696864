"""Differences in Tracker's data or an older release's tables: nothing is lost, all is reported."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from unittest import mock

import duckdb
import orjson

from ingest.tables import TABLES
from ingest.warehouses.stored import Stored
from simulator import serve
from tests.ingest.test_pipeline import TWO_LABELS, load
from tests.resilience.conftest import RAW, ingest_project, query
from tests.resilience.faulty import Fault, FaultyRelay

OTHER_RECORDS = {
    **TWO_LABELS,
    "labels": [*TWO_LABELS["labels"], {"id": 3, "project_id": 1, "name": "c", "counts": {"n": 1}}],
    "stories": [{"id": 8, "project_id": 1, "name": "Find", "story_type": "bug", "url": "u"}],
}


def every_label(change):
    """Change each label in every response with labels."""

    def changed(body):
        return orjson.dumps([{**label, **change} for label in orjson.loads(body)])

    return lambda path: Fault(body=changed) if path.endswith("/labels") else None


def test_new_fields_and_changed_types_are_kept_and_reported_once(tiny_workspace, path):
    change = every_label({"colour": "red", "updated_at": "lately"})
    with serve(tiny_workspace) as server, FaultyRelay(server, change) as relay:
        arguments = (server, path, "api", "--full")
        runs = [ingest_project(*arguments, base_url=relay.base_url) for _ in range(2)]
    (count,) = query(path, f"select count(*) from {RAW}.labels")[0]
    for finished in runs:
        assert finished.returncode == 0, finished.stderr
        lines = [line.strip() for line in finished.stdout.splitlines() if "extra_fields" in line]
        assert lines == [
            f"kept in extra_fields: labels.colour ({count:,} records)",
            f"wrong type, kept in extra_fields: labels.updated_at ({count:,} values)",
        ]
    assert query(path, f"select distinct updated_at, extra_fields from {RAW}.labels") == [
        (None, '{"colour":"red","updated_at":"lately"}')
    ]


def older_release(*without_columns, without_tables=(), **types):
    """The raw tables as an older release might have declared them."""
    return {
        name: replace(
            table,
            columns={
                column: types.get(column, kind)
                for column, kind in table.columns.items()
                if column not in without_columns
            },
        )
        for name, table in TABLES.items()
        if name not in without_tables
    }


def test_the_file_of_an_older_release_gets_new_tables_and_columns(path):
    older = older_release("counts", "url", "story_type", without_tables=["notifications"])
    with mock.patch.dict(TABLES, older, clear=True):
        load(path)
    assert columns_of(path, "notifications") == set()
    assert "url" not in columns_of(path, "stories")
    load(path, OTHER_RECORDS)
    assert_all_columns_exist(path)


def test_the_file_of_an_older_release_gets_the_current_types(path):
    """Values of the wrong type become null, and everything is read again."""
    older = older_release(estimate="double", external_id="bigint", created_at="text")
    story = {"id": 7, "project_id": 1, "name": "S", "estimate": 2.5, "external_id": 5}
    created_at = "2025-01-01T12:00:00Z"
    with mock.patch.dict(TABLES, older, clear=True):
        stories = [{**story, "created_at": created_at}, {**story, "id": 9, "created_at": "lately"}]
        load(path, {**TWO_LABELS, "stories": stories})
        with Stored(path, "api", "the host") as stored:
            assert "stories" in stored.complete_tables
    with Stored(path, "api", "the host") as stored:
        assert "stories" not in stored.complete_tables
    new = {**story, "id": 8, "external_id": "JIRA-5", "created_at": created_at}
    load(path, {**TWO_LABELS, "stories": [new]})
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    columns = "id, estimate, external_id, created_at"
    assert query(path, f"select {columns} from {RAW}.stories order by id") == [
        (7, Decimal("2.5"), "5", noon),
        (8, Decimal("2.5"), "JIRA-5", noon),
        (9, Decimal("2.5"), "5", None),
    ]
    with Stored(path, "api", "the host") as stored:
        assert stored.complete_tables == set(TABLES)


def assert_all_columns_exist(path):
    for name, table in TABLES.items():
        assert columns_of(path, name) == {*table.all_columns, "_dlt_load_id"}, name
    assert query(path, f"select id, name, story_type, url from {RAW}.stories order by id") == [
        (7, "Search", None, None),
        (8, "Find", "bug", "u"),
    ]
    assert query(path, f"select id, counts from {RAW}.labels order by id") == [
        (1, None),
        (2, None),
        (3, '{"n":1}'),
    ]


def columns_of(path, table):
    rows = query(
        path,
        "select column_name from information_schema.columns "
        f"where table_schema = '{RAW}' and table_name = '{table}'",
    )
    return {name for (name,) in rows}


def test_columns_and_tables_dropped_by_hand_are_created_again(path):
    load(path)
    with duckdb.connect(str(path)) as connection:
        for column in ("url", "story_type"):
            connection.execute(f"alter table {RAW}.stories drop column {column}")
        connection.execute(f"alter table {RAW}.labels drop column counts")
        connection.execute(f"drop table {RAW}.notifications")
        connection.execute(f"drop table {RAW}.extracts")
    load(path, OTHER_RECORDS)
    assert_all_columns_exist(path)


def test_columns_added_by_a_user_are_kept(path):
    load(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"alter table {RAW}.labels add column mine varchar default 'x'")
        connection.execute("create table main.mine as select 1 as one")
    load(path, OTHER_RECORDS)
    assert query(path, f"select distinct mine from {RAW}.labels where id < 3") == [("x",)]
    assert query(path, "select one from main.mine") == [(1,)]
