"""Create, check and lock the DuckDB file."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from ingest.tables import TABLES
from ingest.tables.table import ColumnType
from ingest.warehouses.base import DATASET, WarehouseError, WarehouseInUse, causes, is_disk_full
from ingest.warehouses.lock import closing_lock, take_file_lock, wait_for

# DuckDB 1.4 and later can open this version; by default DuckDB 2 writes one that only it can read.
STORAGE_VERSION = "v1.4.0"
DUCKDB_TYPES: dict[ColumnType, str] = {
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18,4)",
    "double": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "json": "VARCHAR",
}
# Beyond this limit DuckDB spills to a temporary file; its default is 80 % of the machine's memory.
# A first load merges nothing and gets less. With 350 MB it would not spill, but the whole process
# would need more than 600 MB (see benchmarks/README.md).
_MEMORY, _MEMORY_OF_FIRST_LOAD = "400MB", "300MB"
_LOADING_SETTINGS = {
    # With this memory limit two threads are slower, unless row order need not be preserved; but
    # unordered rows compress worse, which makes the file a third larger.
    "threads": 1,
    # Columns with longer strings on average are compressed with zstd. Most of Tracker's data is
    # JSON of a few hundred characters, which the default (4096) leaves uncompressed: the file is
    # then fourteen times as large.
    "zstd_min_string_length": 100,
}
_LOCK_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


_log = logging.getLogger(__name__)
_wait_seconds: dict[Path, float] = {}  # how long the run that locked a file waits to open it


@contextmanager
def locked(path: Path, wait_seconds: float = 0, what: str = "python -m ingest") -> Iterator[None]:
    """Lock the file for one run, as two concurrent dlt runs would corrupt data.

    The operating system releases the lock when the process ends, even if it is killed. While the
    lock is held, opening the file also waits up to `wait_seconds` for programs that have it open.

    Args:
        path: the DuckDB file.
        wait_seconds: how long to wait for another run to release the lock.
        what: the name of this run in the messages of others.

    Raises:
        WarehouseError: if another run holds the lock for longer than `wait_seconds`.
    """
    with closing_lock(take_lock(path, wait_seconds, what)):
        _wait_seconds[path] = wait_seconds
        try:
            yield
        finally:
            del _wait_seconds[path]


def take_lock(path: Path, wait_seconds: float, what: str) -> int:
    """Take the lock. Closing the returned descriptor, or the process's end, releases it.

    Raises:
        WarehouseError: as for `locked`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return take_file_lock(path.with_name(path.name + ".lock"), str(path), wait_seconds, what)
    except OSError as error:
        raise WarehouseError(
            f"the folder of {path} is not writable ({error.strerror}); "
            "set WAREHOUSE_PATH to a writable path"
        ) from None


@contextmanager
def prepared(path: Path) -> Iterator[bool]:
    """Create the file if it does not exist, and check that it is writable.

    Yields whether the file is new. Opening it applies a write-ahead log that a killed run left. If
    the run fails and the file is still empty, it is removed.

    Raises:
        WarehouseError: if the path is not writable, is not a DuckDB file, or is in use.
    """
    is_new = not path.exists() or (path.is_file() and path.stat().st_size == 0)
    if is_new:
        _create(path)
    else:
        connect(path, read_only=False).close()
    try:
        yield is_new
    except BaseException:
        _remove_if_empty(path)
        raise


def _remove_if_empty(path: Path) -> None:
    """Remove the file if it contains nothing: a failed or killed first run created it."""
    with suppress(WarehouseError):
        with connect(path) as connection:
            objects = connection.execute(
                "select 1 from duckdb_tables() where not internal "
                "union all select 1 from duckdb_views() where not internal "
                "union all select 1 from duckdb_schemas() where not internal limit 1"
            ).fetchall()
        if not objects:
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)


def wait_until_free(path: Path, seconds: float) -> None:
    """Wait until no program has the file open. A file that does not exist is free.

    Raises:
        WarehouseError: if it is in use for longer than that, or is not a DuckDB file.
    """
    if path.exists():
        _require_duckdb_file(path)
        wait_for(lambda: _try_connect(path, read_only=False), seconds).close()


@contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Keep other programs from opening the file during a load, and undo a load that fails.

    Meanwhile dlt opens and closes connections of its own.

    Raises:
        WarehouseError: if another program has the file open.
    """
    with connect(path, read_only=False) as connection:
        for name, value in _LOADING_SETTINGS.items():
            connection.execute(
                f"set {name} = '{value}'"
            )  # global: applies to dlt's connections too
        loads = _loads(connection)
        memory = _MEMORY if loads else _MEMORY_OF_FIRST_LOAD
        connection.execute(f"set memory_limit = '{memory}'")
        if loads is not None:
            _convert_outdated_types(connection)
            _let_dlt_add_missing_columns(connection)
        try:
            yield
        except BaseException:
            # Except for a first load, the whole load is still in the log, which is dropped here.
            connection.execute("pragma disable_checkpoint_on_shutdown")
            connection.close()
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
            if not loads:
                _undo_first_load(path)
            raise


def _undo_first_load(path: Path) -> None:
    """Remove the tables of a failed first load; if nothing else is in the file, recreate it."""
    with connect(path, read_only=False) as connection:
        others = connection.execute(
            "select 1 from (select schema_name from duckdb_tables() where not internal "
            "union all select schema_name from duckdb_views() where not internal) "
            f"where schema_name not in ('{DATASET}', '{DATASET}_staging') limit 1"
        ).fetchall()
        for schema in (DATASET, f"{DATASET}_staging") if others else ():
            connection.execute(f"drop schema if exists {schema} cascade")
    if not others:
        path.unlink()
        _create(path)


def _loads(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]] | None:
    """One row if any load has completed, else none; None if there is no raw table yet."""
    try:
        return connection.execute(f"select 1 from {DATASET}._dlt_loads limit 1").fetchall()
    except duckdb.CatalogException:
        return None


def _convert_outdated_types(connection: duckdb.DuckDBPyConnection) -> None:
    """Convert columns from an older release to their declared type, which dlt does not do.

    Values that cannot be converted become null. A run that finds outdated types reads everything
    again.
    """
    for schema in (DATASET, f"{DATASET}_staging"):
        for table_name, column, _ in outdated_types(connection, schema):
            kind = DUCKDB_TYPES[TABLES[table_name].all_columns[column]]
            _log.info("%s.%s.%s becomes %s", schema, table_name, column, kind)
            connection.execute(
                f'alter table {schema}.{table_name} alter column "{column}" '
                f'type {kind} using try_cast("{column}" as {kind})'
            )


def outdated_types(
    connection: duckdb.DuckDBPyConnection, schema: str = DATASET
) -> list[tuple[str, str, str]]:
    """Columns whose type in the file is not the declared one: (table, column, type in the file)."""
    found = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = ?",
        [schema],
    )
    return [
        (table_name, column, kind)
        for table_name, column, kind in found.fetchall()
        if table_name in TABLES
        and column in TABLES[table_name].all_columns
        and kind != DUCKDB_TYPES[TABLES[table_name].all_columns[column]]
    ]


def _let_dlt_add_missing_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """If declared columns or tables are missing, make dlt compare the schema with the tables.

    Otherwise dlt trusts its stored schema version, and fails if a column was dropped by hand.
    """
    stored: dict[str, set[str]] = {}
    found = connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = ?", [DATASET]
    )
    for table_name, column_name in found.fetchall():
        stored.setdefault(table_name, set()).add(column_name)
    missing = [
        name
        for name, table in TABLES.items()
        if not stored.get(name, set()) >= table.all_columns.keys()
    ]
    if missing and "_dlt_version" in stored:
        _log.info("tables to create or extend: %s", ", ".join(missing))
        connection.execute(f"delete from {DATASET}._dlt_version")


def _create(path: Path) -> None:
    """Create the file under a temporary name and rename it, so that it is never incomplete."""
    new_path = path.with_name(path.name + ".new")
    escaped = str(new_path).replace("'", "''")
    try:
        new_path.unlink(missing_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{escaped}' (storage_version '{STORAGE_VERSION}')")
            connection.execute("checkpoint")
        path.with_name(path.name + ".wal").unlink(missing_ok=True)  # of a file since deleted
        new_path.replace(path)
    except (duckdb.Error, OSError) as error:
        raise WarehouseError(_explain(path, error)) from None


def connect(path: Path, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """Open the file; if it is in use, wait as long as the run that locked it may.

    Raises:
        WarehouseError: if the file cannot be opened.
    """
    _require_duckdb_file(path)
    return wait_for(lambda: _try_connect(path, read_only), _wait_seconds.get(path, 0))


def _try_connect(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        kind = WarehouseInUse if _LOCK_HOLDER.search(str(error)) else WarehouseError
        raise kind(_explain(path, error)) from None


def _require_duckdb_file(path: Path) -> None:
    """Refuse other files early: DuckDB would download an extension that might read them."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise WarehouseError(_explain(path, error)) from None
    if head[8:12] != b"DUCK":
        raise WarehouseError(_explain(path, OSError("not a valid DuckDB database")))


def _explain(path: Path, error: BaseException, what: str = "opened") -> str:
    text = str(error)
    holder = _LOCK_HOLDER.search(text)
    if holder:
        return (
            f"{path} is in use by {holder['program']} (PID {holder['pid']}); "
            "close that program, or wait for it to finish (--wait SECONDS)"
        )
    if is_disk_full(error):
        return f"the disk of {path} is full; free some space and run this again"
    if path.is_dir():
        return f"{path} is a folder; set WAREHOUSE_PATH to a file"
    if "not a valid DuckDB database" in text:
        return f"{path} is not a DuckDB file; set WAREHOUSE_PATH to another file, or move this one"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} is not writable; change its permissions, or set WAREHOUSE_PATH"
    return f"{path} could not be {what}: {text.splitlines()[0]}"


def explain_failure(path: Path, error: BaseException) -> str | None:
    """Explain an error in one line if the warehouse file caused it; None otherwise."""
    for each in causes(error):
        if isinstance(each, duckdb.Error) or "Could not set lock" in str(each):
            return _explain(path, each, "written")
    return None
