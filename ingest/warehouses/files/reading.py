"""Read raw tables from Delta tables or Parquet files through an in-memory DuckDB."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset

from ingest.warehouses.base import DATASET
from ingest.warehouses.duckdb.warehouse import DuckDBReadConnection
from ingest.warehouses.files.location import Location

if TYPE_CHECKING:
    from deltalake import DeltaTable

_TABLE_REFERENCE = re.compile(rf"\b{DATASET}\.(\w+)")
LOADS = "_dlt_loads"


class FilesReadConnection(DuckDBReadConnection):
    """Attaches the tables that a statement refers to; a table's version is fixed on first use."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, location: Location) -> None:
        """Use an in-memory connection to read the tables of a location."""
        super().__init__(connection)
        # pyarrow cannot compare its strings with the string views in DuckDB's pushed-down filters.
        connection.execute("set disabled_optimizers = 'filter_pushdown,join_filter_pushdown'")
        connection.execute(f"create schema {DATASET}")
        self._location = location
        self._attached: set[str] = set()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        self._attach(*_TABLE_REFERENCE.findall(statement))
        return super().rows(statement, parameters)

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as an Arrow table."""
        self._attach(*_TABLE_REFERENCE.findall(statement))
        return super().table(statement, parameters, schema)

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; empty if the table does not exist."""
        self._attach(table_name)
        return super().columns(table_name)

    def _attach(self, *table_names: str) -> None:
        for name in set(table_names) - self._attached:
            self._attached.add(name)
            rows = (
                completed_loads(self._location)
                if name == LOADS
                else table_dataset(self._location, name)
            )
            if rows is not None:
                self._connection.register(f"files_{name}", rows)
                self._connection.execute(f"create view {DATASET}.{name} as from files_{name}")


def delta_table(location: Location, table_name: str) -> DeltaTable | None:
    """A raw table's Delta table; None if it does not exist."""
    from deltalake import DeltaTable

    url, options = location.url_of(table_name), location.storage_options
    if not DeltaTable.is_deltatable(url, options):
        return None
    return DeltaTable(url, storage_options=options)


def table_dataset(location: Location, table_name: str) -> pyarrow.dataset.Dataset | None:
    """A raw table as a lazily read dataset; None if the table does not exist."""
    delta = delta_table(location, table_name)
    if delta is not None:
        return delta.to_pyarrow_dataset()
    files = [each for each in list_files(location, table_name) if each.endswith(".parquet")]
    if not files:
        return None
    return pyarrow.dataset.dataset(files, filesystem=location.filesystem, format="parquet")


def completed_loads(location: Location) -> pa.Table | None:
    """The completed loads, as in dlt's table: at the end of a load dlt writes one file for it."""
    files = list_files(location, LOADS)
    if not files:
        return None
    loads = [orjson.loads(text) for text in location.filesystem.cat(files).values()]
    for load in loads:
        load["inserted_at"] = datetime.fromisoformat(load["inserted_at"])
    return pa.Table.from_pylist(loads)


def list_files(location: Location, table_name: str) -> list[str]:
    """The files directly in a table's folder."""
    try:
        found = location.filesystem.ls(location.path_of(table_name), detail=True)
    except FileNotFoundError:
        return []
    return [each["name"] for each in found if each["type"] == "file"]
