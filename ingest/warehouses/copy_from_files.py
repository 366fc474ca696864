"""Copy raw tables from Delta or Parquet files into DuckDB: `python -m ingest files URL`.

The copy replaces all raw tables in one transaction.
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
from ingest.warehouses.files.reading import LOADS, completed_loads, table_dataset
from ingest.warehouses.files.warehouse import FilesWarehouse

_LOADS_COLUMNS = (
    "load_id varchar not null, schema_name varchar, status bigint not null, "
    "inserted_at timestamp with time zone not null, schema_version_hash varchar"
)


def copy(files: FilesWarehouse, target: DuckDBFile, wait_seconds: float = 0) -> RunSummary:
    """Replace the raw tables of a DuckDB warehouse with those in the files.

    Later runs can continue from the copy as from a load of their own.

    Args:
        files: the files; they are not changed.
        target: the DuckDB file, created if it does not exist.
        wait_seconds: how long to wait for another run to release either of them.

    Raises:
        WarehouseError: if the files contain no raw tables or an incomplete load, or if the
            warehouse cannot be used or contains an extract that the files do not have.
    """
    started = time.monotonic()
    with files.reading() as reading:
        if not reading.columns("extracts"):
            raise WarehouseError(
                f"{files.name} contains no raw tables: there is no {DATASET}/extracts in it; write "
                "them with make ingest TARGET=files"
            )
    with (
        target.locked(wait_seconds),
        _without_other_runs(files, wait_seconds),
        target.prepared(),
        _errors_explained(files),
        target.reserved(),
        duckdb.connect(str(target.path)) as connection,
    ):
        connection.begin()
        _refuse_to_lose_extracts(connection, files, target)
        rows = _copy_tables(connection, files)
        _require_complete(connection, files)
        make_pipeline(target).drop()  # its pending packages belong to the rows just replaced
        connection.commit()
    return RunSummary(files.name, target.name, rows, 0, time.monotonic() - started)


def _without_other_runs(files: FilesWarehouse, wait_seconds: float) -> AbstractContextManager[None]:
    """Lock the files against other runs, unless they are read-only."""
    location = files.location
    is_fixed = location.is_local and not os.access(location.root, os.W_OK)
    return nullcontext() if is_fixed else files.locked(wait_seconds)


@contextmanager
def _errors_explained(files: FilesWarehouse) -> Iterator[None]:
    """Turn an error of reading the files or writing the copy into a one-line WarehouseError."""
    try:
        yield
    except Exception as error:
        meaning = files.explain(error)
        if isinstance(error, WarehouseError) or meaning is None:
            raise
        raise WarehouseError(meaning) from error


def _copy_tables(connection: duckdb.DuckDBPyConnection, files: FilesWarehouse) -> dict[str, int]:
    """Create every raw table again and fill it. Returns the number of rows of each."""
    connection.execute(f"create schema if not exists {DATASET}")
    # Open all tables before copying any, so that their versions are from about the same moment.
    found = {name: table_dataset(files.location, name) for name in TABLES}
    for name, rows in found.items():
        _create_table(connection, name, _definition(TABLES[name]), rows)
    _create_table(connection, LOADS, _LOADS_COLUMNS, completed_loads(files.location))
    comment = _table_comment(files).replace("'", "''")
    connection.execute(f"comment on table {DATASET}.extracts is '{comment}'")
    return {
        name: connection.table(f"{DATASET}.{name}").shape[0]
        for name in TABLES
        if found[name] is not None
    }


def _create_table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    definition: str,
    rows: pyarrow.dataset.Dataset | pa.Table | None,
) -> None:
    """Create a table and fill it by column name: files of an older release may lack columns."""
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


def _refuse_to_lose_extracts(
    connection: duckdb.DuckDBPyConnection, files: FilesWarehouse, target: DuckDBFile
) -> None:
    """Refuse a warehouse that contains extracts from elsewhere, or newer than the files."""
    found = connection.execute(
        "select comment from duckdb_tables() where schema_name = ? and table_name = 'extracts'",
        [DATASET],
    ).fetchall()
    if not found:
        return
    statement = "select extract_id, source_name from {}"
    stored = dict(connection.execute(statement.format(f"{DATASET}.extracts")).fetchall())
    connection.register("rows", table_dataset(files.location, "extracts"))
    lost = stored.keys() - dict(connection.execute(statement.format("rows")).fetchall()).keys()
    connection.unregister("rows")
    # A new load of Parquet files replaces the previous one, which may be the one copied here.
    is_old_copy = found == [(_table_comment(files),)] and len(stored) == 1
    if lost and not is_old_copy:
        raise WarehouseError(
            f"{target.name} contains a load of {stored[lost.pop()]} that {files.name} does not, so "
            f"copying would lose it; {target.alternative}"
        )


def _table_comment(files: FilesWarehouse) -> str:
    """The comment on the copied table `extracts`, which identifies it as a copy."""
    return f"Copied from {files.name}"


def _require_complete(connection: duckdb.DuckDBPyConnection, files: FilesWarehouse) -> None:
    """Refuse rows of a load that did not complete."""
    for name in TABLES:
        half = connection.execute(
            f"select 1 from {DATASET}.{name} where _dlt_load_id not in "
            f"(select load_id from {DATASET}.{LOADS}) limit 1"
        ).fetchall()
        if half:
            raise WarehouseError(
                f"{files.name} contains an incomplete load ({name}): run make ingest TARGET=files "
                "to complete it, then copy again"
            )
