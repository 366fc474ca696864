"""The interface of a warehouse, the same for every engine.

Each engine is a folder with one class that implements `Warehouse`. Nothing else in ingestion
depends on the engine.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination

from ingest.run.settings import ROOT
from ingest.tables.table import ColumnType

DATASET = "pivotal_tracker_data"
DESTINATION_NAME = "warehouse"  # what dlt calls a destination of ours
# How dlt writes a raw table: replace rows with the same key, or replace the whole table.
UPSERT: dict[str, Any] = {"write_disposition": {"disposition": "merge", "strategy": "upsert"}}
REPLACE: dict[str, Any] = {"write_disposition": "replace"}
# The disk is full, the quota is used up, or the file would become too large.
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DISK_FULL_MESSAGE = re.compile("|".join(os.strerror(each) for each in sorted(_DISK_FULL)))


class WarehouseError(Exception):
    """The warehouse cannot be used. The message is one line: why, and how to fix it."""


class WarehouseInUse(WarehouseError):
    """Another program is using the warehouse; trying again later may succeed."""


class MissingRelation(Exception):
    """A statement refers to a table or column that does not exist in the warehouse."""


class ReadConnection(Protocol):
    """A read-only connection. Statements use SQL that every engine runs, with `?` parameters."""

    @property
    def types(self) -> dict[ColumnType, str]:
        """The engine's own name of each declared type, as `columns` returns it."""
        ...

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement. Timestamps are timezone-aware, in UTC.

        A list can be the parameter of `= any(?)`.

        Raises:
            MissingRelation: if a table or column does not exist.
        """
        ...

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """All rows of a statement as an Arrow table with the given schema."""
        ...

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; empty if the table does not exist."""
        ...


class Warehouse(Protocol):
    """The database or folder that stores the raw tables."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    @property
    def pipelines_folder(self) -> Path:
        """Dlt's working folder for this warehouse."""
        ...

    @property
    def alternative(self) -> str:
        """How to use a different warehouse, as the end of an error message."""
        ...

    @property
    def load_workers(self) -> int:
        """How many files dlt loads at once."""
        ...

    @property
    def hints(self) -> dict[str, Any]:
        """How dlt writes each raw table."""
        ...

    @property
    def rolls_back_loads(self) -> bool:
        """Whether a failed load leaves nothing behind."""
        ...

    @property
    def merges(self) -> bool:
        """Whether a run merges into the stored rows; otherwise it replaces all of them."""
        ...

    @property
    def creates_tables(self) -> bool:
        """Whether all declared tables are created up front, rather than by their first file."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Secrets to redact from messages."""
        ...

    def destination(self) -> AnyDestination:
        """The dlt destination that writes to it."""
        ...

    def locked(
        self, wait_seconds: float = 0, what: str = "python -m ingest"
    ) -> AbstractContextManager[None]:
        """Lock it for one run, as two concurrent dlt runs would corrupt data.

        The lock is released when the process ends, even if it is killed.

        Args:
            wait_seconds: how long to wait for another run to release the lock.
            what: the name of this run in the messages of others.

        Raises:
            WarehouseError: if another run holds the lock for longer than that.
        """
        ...

    def lock_until_exit(self, wait_seconds: float, what: str) -> None:
        """Lock it until this process ends, including any program it becomes by `exec`.

        Raises:
            WarehouseError: as for `locked`.
        """
        ...

    def prepared(self) -> AbstractContextManager[bool]:
        """Check that it is writable, before anything is read. Yields whether it is empty.

        Raises:
            WarehouseError: if it is not writable.
        """
        ...

    def reserved(self) -> AbstractContextManager[None]:
        """Keep other programs from writing during a load, and let dlt see missing columns.

        Raises:
            WarehouseError: if another program is writing.
        """
        ...

    def reading(self) -> AbstractContextManager[ReadConnection]:
        """Open a read-only connection.

        Raises:
            WarehouseError: if the warehouse cannot be opened.
        """
        ...

    def exists(self) -> bool:
        """Whether anything was ever loaded."""
        ...

    def explain(self, error: BaseException) -> str | None:
        """Explain an error in one line if the warehouse caused it; None otherwise."""
        ...


def working_folder(name: str) -> Path:
    """Dlt's working folder for a warehouse with this name."""
    return ROOT / ".dlt" / "pipelines" / hashlib.sha256(name.encode()).hexdigest()[:12]


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one of its causes, says that the disk is full."""
    return any(
        (isinstance(each, OSError) and each.errno in _DISK_FULL)
        or _DISK_FULL_MESSAGE.search(str(each))
        for each in causes(error)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, its cause, the cause of that, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its class if it has no message."""
    return (str(error).strip() or error.__class__.__name__).splitlines()[0].rstrip(":; .")[:300]
