"""Read the published copy, for the dashboard, the report and the export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb


class PublishedError(Exception):
    """There is no readable copy. The message is one line: why, and how to fix it."""


def rows_of(
    connection: duckdb.DuckDBPyConnection, sql: str, *values: object, **named: object
) -> list[dict[str, Any]]:
    """The rows of a query with these parameters, positional or named, as dictionaries.

    Raises:
        PublishedError: if the copy was published by a build without these marts.
    """
    try:
        cursor = connection.execute(sql, named or list(values))
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        reason = str(error).splitlines()[0]
        raise PublishedError(
            f"the published copy is from another release ({reason}); run make build"
        ) from None
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@dataclass
class PublishedCopy:
    """The published file. A connection keeps reading one publication while the file is replaced.

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
        """Yield a read-only connection in UTC, in which marts need no schema name.

        The file is opened once, and again after it was replaced. Several threads can connect at the
        same time.

        Raises:
            PublishedError: if nothing was published, or the file is not a DuckDB file.
        """
        with self._lock:
            cursor = self._current().cursor()
        with cursor as connection:
            # A cursor is a new connection, with DuckDB's default settings.
            connection.execute("use published")
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def _current(self) -> duckdb.DuckDBPyConnection:
        try:
            status = self.path.stat()
        except OSError:
            raise PublishedError(f"{self.path} does not exist; run make build") from None
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._opened is None or self._opened[0] != version:
            self._opened = version, self._open()
        return self._opened[1]

    def _open(self) -> duckdb.DuckDBPyConnection:
        # Attach the file to an in-memory database: after the file is replaced, connecting to its
        # path again would return the old database that this process still has open.
        connection = duckdb.connect()
        escaped = str(self.path).replace("'", "''")
        try:
            connection.execute(f"attach '{escaped}' as published (read_only)")
            if "publication" not in self.tables(connection):
                raise PublishedError(f"{self.path} is from another release; run make build")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise PublishedError(f"{self.path} cannot be read: {reason}") from None
        return connection

    def tables(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The names of all published tables, in alphabetical order."""
        found = connection.execute(
            "select table_name from duckdb_tables() "
            "where database_name = 'published' and schema_name = 'main' "
            "order by table_name"
        )
        return [name for (name,) in found.fetchall()]
