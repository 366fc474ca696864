"""Reading the published copy: what the dashboard, the report and the export have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb


class PublishedError(Exception):
    """There is no copy to read; the message is one line that says why, and the way out."""


@dataclass(frozen=True)
class PublishedCopy:
    """The published file. Each connection reads one whole publication, also while it is replaced.

    Attributes:
        path: the DuckDB file that `make build` published.
    """

    path: Path

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a read-only connection, in UTC, in which a mart goes by its bare name.

        Raises:
            PublishedError: when nothing was published, or the file is no DuckDB file.
        """
        if not self.path.exists():
            raise PublishedError(f"{self.path} does not exist; make build publishes it")
        # In memory, with the file attached: a second connection of one process to a replaced path
        # would otherwise be given the database that the first one still has open.
        with duckdb.connect() as connection:
            escaped = str(self.path).replace("'", "''")
            try:
                connection.execute(f"attach '{escaped}' as published (read_only)")
                connection.execute("use published")
            except duckdb.Error as error:
                reason = str(error).splitlines()[0]
                raise PublishedError(f"{self.path} cannot be read: {reason}") from None
            connection.execute("set TimeZone = 'UTC'")
            if "publication" not in self.tables(connection):
                raise PublishedError(f"{self.path} is no copy of this release; run make build")
            yield connection

    def tables(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The names of all published tables, in their order."""
        found = connection.execute(
            "select table_name from duckdb_tables() "
            "where database_name = 'published' and schema_name = 'main' "
            "order by table_name"
        )
        return [name for (name,) in found.fetchall()]
