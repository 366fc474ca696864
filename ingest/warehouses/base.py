"""What ingestion needs of a warehouse, whatever engine keeps the raw tables.

Each engine is one folder with one class, which has what `Warehouse` lists. Nothing else in
ingestion knows which engine it writes to.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination

from ingest.tables.table import ColumnType

DATASET = "pivotal_tracker_data"
# How dlt writes a raw table: rows take the place of those with their key, or all rows of all.
UPSERT: dict[str, Any] = {"write_disposition": {"disposition": "merge", "strategy": "upsert"}}
REPLACE: dict[str, Any] = {"write_disposition": "replace"}
# Full, over the quota, or larger than a file may become.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SAYS_NO_ROOM = re.compile("|".join(os.strerror(each) for each in sorted(_NO_ROOM)))


class WarehouseError(Exception):
    """The warehouse cannot be used; the message is one line that says why, and the way out."""


class WarehouseInUse(WarehouseError):
    """Another program has the warehouse; it may be free in a while."""


class NothingThere(Exception):
    """A statement names a table or a column that the warehouse does not have."""


class Reading(Protocol):
    """A connection that only reads. Statements are what all engines run, parameters are `?`."""

    @property
    def types(self) -> dict[ColumnType, str]:
        """What `columns` says of a column of each declared type."""
        ...

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows; instants are aware, in UTC. A list is a parameter of `= any(?)`.

        Raises:
            NothingThere: when a table or a column does not exist.
        """
        ...

    def table(self, statement: str, parameters: Sequence[Any], schema: pa.Schema) -> pa.Table:
        """The same as Arrow, in a schema of the raw tables."""
        ...

    def columns(self, table_name: str) -> dict[str, str]:
        """The columns of a raw table and their types; none when there is no such table."""
        ...


class Warehouse(Protocol):
    """What keeps the raw tables, and who may write to it."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def pipelines_folder(self) -> Path:
        """The working folder of dlt, for this warehouse alone."""
        ...

    @property
    def another(self) -> str:
        """The advice to use another warehouse, as the end of a sentence."""
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
    def undoes_loads(self) -> bool:
        """Whether nothing of a failed load stays."""
        ...

    @property
    def merges(self) -> bool:
        """Whether a run adds to the stored rows; if not, it replaces all of them."""
        ...

    @property
    def makes_tables(self) -> bool:
        """Whether a declared table is made at once; if not, its first file makes it."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        ...

    def destination(self) -> AnyDestination:
        """How dlt writes to it."""
        ...

    def locked(
        self, wait_seconds: float = 0, what: str = "python -m ingest"
    ) -> AbstractContextManager[None]:
        """Lock it for one run: two dlt runs at once corrupt data.

        The lock ends with the process, however that ends.

        Args:
            wait_seconds: how long to wait for another run to release the lock.
            what: what other runs call this one.

        Raises:
            WarehouseError: when another run keeps the lock for longer than that.
        """
        ...

    def lock_for_successor(self, wait_seconds: float, what: str) -> None:
        """Lock it until this process ends, even if another program takes its place.

        Raises:
            WarehouseError: as `locked`.
        """
        ...

    def prepared(self) -> AbstractContextManager[bool]:
        """Check that it can be written, before anything is read. Yields whether it is empty.

        Raises:
            WarehouseError: when it cannot.
        """
        ...

    def reserved(self) -> AbstractContextManager[None]:
        """Make sure that nobody else writes while dlt does, and that dlt looks at what is there.

        Raises:
            WarehouseError: when somebody else does.
        """
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """A connection that only reads.

        Raises:
            WarehouseError: when there is none.
        """
        ...

    def is_there(self) -> bool:
        """Whether there is anything to read."""
        ...

    def explained(self, error: BaseException) -> str | None:
        """Say in one line what a failed load ran into, when the warehouse was the reason."""
        ...


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or what it arose from, says that there is no more room for files."""
    return any(
        (isinstance(each, OSError) and each.errno in _NO_ROOM) or _SAYS_NO_ROOM.search(str(each))
        for each in causes(error)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what it arose from, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
