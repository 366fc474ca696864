"""Raw tables that lie as Delta tables or Parquet files, read by an in-memory DuckDB."""

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
from ingest.warehouses.duckdb.warehouse import DuckDBReading
from ingest.warehouses.files.location import Location

if TYPE_CHECKING:
    from deltalake import DeltaTable

_MENTIONED = re.compile(rf"\b{DATASET}\.(\w+)")
LOADS = "_dlt_loads"


class FilesReading(DuckDBReading):
    """Reads what a statement mentions: each table from the version that it was first seen in."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, location: Location) -> None:
        """Read the tables of a location through a connection to nothing."""
        super().__init__(connection)
        # pyarrow cannot compare its texts with the views of texts that DuckDB would hand it.
        connection.execute("set disabled_optimizers = 'filter_pushdown,join_filter_pushdown'")
        connection.execute(f"create schema {DATASET}")
        self._location = location
        self._seen: set[str] = set()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        self._attach(*_MENTIONED.findall(statement))
        return super().rows(statement, parameters)

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as Arrow."""
        self._attach(*_MENTIONED.findall(statement))
        return super().table(statement, parameters, schema)

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; none when there is no such table."""
        self._attach(table_name)
        return super().columns(table_name)

    def _attach(self, *table_names: str) -> None:
        for name in set(table_names) - self._seen:
            self._seen.add(name)
            rows = loads_of(self._location) if name == LOADS else dataset_of(self._location, name)
            if rows is not None:
                self._connection.register(f"files_{name}", rows)
                self._connection.execute(f"create view {DATASET}.{name} as from files_{name}")


def delta_table(location: Location, table_name: str) -> DeltaTable | None:
    """A raw table as deltalake has it; None when there is no such Delta table."""
    from deltalake import DeltaTable

    url, options = location.url_of(table_name), location.storage_options
    if not DeltaTable.is_deltatable(url, options):
        return None
    return DeltaTable(url, storage_options=options)


def dataset_of(location: Location, table_name: str) -> pyarrow.dataset.Dataset | None:
    """A raw table's rows, to be read when they are asked for; None when there is no such table."""
    delta = delta_table(location, table_name)
    if delta is not None:
        return delta.to_pyarrow_dataset()
    files = [each for each in listed(location, table_name) if each.endswith(".parquet")]
    if not files:
        return None
    return pyarrow.dataset.dataset(files, filesystem=location.filesystem, format="parquet")


def loads_of(location: Location) -> pa.Table | None:
    """The loads that are complete, as dlt's table of them: it writes one file for each, last."""
    files = listed(location, LOADS)
    if not files:
        return None
    loads = [orjson.loads(text) for text in location.filesystem.cat(files).values()]
    for load in loads:
        load["inserted_at"] = datetime.fromisoformat(load["inserted_at"])
    return pa.Table.from_pylist(loads)


def listed(location: Location, table_name: str) -> list[str]:
    """The files right in a table's folder."""
    try:
        found = location.filesystem.ls(location.path_of(table_name), detail=True)
    except FileNotFoundError:
        return []
    return [each["name"] for each in found if each["type"] == "file"]
