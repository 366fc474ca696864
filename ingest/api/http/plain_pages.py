"""Turns pages of the API into rows, column by column, in the thread that fetched them."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
from fsspec import AbstractFileSystem

from ingest.plain_records import (
    Cells,
    NotPlainError,
    are_plain,
    cells_of,
    cells_query,
    field_names,
    names_query,
    rows_of,
    with_origin,
)
from ingest.records import cell_bytes
from ingest.tables import Table

RECORD_SOURCE = "api"
_BLOCK = 64 * 1024


class PlainPages:
    """Makes rows of the pages whose records are all plain; can be used from any thread."""

    def __init__(self, nested_levels: int) -> None:
        """Open an empty database; each query runs in the thread that asks, one at a time.

        With two processors and a host on the same machine, queries side by side finish no sooner
        and take more processor time, because they compete for Python's lock.

        Args:
            nested_levels: the maximum number of nested levels, counting the record itself.
        """
        self._nested_levels = nested_levels
        self._files = _MemoryFiles()
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.register_filesystem(self._files)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Free the memory, unless a page is being converted.

        It never waits for the lock, because the garbage collector may call it in a thread that
        holds it.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._connection.close()
            finally:
                self._lock.release()

    def rows(
        self, table: Table, project_id: int | None, text: bytes | bytearray
    ) -> pa.Table | None:
        """The rows of a page; None if it has to be read record by record.

        Args:
            table: the raw table.
            project_id: the project whose list the page belongs to.
            text: the page, a list of records in JSON.
        """
        if not text.startswith(b"[{"):
            return None
        names = field_names(table)
        try:
            with self._lock, self._files.added(text) as path:
                size = f", maximum_object_size = {len(text) + 1}"
                source = f"'{path}'"
                query = cells_query(source, "array", names, size)
                batch = self._connection.sql(query).to_arrow_table()
                cells, count = cells_of(batch), len(batch)
                if not _is_all(text, cells, count):
                    found = self._connection.execute(names_query(source, "array", size)).fetchall()
                    if not _are_known({name for (name,) in found}, names, cells):
                        return None
            if not are_plain(table, cells, count, self._nested_levels).all():
                return None
            return with_origin(rows_of(table, cells, count, project_id), RECORD_SOURCE)
        except (duckdb.Error, pa.ArrowException, orjson.JSONDecodeError, NotPlainError):
            return None


def _are_known(found: set[str], names: list[str], cells: Cells) -> bool:
    """Whether a page has no fields but these.

    A missing project id is that of the list, but a null one is not; the cells are null for both.
    """
    is_project_stated = "project_id" in cells and not cells["project_id"].null_count
    return found <= set(names) and ("project_id" not in found or is_project_stated)


def _is_all(text: bytes | bytearray, cells: Cells, count: int) -> bool:
    """Whether a page consists of these cells and has no other fields.

    It does if they account for every byte. DuckDB may write a value shorter than it was, but
    longer only if it is a number with an exponent.
    """
    length = 1 + 2 * count
    for name, cell in cells.items():
        field_count = len(cell) - cell.null_count
        length += (len(name) + 4) * field_count + len(cell_bytes(cell)[1])
    return length == len(text) and not _may_have_exponents(text)


def _may_have_exponents(text: bytes | bytearray) -> bool:
    """Whether an e or E follows a digit anywhere."""
    letters = np.frombuffer(text, np.uint8)
    for start in range(0, len(letters), _BLOCK):  # small arrays stay in the processor's cache
        block = letters[start : start + _BLOCK + 1]
        is_digit = (block[:-1] - ord("0")) < 10
        if (is_digit & ((block[1:] | 0x20) == ord("e"))).any():
            return True
    return False


class _MemoryFiles(AbstractFileSystem):  # type: ignore[misc]  # it comes without types
    """Files in memory, which DuckDB can read."""

    protocol = "page"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[str, bytes | bytearray] = {}
        self._numbers = itertools.count()

    @contextmanager
    def added(self, text: bytes | bytearray) -> Iterator[str]:
        """Add a file with this text, yield its path, and remove it afterwards."""
        name = str(next(self._numbers))
        self._texts[name] = text
        try:
            yield f"page://{name}"
        finally:
            del self._texts[name]

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.BytesIO:  # noqa: ANN401 - theirs
        return io.BytesIO(self._texts[self._strip_protocol(path)])

    def info(self, path: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401 - theirs
        """The name and size of a file."""
        name = self._strip_protocol(path)
        return {"name": name, "size": len(self._texts[name]), "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:  # noqa: ANN401 - theirs
        """The one file at this path."""
        return [path]

    def exists(self, path: str, **_: Any) -> bool:  # noqa: ANN401 - theirs
        """Whether the file exists."""
        return self._strip_protocol(path) in self._texts
