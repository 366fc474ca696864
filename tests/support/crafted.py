"""A warehouse of a few records, written by hand: for rules that real data seldom breaks."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingest.records import Drift, Origin, to_arrow
from ingest.tables import TABLES
from ingest.warehouses.base import DATASET

LOAD_ID = "1"


def crafted_warehouse(
    path: Path,
    records: dict[str, list[dict[str, object]]],
    dates_only: frozenset[int] = frozenset(),
) -> Path:
    """Write raw tables from API-shaped records; tables that are not named are empty.

    Args:
        path: the DuckDB file to make.
        records: by raw table, under Tracker's field names.
        dates_only: ids of stories that a CSV told, with days.
    """
    drift = Drift()
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create schema {DATASET}")
        for name, table in TABLES.items():
            listed = records.get(name, [])
            origins = None
            if name == "stories":
                origins = [_origin(each["id"] in dates_only) for each in listed]
            rows = to_arrow(table, listed, "api", drift, origins)
            connection.register("rows", rows)
            connection.execute(
                f"create table {DATASET}.{name} as select *, '{LOAD_ID}' as _dlt_load_id from rows"
            )
    assert not drift.undeclared, drift.undeclared
    assert not drift.misfits, drift.misfits
    return path


def _origin(is_date_only: bool) -> Origin:
    return Origin("stories_csv", "stories.csv", 2, True) if is_date_only else Origin("api", "")
