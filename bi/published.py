"""Reading the published copy: what the dashboard, the report and the export have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import duckdb


class PublishedError(Exception):
    """There is no copy to read; the message is one line that says why, and the way out."""


@dataclass
class PublishedCopy:
    """The published file. Each connection reads one whole publication, also while it is replaced.

    Attributes:
        path: the DuckDB file that `make build` published.
    """

    path: Path
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)
    _opened: tuple[tuple[int, ...], duckdb.DuckDBPyConnection] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a read-only connection, in UTC, in which a mart goes by its bare name.

        The file is opened once and then again whenever it was replaced; threads may connect at the
        same time.

        Raises:
            PublishedError: when nothing was published, or the file is no DuckDB file.
        """
        with self._lock:
            cursor = self._current().cursor()
        with cursor as connection:
            # A cursor is a connection of its own and begins with DuckDB's defaults.
            connection.execute("use published")
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def _current(self) -> duckdb.DuckDBPyConnection:
        try:
            status = self.path.stat()
        except OSError:
            raise PublishedError(f"{self.path} does not exist; make build publishes it") from None
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._opened is None or self._opened[0] != version:
            self._opened = version, self._open()
        return self._opened[1]

    def _open(self) -> duckdb.DuckDBPyConnection:
        # In memory, with the file attached: a second connection of one process to a replaced path
        # would otherwise be given the database that the first one still has open.
        connection = duckdb.connect()
        escaped = str(self.path).replace("'", "''")
        try:
            connection.execute(f"attach '{escaped}' as published (read_only)")
            if "publication" not in self.tables(connection):
                raise PublishedError(f"{self.path} is a copy of another release; run make build")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise PublishedError(f"{self.path} cannot be read: {reason}") from None
        return connection

    def tables(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The names of all published tables, in their order."""
        found = connection.execute(
            "select table_name from duckdb_tables() "
            "where database_name = 'published' and schema_name = 'main' "
            "order by table_name"
        )
        return [name for (name,) in found.fetchall()]
