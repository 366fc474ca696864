"""The DuckDB warehouse: one file, which the module `file` creates, checks and locks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination

from ingest.run.settings import ROOT
from ingest.warehouses.base import (
    DATASET,
    DESTINATION_NAME,
    UPSERT,
    MissingRelation,
    working_folder,
)
from ingest.warehouses.duckdb import file
from ingest.warehouses.duckdb.file import DUCKDB_TYPES


class DuckDBReadConnection:
    """A read-only connection to DuckDB."""

    types = DUCKDB_TYPES

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Use a connection, with its session in UTC."""
        self._connection = connection
        connection.execute("set TimeZone = 'UTC'")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        try:
            return self._connection.execute(statement, list(parameters)).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise MissingRelation(str(error)) from error

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as an Arrow table."""
        found = self._connection.sql(statement, params=list(parameters))
        return found.to_arrow_table().cast(schema)

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; empty if the table does not exist."""
        # duckdb_columns() would bind all views as well, which takes 0.1 s in a built warehouse.
        try:
            found = self._connection.execute(f"select * from {DATASET}.{table_name} limit 0")
        except duckdb.CatalogException:
            return {}
        return {name: str(kind) for name, kind, *_ in found.description}


@dataclass(frozen=True)
class DuckDBFile:
    """A DuckDB file, created if it does not exist."""

    path: Path
    alternative = "set WAREHOUSE_PATH to another file, or delete this one"
    # Concurrent loads would share the memory limit.
    load_workers = 1
    hints = UPSERT
    rolls_back_loads = merges = creates_tables = True
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def pipelines_folder(self) -> Path:
        """The shared folder for the default file, and a subfolder for any other file."""
        folder = working_folder(self.name)
        return folder.parent if self.path == ROOT / "warehouse.duckdb" else folder

    def destination(self) -> AnyDestination:
        """The dlt destination that writes to it.

        The destination has the name of the default file, so that
        `dlt.pipeline("pivotal_tracker_pipeline").dataset()` finds `warehouse.duckdb` by itself.
        """
        from ingest.warehouses.duckdb.destination import TrackerDuckDB

        return TrackerDuckDB(str(self.path), destination_name=DESTINATION_NAME)

    def locked(
        self, wait_seconds: float = 0, what: str = "python -m ingest"
    ) -> AbstractContextManager[None]:
        """Lock it for one run."""
        return file.locked(self.path, wait_seconds, what)

    def lock_until_exit(self, wait_seconds: float, what: str) -> None:
        """Lock it until this process ends, including any program it becomes by `exec`."""
        handle = file.take_lock(self.path, wait_seconds, what)
        file.wait_until_free(self.path, wait_seconds)
        os.set_inheritable(handle, True)

    def prepared(self) -> AbstractContextManager[bool]:
        """Create the file if it does not exist, and check that it is writable."""
        return file.prepared(self.path)

    def reserved(self) -> AbstractContextManager[None]:
        """Keep other programs from opening the file during a load."""
        return file.reserved(self.path)

    @contextmanager
    def reading(self) -> Iterator[DuckDBReadConnection]:
        """Open a read-only connection."""
        with file.connect(self.path) as connection:
            yield DuckDBReadConnection(connection)

    def exists(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()

    def explain(self, error: BaseException) -> str | None:
        """Explain an error in one line if the file caused it; None otherwise."""
        return file.explain_failure(self.path, error)
