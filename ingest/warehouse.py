"""The warehouse file: made, checked, locked, and asked what it already holds."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingest.tables import Table

DATASET = "pivotal_tracker_data"
# DuckDB 1.4 and later open such a file; DuckDB 2 would by default write one that only itself reads.
STORAGE_VERSION = "v1.4.0"
_LOCK_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


class WarehouseError(Exception):
    """The warehouse cannot be used; the message is one line that says why, and the way out."""


@contextmanager
def locked(path: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the warehouse for one run: two dlt runs at once corrupt data.

    The lock is the operating system's, so it ends with the process, however that ends.

    Raises:
        WarehouseError: when another run holds it for longer than `wait_seconds`.
    """
    lock_path = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WarehouseError(
            f"the folder of {path} is not writable ({error.strerror}); "
            "set WAREHOUSE_PATH to a path that is"
        ) from None
    try:
        _take(handle, lock_path, path, wait_seconds)
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _take(handle: int, lock_path: Path, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = lock_path.read_text().strip() or "unknown"
                raise WarehouseError(
                    f"another run is loading {path} (PID {holder}); "
                    "wait for it, or give --wait SECONDS"
                ) from None
            time.sleep(0.1)
        else:
            return


@contextmanager
def prepared(path: Path) -> Iterator[None]:
    """Make the file when there is none, check that it can be written, and undo a failed first run.

    Raises:
        WarehouseError: when the path is not writable, is no DuckDB file, or is in use.
    """
    is_new = not path.exists()
    if is_new:
        _create(path)
    else:
        _connect(path, read_only=False).close()
    try:
        yield
    except BaseException:
        if is_new and not has_dataset(path):
            path.unlink(missing_ok=True)
        raise


def _create(path: Path) -> None:
    escaped = str(path).replace("'", "''")
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach '{escaped}' (storage_version '{STORAGE_VERSION}')")
    except duckdb.Error as error:
        raise WarehouseError(_explain(path, error)) from None


def _connect(path: Path, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        raise WarehouseError(_explain(path, error)) from None


def _explain(path: Path, error: Exception) -> str:
    text = str(error)
    holder = _LOCK_HOLDER.search(text)
    if holder:
        return (
            f"{path} is in use by {holder['program']} (PID {holder['pid']}); "
            "close that program, or wait until it has finished"
        )
    if path.is_dir():
        return f"{path} is a folder; set WAREHOUSE_PATH to a file"
    if "not a valid DuckDB database" in text:
        return f"{path} is not a DuckDB file; set WAREHOUSE_PATH to another, or move it away"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} is not writable; change its permissions, or set WAREHOUSE_PATH"
    return f"{path} cannot be opened: {text.splitlines()[0]}"


def explain_failure(path: Path, error: BaseException) -> str | None:
    """Say in one line what a failed load ran into, when the warehouse file was the reason."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, duckdb.Error) or "Could not set lock" in str(chain):
            return _explain(path, chain)
        chain = chain.__cause__ or chain.__context__
    return None


def has_dataset(path: Path) -> bool:
    """Whether anything was ever loaded into the file."""
    return bool(
        _rows(
            path,
            "select 1 from information_schema.tables where table_schema = ? limit 1",
            [DATASET],
        )
    )


def loaded_sources(path: Path) -> list[tuple[str, str]]:
    """Each (source kind, source name) that was loaded, the latest first."""
    if not _has_table(path, "extracts"):
        return []
    return _rows(
        path,
        f"select source_kind, source_name from {DATASET}.extracts "
        "group by source_kind, source_name order by max(started_at) desc",
    )


def stored_keys(path: Path, table: Table, project_id: int) -> set[tuple[Any, ...]]:
    """The keys of a table's rows that belong to one project."""
    if not _has_table(path, table.name):
        return set()
    columns = ", ".join(f'"{name}"' for name in table.key)
    statement = f"select {columns} from {DATASET}.{table.name} where {table.scope} = ?"
    return set(_rows(path, statement, [project_id]))


def stored_rows(path: Path, table: Table, ids: list[int]) -> pa.Table:
    """Whole rows of a table whose key is `id`, as they were loaded."""
    columns = ", ".join(f'"{name}"' for name in table.all_columns)
    with _connect(path) as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(
            f"select {columns} from {DATASET}.{table.name} where id in (select unnest(?))", [ids]
        )
        return rows.to_arrow_table().cast(table.arrow_schema)


def _has_table(path: Path, name: str) -> bool:
    return path.exists() and bool(
        _rows(
            path,
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
            [DATASET, name],
        )
    )


def _rows(path: Path, statement: str, parameters: list[Any] | None = None) -> list[tuple]:
    with _connect(path) as connection:
        return connection.execute(statement, parameters or []).fetchall()
