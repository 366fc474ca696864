"""The rules that every row satisfies before it is loaded, whichever reader it came from.

A row has a key, no key occurs twice in a load, values have the declared types, text is valid and
contains no NUL character, and timestamps are in the years 1 to 9999. `to_arrow` ensures this for
single records. The checks here work on whole columns, so they cost little for clean data.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.records import (
    Drift,
    Record,
    Rejection,
    are_out_of_range,
    cell_bytes,
    stable_id,
    with_column,
)
from ingest.run.redaction import MASK
from ingest.tables import TABLES, Table

# Which source wins if two rows with the same key are equally new: the one with the higher number.
TRUST = {"stories_csv": 0, "history_csv": 1, "json": 2, "activity": 3, "api": 4}
_CLOCKS = ("updated_at", "occurred_at", "as_of", "created_at")
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_PLACE = ("source_file", "source_line")
_MEMORY = "300MB"
_NO_KEY = "a record without its key"
_MASKED_KEY = "the key contains the token"


def admitted(table: Table, rows: pa.Table, drift: Drift) -> pa.Table:
    """Repair rows if possible, refuse them otherwise, and return those that can be loaded.

    Args:
        table: the raw table.
        rows: rows from a reader.
        drift: collects the refused rows, and the values that were set to null.
    """
    if rows.schema != table.arrow_schema:
        rows = rows.select(table.all_columns).cast(table.arrow_schema)
    for name in table.key:
        if rows[name].null_count:
            rows = _refused(rows, rows[name].is_null(), name, _NO_KEY, table, drift)
        if table.all_columns[name] == "text":
            # The token is masked before records are read, and many keys could be the same then.
            is_masked = pc.match_substring(rows[name], MASK)
            if pc.any(is_masked).as_py():
                rows = _refused(rows, is_masked, name, _MASKED_KEY, table, drift)
    for name, kind in table.all_columns.items():
        column = rows[name]
        if kind in ("text", "json"):
            repaired = _without_nul(column, is_json=kind == "json")
        elif kind == "timestamp" and are_out_of_range(column):
            repaired = pa.chunked_array([_in_range(each) for each in column.chunks])
            drift.misfits[table.name, name] += repaired.null_count - column.null_count
        else:
            continue
        if repaired is not column:
            rows = with_column(rows, name, repaired)
    return rows


def _refused(
    rows: pa.Table, mask: pa.ChunkedArray, column: str, reason: str, table: Table, drift: Drift
) -> pa.Table:
    """Refuse the rows that a mask selects, and return the others."""
    refused = rows.filter(mask)
    places = zip(*(refused[each].to_pylist() for each in _PLACE), strict=True)
    drift.rejections += [
        Rejection(file, line, column, None, reason, table.name) for file, line in places
    ]
    return rows.filter(pc.invert(mask))


def _without_nul(column: pa.ChunkedArray, is_json: bool) -> pa.ChunkedArray:
    """Replace NUL characters, which PostgreSQL cannot store, by U+FFFD.

    In JSON a NUL is an escape sequence, whose backslash may itself be escaped.
    """
    sign = b"\\u0000" if is_json else b"\0"
    if column.null_count == len(column):
        return column
    if not any(re.search(re.escape(sign), cell_bytes(chunk)[1]) for chunk in column.chunks):
        return column
    if not is_json:
        return pc.replace_substring(column, "\0", "\ufffd")
    texts = [text and _ESCAPED_NUL.sub("\\1\ufffd", text) for text in column.to_pylist()]
    return pa.chunked_array([texts], pa.string())


def _in_range(instants: pa.Array) -> pa.Array:
    is_out = [are_out_of_range(instants.slice(place, 1)) for place in range(len(instants))]
    return pc.if_else(pa.array(is_out, pa.bool_()), None, instants)


def rejected_row_records(
    rejections: Iterable[Rejection], as_of: dict[str | None, str | None]
) -> list[Record]:
    """The records of `rejected_rows`, without duplicates.

    Args:
        rejections: the refused rows and files.
        as_of: the time that a file describes, by file name.
    """
    records = []
    for each in dict.fromkeys(rejections):
        parts: tuple[object, ...] = (each.file, each.line, each.column, each.value, each.reason)
        if each.request or each.record:
            parts = (each.request, each.record, each.table, *parts)
        records.append(
            {
                "rejection_id": str(-stable_id("rejection", *parts)),
                "file": each.file,
                "line": each.line,
                "column_name": each.column,
                "value": each.value,
                "reason": each.reason,
                "as_of": as_of.get(each.file),
                "table_name": each.table,
                "request": each.request,
                "record_number": each.record,
            }
        )
    return records


def keep_one_row_per_key(folder: Path) -> dict[str, int]:
    """Remove duplicate keys from the Parquet files of a load package.

    The newest row is kept; of equally new rows, the one from the more trusted source, or else the
    last one.

    Args:
        folder: the folder of the files, which are named `<table>.<anything>.parquet`.

    Returns:
        The number of removed rows by table, not counting rows that request a deletion.
    """
    files: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(folder.glob("*.parquet")):
        files[file.name.partition(".")[0]].append(file)
    removed: dict[str, int] = {}
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1}) as connection:
        for name, found in files.items():
            if name not in TABLES:
                continue
            replaced = _replaced_rows(connection, TABLES[name], found)
            for file in {file for file, _, _ in replaced}:
                _rewrite_without(file, [place for each, place, _ in replaced if each == file])
            if replaced:
                removed[name] = sum(not is_removal for _, _, is_removal in replaced)
    return removed


def _replaced_rows(
    connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]
) -> list[tuple[Path, int, bool]]:
    """The rows to remove: file, row number, and whether the row requests a deletion."""
    source = "read_parquet(?, filename = true, file_row_number = true)"
    key = ", ".join(f'"{name}"' for name in table.key)
    paths = [str(file) for file in files]
    is_twice = connection.execute(
        f"select 1 from {source} group by {key} having count(*) > 1 limit 1", [paths]
    ).fetchone()
    if not is_twice:
        return []
    clocks = [f'"{name}" desc nulls last' for name in _CLOCKS if name in table.columns]
    trust = " ".join(f"when '{source}' then {rank}" for source, rank in TRUST.items())
    order = ", ".join(
        [
            "is_removed is true",
            *clocks,
            f"case record_source {trust} else -1 end desc",
            "filename desc",
            "file_row_number desc",
        ]
    )
    replaced = connection.execute(
        f"select filename, file_row_number, is_removed is true from {source} "
        f"qualify row_number() over (partition by {key} order by {order}) > 1",
        [paths],
    ).fetchall()
    return [(Path(file), place, is_removal) for file, place, is_removal in replaced]


def _rewrite_without(file: Path, places: list[int]) -> None:
    """Rewrite a file without some of its rows, through a temporary file.

    If the process is killed, the next run removes the temporary file by its name.
    """
    rows = pq.read_table(file)
    is_kept = np.ones(len(rows), bool)
    is_kept[places] = False
    temporary = file.with_name(uuid4().hex[:16])
    pq.write_table(rows.filter(pa.array(is_kept)), temporary)
    temporary.replace(file)
