"""DuckDB: one file (`file` makes, checks and locks it)."""

from __future__ import annotations

import hashlib
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
from ingest.warehouses.base import DATASET, UPSERT, NothingThere
from ingest.warehouses.duckdb import file
from ingest.warehouses.duckdb.file import DUCKDB_TYPES


class DuckDBReading:
    """A connection to DuckDB that only reads."""

    types = DUCKDB_TYPES

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read through a connection."""
        self._connection = connection
        connection.execute("set TimeZone = 'UTC'")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        try:
            return self._connection.execute(statement, list(parameters)).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise NothingThere(str(error)) from error

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as Arrow."""
        found = self._connection.sql(statement, params=list(parameters))
        return found.to_arrow_table().cast(schema)

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; none when there is no such table."""
        # Not from the catalogue, which looks at all views too: 0.1 s in a built warehouse.
        try:
            found = self._connection.execute(f"select * from {DATASET}.{table_name} limit 0")
        except duckdb.CatalogException:
            return {}
        return {name: str(kind) for name, kind, *_ in found.description}


@dataclass(frozen=True)
class DuckDBFile:
    """A DuckDB file, which is made when there is none."""

    path: Path
    another = "set WAREHOUSE_PATH to another file, or delete this one"
    # Several at once would share the memory limit.
    load_workers = 1
    hints = UPSERT
    undoes_loads = merges = makes_tables = True
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def pipelines_folder(self) -> Path:
        """The repository's own folder for the default file, another one for each other file."""
        folder = ROOT / ".dlt" / "pipelines"
        if self.path == ROOT / "warehouse.duckdb":
            return folder
        return folder / hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    def destination(self) -> AnyDestination:
        """How dlt writes to it.

        The destination's name is also the name of the default file, so that
        `dlt.pipeline("pivotal_tracker_pipeline").dataset()` finds `warehouse.duckdb` by itself.
        """
        from ingest.warehouses.duckdb.destination import TrackerDuckDB

        return TrackerDuckDB(str(self.path), destination_name="warehouse")

    def locked(
        self, wait_seconds: float = 0, what: str = "python -m ingest"
    ) -> AbstractContextManager[None]:
        """Hold it for one run."""
        return file.locked(self.path, wait_seconds, what)

    def lock_for_successor(self, wait_seconds: float, what: str) -> None:
        """Hold it until this process ends, also when another program takes its place."""
        handle = file.take_lock(self.path, wait_seconds, what)
        file.wait_until_free(self.path, wait_seconds)
        os.set_inheritable(handle, True)

    def prepared(self) -> AbstractContextManager[bool]:
        """Make the file when there is none, and check that it can be written."""
        return file.prepared(self.path)

    def reserved(self) -> AbstractContextManager[None]:
        """Keep other programs out of the file while dlt opens and closes it."""
        return file.reserved(self.path)

    @contextmanager
    def reading(self) -> Iterator[DuckDBReading]:
        """A connection that only reads."""
        with file.connect(self.path) as connection:
            yield DuckDBReading(connection)

    def is_there(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()

    def explained(self, error: BaseException) -> str | None:
        """Say in one line what a failed load ran into, when the file was the reason."""
        return file.explain_failure(self.path, error)
