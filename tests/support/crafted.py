"""Create a warehouse from a few handwritten records, for rules that real data seldom breaks."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from ingest.records import Drift, Origin, to_arrow
from ingest.tables import TABLES, Table
from ingest.warehouses.base import DATASET

LOAD_ID = "1"
_NO_KEY = {"bigint": -(10**17), "text": "no key", "date": "0001-01-01"}


def crafted_warehouse(
    path: Path,
    records: dict[str, list[dict[str, object]]],
    dates_only: frozenset[int] = frozenset(),
    accepts: bool = False,
) -> Path:
    """Write raw tables from API-shaped records; tables without records are empty.

    Args:
        path: the DuckDB file to create.
        records: by raw table, under Tracker's field names.
        dates_only: ids of stories that came from a CSV, with dates instead of timestamps.
        accepts: whether values may have undeclared fields or the wrong type.
    """
    drift = Drift()
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create schema {DATASET}")
        for name, table in TABLES.items():
            listed = records.get(name, [])
            origins = None
            if name == "stories":
                origins = [_origin(each.get("id") in dates_only) for each in listed]
            keyless = [_with_key(table, each) for each in listed] if accepts else listed
            rows = to_arrow(table, keyless, "api", drift, origins)
            connection.register("rows", rows)
            connection.execute(
                f"create table {DATASET}.{name} as select *, '{LOAD_ID}' as _dlt_load_id from rows"
            )
            for column in table.key if accepts else ():
                connection.execute(
                    f"update {DATASET}.{name} set {column} = null where {column} = ?",
                    [_NO_KEY[table.columns[column]]],
                )
    if accepts:
        return path
    assert not drift.undeclared, drift.undeclared
    assert not drift.misfits, drift.misfits
    return path


def _with_key(table: Table, record: dict[str, object]) -> dict[str, object]:
    """Replace a missing key by a value that stands for null."""
    fits = {
        "bigint": lambda value: type(value) is int and abs(value) < 2**63,
        "text": lambda value: type(value) is str,
        "date": lambda value: type(value) is str and re.fullmatch(r"20\d\d-0[1-9]-[0-2]\d", value),
    }
    kinds = {column: table.columns[column] for column in table.key}
    none = {
        column: _NO_KEY[kind]
        for column, kind in kinds.items()
        if not fits[kind](record.get(column))
    }
    return {**record, **none}


def _origin(is_date_only: bool) -> Origin:
    return Origin("stories_csv", "stories.csv", 2, True) if is_date_only else Origin("api", "")
