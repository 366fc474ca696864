"""Raw tables that lie as files, copied into a DuckDB warehouse: `python -m ingest files URL`.

The copy takes the place of all raw tables at once, or of none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import duckdb
import pyarrow as pa
import pyarrow.dataset

from ingest.run.summary import RunSummary
from ingest.tables import TABLES, Table
from ingest.warehouses.base import DATASET, WarehouseError
from ingest.warehouses.configured import make_pipeline
from ingest.warehouses.duckdb.file import DUCKDB_TYPES
from ingest.warehouses.duckdb.warehouse import DuckDBFile
from ingest.warehouses.files.reading import LOADS, dataset_of, loads_of
from ingest.warehouses.files.warehouse import FilesWarehouse

_LOADS_COLUMNS = (
    "load_id varchar not null, schema_name varchar, status bigint not null, "
    "inserted_at timestamp with time zone not null, schema_version_hash varchar"
)


def copy(files: FilesWarehouse, target: DuckDBFile, wait_seconds: float = 0) -> RunSummary:
    """Put what files hold into the place of a DuckDB warehouse's raw tables.

    Later runs go on from there, as from what they loaded themselves.

    Args:
        files: the files; nothing is written to them.
        target: the DuckDB file, which is made when there is none.
        wait_seconds: how long to wait for whoever holds either of them.

    Raises:
        WarehouseError: when the files hold no raw tables, or a load that is not complete; when the
            warehouse cannot be used, or holds a load that the files do not have.
    """
    started = time.monotonic()
    with files.reading() as reading:
        if not reading.columns("extracts"):
            raise WarehouseError(
                f"{files.name} holds no raw tables: there is no {DATASET}/extracts in it; make "
                "ingest TARGET=files writes them"
            )
    with (
        target.locked(wait_seconds),
        _without_other_runs(files, wait_seconds),
        target.prepared(),
        _explained(files),
        target.reserved(),
        duckdb.connect(str(target.path)) as connection,
    ):
        connection.begin()
        _refuse_to_lose_loads(connection, files, target)
        rows = _copy_tables(connection, files)
        _require_complete(connection, files)
        make_pipeline(target).drop()  # what it had left to do was for the rows that go now
        connection.commit()
    return RunSummary(files.name, target.name, rows, 0, time.monotonic() - started)


def _without_other_runs(files: FilesWarehouse, wait_seconds: float) -> AbstractContextManager[None]:
    """Keep other runs away, where there can be one: not from what nobody here can write."""
    location = files.location
    is_fixed = location.is_local and not os.access(location.root, os.W_OK)
    return nullcontext() if is_fixed else files.locked(wait_seconds)


@contextmanager
def _explained(files: FilesWarehouse) -> Iterator[None]:
    """Tell in one line what reading files or writing the copy failed on."""
    try:
        yield
    except Exception as error:
        meaning = files.explained(error)
        if isinstance(error, WarehouseError) or meaning is None:
            raise
        raise WarehouseError(meaning) from error


def _copy_tables(connection: duckdb.DuckDBPyConnection, files: FilesWarehouse) -> dict[str, int]:
    """Make every raw table anew. Gives the rows of each."""
    connection.execute(f"create schema if not exists {DATASET}")
    # All versions are settled first, so that they are of about one moment.
    found = {name: dataset_of(files.location, name) for name in TABLES}
    for name, rows in found.items():
        _make(connection, name, _definition(TABLES[name]), rows)
    _make(connection, LOADS, _LOADS_COLUMNS, loads_of(files.location))
    mark = _mark(files).replace("'", "''")
    connection.execute(f"comment on table {DATASET}.extracts is '{mark}'")
    return {
        name: connection.table(f"{DATASET}.{name}").shape[0]
        for name in TABLES
        if found[name] is not None
    }


def _make(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    definition: str,
    rows: pyarrow.dataset.Dataset | pa.Table | None,
) -> None:
    """Make a table, and fill it by the names of its columns; an older release may lack some."""
    connection.execute(f"create or replace table {DATASET}.{name} ({definition})")
    if rows is not None:
        connection.register("rows", rows)
        connection.execute(f"insert into {DATASET}.{name} by name from rows")
        connection.unregister("rows")


def _definition(table: Table) -> str:
    columns = [
        f'"{name}" {DUCKDB_TYPES[kind]}{" not null" if name in table.key else ""}'
        for name, kind in table.all_columns.items()
    ]
    return ", ".join([*columns, "_dlt_load_id varchar not null"])


def _refuse_to_lose_loads(
    connection: duckdb.DuckDBPyConnection, files: FilesWarehouse, target: DuckDBFile
) -> None:
    """Refuse a warehouse that was loaded from elsewhere, or that went on from its copy."""
    found = connection.execute(
        "select comment from duckdb_tables() where schema_name = ? and table_name = 'extracts'",
        [DATASET],
    ).fetchall()
    if not found:
        return
    statement = "select extract_id, source_name from {}"
    held = dict(connection.execute(statement.format(f"{DATASET}.extracts")).fetchall())
    connection.register("rows", dataset_of(files.location, "extracts"))
    lost = held.keys() - dict(connection.execute(statement.format("rows")).fetchall()).keys()
    connection.unregister("rows")
    # Parquet files that were loaded again know nothing of the load before, which was then copied.
    is_old_copy = found == [(_mark(files),)] and len(held) == 1
    if lost and not is_old_copy:
        raise WarehouseError(
            f"{target.name} holds a load of {held[lost.pop()]} that {files.name} does not have, so "
            f"a copy would lose it; {target.another}"
        )


def _mark(files: FilesWarehouse) -> str:
    """What the copy of `extracts` is commented with."""
    return f"Copied from {files.name}"


def _require_complete(connection: duckdb.DuckDBPyConnection, files: FilesWarehouse) -> None:
    """Refuse rows of a load that has not come to its end."""
    for name in TABLES:
        half = connection.execute(
            f"select 1 from {DATASET}.{name} where _dlt_load_id not in "
            f"(select load_id from {DATASET}.{LOADS}) limit 1"
        ).fetchall()
        if half:
            raise WarehouseError(
                f"{files.name} holds half of a load ({name}): run make ingest TARGET=files, which "
                "finishes it, and copy then"
            )
