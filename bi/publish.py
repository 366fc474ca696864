"""The published copy: a file with only the marts, which dashboards and BI tools open.

It is written to a temporary file, which then replaces the old copy in one step. Connections to the
old file keep reading it; new connections see the complete result of one build.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

# DuckDB 1.0 and later can open this version, but only without indexes, so the copy has no primary
# keys; the build has tested them.
STORAGE_VERSION = "v1.0.0"
_MARTS = "marts"  # the schema in the warehouse
# The default schema of a file, so that marts need no schema name, whatever the file is called.
_COPY = "copy.main"


class PublishError(Exception):
    """The copy cannot be published. The message is one line: why, and how to fix it."""


@dataclass(frozen=True)
class Published:
    """What was published.

    Attributes:
        as_of: the newest `as_of` of any project; None if nothing was ever extracted.
        rows: {mart: number of rows}.
        shrunk: {mart: (rows before, rows now)} for marts that lost more than a tenth of their rows.
    """

    path: Path
    as_of: datetime | None
    rows: dict[str, int]
    shrunk: dict[str, tuple[int, int]]


def publish(warehouse: Path, target: Path, marts: Collection[str]) -> Published:
    """Copy the marts of a built warehouse, check the copy, and replace the target with it.

    Nothing may write to the warehouse meanwhile. Besides the marts, the copy has the table
    `publication` with one row: an id, when it was published, its `as_of`, and its sources.

    Args:
        warehouse: the DuckDB file that was built.
        target: the published file; it need not exist yet.
        marts: the marts of the build. The warehouse may contain others, from removed models.

    Raises:
        PublishError: if the copy cannot be written or is incomplete; the target is then unchanged.
    """
    new_path = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        before = _row_counts_of(target)
        new_path.unlink(missing_ok=True)
        as_of, rows = _copy(warehouse, new_path, marts)
        _flush(new_path)
        os.replace(new_path, target)
    except (duckdb.Error, OSError) as error:
        raise PublishError(_explain(target, error)) from None
    finally:
        new_path.unlink(missing_ok=True)
        new_path.with_name(new_path.name + ".wal").unlink(missing_ok=True)
    shrunk = {
        mart: (count, rows.get(mart, 0))
        for mart, count in before.items()
        if rows.get(mart, 0) < count * 0.9
    }
    return Published(target, as_of, rows, shrunk)


def _copy(
    warehouse: Path, new_path: Path, marts: Collection[str]
) -> tuple[datetime | None, dict[str, int]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {_text(str(warehouse))} as warehouse (read_only)")
        connection.execute(
            f"attach {_text(str(new_path))} as copy (storage_version '{STORAGE_VERSION}')"
        )
        comments = dict(
            connection.execute(
                "select table_name, comment from duckdb_tables() "
                "where database_name = 'warehouse' and schema_name = ?",
                [_MARTS],
            ).fetchall()
        )
        missing = sorted(set(marts) - comments.keys())
        if missing:
            raise PublishError(f"{warehouse} lacks {', '.join(missing)}; run make build")
        rows = {mart: _copy_mart(connection, mart, comments[mart]) for mart in sorted(marts)}
        as_of = _note_publication(connection)
        connection.execute("checkpoint copy")
        return as_of, rows


def _copy_mart(connection: duckdb.DuckDBPyConnection, mart: str, comment: str | None) -> int:
    """Copy a mart with its types, not-null constraints and comments. Returns its row count."""
    columns = connection.execute(
        "select column_name, data_type, is_nullable, comment from duckdb_columns() "
        "where database_name = 'warehouse' and schema_name = ? and table_name = ? "
        "order by column_index",
        [_MARTS, mart],
    ).fetchall()
    table = f"{_COPY}.{_name(mart)}"
    definitions = ", ".join(
        f"{_name(column)} {data_type}{'' if is_nullable else ' not null'}"
        for column, data_type, is_nullable, _ in columns
    )
    source = f"warehouse.{_MARTS}.{_name(mart)}"
    connection.execute(f"create table {table} ({definitions})")
    connection.execute(f"insert into {table} select * from {source}")
    if comment:
        connection.execute(f"comment on table {table} is {_text(comment)}")
    for column, _, _, text in columns:
        if text:
            connection.execute(f"comment on column {table}.{_name(column)} is {_text(text)}")
    counts = [_only_row(connection, f"select count(*) from {each}")[0] for each in (source, table)]
    if counts[0] != counts[1]:
        raise PublishError(f"{mart} has {counts[0]} rows, its copy {counts[1]}; run make build")
    return counts[1]


def _only_row(connection: duckdb.DuckDBPyConnection, statement: str) -> tuple[Any, ...]:
    """The result of a statement that returns exactly one row."""
    (row,) = connection.execute(statement).fetchall()
    return row


def _note_publication(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    (as_of,) = _only_row(connection, "select max(as_of) from warehouse.intermediate.int_projects")
    (sources,) = _only_row(
        connection,
        "select string_agg(source_kind || ': ' || source_name, ', ' order by latest desc) from ("
        "select source_kind, source_name, max(started_at) as latest "
        "from warehouse.pivotal_tracker_data.extracts group by source_kind, source_name)",
    )
    table = f"{_COPY}.publication"
    connection.execute(
        f"create table {table} (publication_id varchar not null, sources varchar, "
        "as_of timestamp with time zone, published_at timestamp with time zone not null)"
    )
    connection.execute(
        f"insert into {table} values (?, ?, ?, ?)",
        [str(uuid.uuid4()), sources, as_of, datetime.now(UTC)],
    )
    meaning = "When this copy was published, and from which data. One row."
    connection.execute(f"comment on table {table} is {_text(meaning)}")
    for column, text in {
        "publication_id": "A new id for each publication.",
        "sources": "The kind and name of every source ever loaded, the latest first.",
        "as_of": "The newest `as_of` of any project, in UTC.",
        "published_at": "When this copy was published, in UTC.",
    }.items():
        connection.execute(f"comment on column {table}.{column} is {_text(text)}")
    return as_of


def _row_counts_of(target: Path) -> dict[str, int]:
    """The row counts of the existing copy. Raises if the target is some other file."""
    if not target.exists():
        return {}
    with target.open("rb") as file:
        if file.read(16)[8:12] != b"DUCK":
            raise PublishError(f"{target} is not a DuckDB file; set MARTS_PATH, or move the file")
    with duckdb.connect(str(target), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        if "publication" not in {table for _, table in tables}:
            raise PublishError(
                f"{target} is not a published copy of the marts; set MARTS_PATH, or move the file"
            )
        (catalog,) = _only_row(connection, "select current_database()")
        return {
            table: _only_row(
                connection, f"select count(*) from {_name(catalog)}.{_name(schema)}.{_name(table)}"
            )[0]
            for schema, table in tables
            if table != "publication"
        }


def _flush(path: Path) -> None:
    """Flush the file to disk before it replaces the old one."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _explain(target: Path, error: Exception) -> str:
    if target.is_dir():
        return f"{target} is a folder; set MARTS_PATH to a file"
    if isinstance(error, PermissionError):
        return f"{target.parent} is not writable; change its permissions, or set MARTS_PATH"
    return f"{target} cannot be published: {str(error).splitlines()[0]}"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
