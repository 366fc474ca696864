"""The DuckDB file: how it is made, checked and locked."""

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

# DuckDB 1.4 and later open such a file; DuckDB 2 would by default write one that only itself reads.
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
# More than this goes through a temporary file; DuckDB would take four fifths of the machine. A
# first load has only to be written down.
_MEMORY, _MEMORY_OF_FIRST_LOAD = "400MB", "200MB"
_LOADING_SETTINGS = {
    # With so little memory two threads take longer, unless they need not keep the rows in order,
    # and rows out of order are no longer alike: the file is then a third larger.
    "threads": 1,
    # Strings that are longer on average are compressed as a whole. Most of what Tracker gives is
    # JSON of some hundred characters, which by default (4096) lies there uncompressed: the file
    # is then fourteen times as large.
    "zstd_min_string_length": 100,
}
_LOCK_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


_log = logging.getLogger(__name__)
_patience: dict[Path, float] = {}  # seconds that a run waits for a file in use, while it is locked


@contextmanager
def locked(path: Path, wait_seconds: float = 0, what: str = "python -m ingest") -> Iterator[None]:
    """Hold the warehouse for one run: two dlt runs at once corrupt data.

    The lock is the operating system's, so it ends with the process, however that ends. While it
    is held, a file that another program has open is waited for just as long.

    Args:
        path: the DuckDB file.
        wait_seconds: how long to wait for whoever holds it.
        what: how others name the holder.

    Raises:
        WarehouseError: when another run holds it for longer than `wait_seconds`.
    """
    with closing_lock(take_lock(path, wait_seconds, what)):
        _patience[path] = wait_seconds
        try:
            yield
        finally:
            del _patience[path]


def take_lock(path: Path, wait_seconds: float, what: str) -> int:
    """The descriptor that holds the lock until it is closed, by the process's death at the latest.

    Raises:
        WarehouseError: as `locked`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return take_file_lock(path.with_name(path.name + ".lock"), str(path), wait_seconds, what)
    except OSError as error:
        raise WarehouseError(
            f"the folder of {path} is not writable ({error.strerror}); "
            "set WAREHOUSE_PATH to a path that is"
        ) from None


@contextmanager
def prepared(path: Path) -> Iterator[bool]:
    """Make the file when there is none, check that it can be written, and undo a failed first run.

    Yields whether there was no file. What a killed run left in a write-ahead log is in the file
    afterwards.

    Raises:
        WarehouseError: when the path is not writable, is no DuckDB file, or is in use.
    """
    is_new = not path.exists() or (path.is_file() and path.stat().st_size == 0)
    if is_new:
        _create(path)
    else:
        _connect(path, read_only=False).close()
    try:
        yield is_new
    except BaseException:
        _remove_if_empty(path)
        raise


def _remove_if_empty(path: Path) -> None:
    """Remove what a failed first run made, also that of an earlier one that was killed."""
    with suppress(WarehouseError):
        objects = _rows(
            path,
            "select 1 from duckdb_tables() where not internal "
            "union all select 1 from duckdb_views() where not internal "
            "union all select 1 from duckdb_schemas() where not internal limit 1",
        )
        if not objects:
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)


def wait_until_free(path: Path, seconds: float) -> None:
    """Wait until no program has the file open; one that does not exist is free.

    Raises:
        WarehouseError: when it is in use for longer than that, or is no DuckDB file.
    """
    if path.exists():
        _require_duckdb_file(path)
        wait_for(lambda: _try_connect(path, read_only=False), seconds).close()


@contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Keep other programs out of the file while dlt loads; a load that fails leaves no trace.

    dlt opens and closes connections of its own meanwhile.

    Raises:
        WarehouseError: when another program has it open.
    """
    with _connect(path, read_only=False) as connection:
        for name, value in _LOADING_SETTINGS.items():
            connection.execute(f"set {name} = '{value}'")  # for dlt's connections as well
        loads = _loads(connection)
        memory = _MEMORY if loads else _MEMORY_OF_FIRST_LOAD
        connection.execute(f"set memory_limit = '{memory}'")
        if loads is not None:
            _mend_types(connection)
            _let_dlt_mend(connection)
        try:
            yield
        except BaseException:
            # Until the last connection is closed, all of a load but a first one is in the log.
            connection.execute("pragma disable_checkpoint_on_shutdown")
            connection.close()
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
            if not loads:
                _undo_first_load(path)
            raise


def _undo_first_load(path: Path) -> None:
    """Remove the tables of a first load that failed; the disk may be full."""
    with _connect(path, read_only=False) as connection:
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
    """At most one of the loads that were completed; None where nobody has made a table yet."""
    try:
        return connection.execute(f"select 1 from {DATASET}._dlt_loads limit 1").fetchall()
    except duckdb.CatalogException:
        return None


def _mend_types(connection: duckdb.DuckDBPyConnection) -> None:
    """Give columns of an older release the type that is declared now; dlt leaves them as they are.

    What does not fit becomes null; a run that finds other types reads everything again.
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
    """Declared columns that have another type in the file: (table, column, type in the file)."""
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


def _let_dlt_mend(connection: duckdb.DuckDBPyConnection) -> None:
    """Let dlt look at what is there when declared columns or tables are missing.

    It otherwise trusts its note of the schema, and fails where somebody dropped a column by hand.
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
        _log.info("made again, or made wider: %s", ", ".join(missing))
        connection.execute(f"delete from {DATASET}._dlt_version")


def _create(path: Path) -> None:
    """Make the file aside and put it in its place whole: a run killed meanwhile leaves no half."""
    aside = path.with_name(path.name + ".new")
    escaped = str(aside).replace("'", "''")
    try:
        aside.unlink(missing_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{escaped}' (storage_version '{STORAGE_VERSION}')")
            connection.execute("checkpoint")
        path.with_name(path.name + ".wal").unlink(missing_ok=True)  # of a file that is gone
        aside.replace(path)
    except (duckdb.Error, OSError) as error:
        raise WarehouseError(_explain(path, error)) from None


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that only reads.

    Raises:
        WarehouseError: when the file cannot be opened.
    """
    return _connect(path)


def _connect(path: Path, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    _require_duckdb_file(path)
    return wait_for(lambda: _try_connect(path, read_only), _patience.get(path, 0))


def _try_connect(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        kind = WarehouseInUse if _LOCK_HOLDER.search(str(error)) else WarehouseError
        raise kind(_explain(path, error)) from None


def _require_duckdb_file(path: Path) -> None:
    """Refuse what is no DuckDB file, before DuckDB downloads an extension that might read it."""
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
            "close that program, or wait until it has finished (--wait SECONDS)"
        )
    if is_disk_full(error):
        return f"the disk of {path} is full; make room on it and run this again"
    if path.is_dir():
        return f"{path} is a folder; set WAREHOUSE_PATH to a file"
    if "not a valid DuckDB database" in text:
        return f"{path} is not a DuckDB file; set WAREHOUSE_PATH to another, or move it away"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} is not writable; change its permissions, or set WAREHOUSE_PATH"
    return f"{path} could not be {what}: {text.splitlines()[0]}"


def explain_failure(path: Path, error: BaseException) -> str | None:
    """Say in one line what a failed load ran into, when the warehouse file was the reason."""
    for each in causes(error):
        if isinstance(each, duckdb.Error) or "Could not set lock" in str(each):
            return _explain(path, each, "written")
    return None


def _rows(path: Path, statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with _connect(path) as connection:
        return connection.execute(statement, parameters or []).fetchall()
