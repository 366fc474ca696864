"""Remember which rows of each project were listed in this run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ingest.tables import Table

Key = tuple[Any, ...]
_Place = tuple[str, int | None]  # a raw table and a project


class ListedKeys:
    """The keys of the rows that were read, for tables from which missing rows are removed."""

    def __init__(self) -> None:
        """Start empty."""
        self._read: dict[_Place, set[Key]] = defaultdict(set)
        self._left_out: dict[_Place, set[Key]] = {}
        self._complete: set[_Place] = set()

    def add(self, table: Table, project_id: int | None, keys: Iterable[Key]) -> None:
        """Add the keys of rows that were read."""
        if _is_listed(table):
            self._read[table.name, project_id].update(keys)

    def replace(self, table: Table, project_id: int | None, keys: Iterable[Key]) -> None:
        """Replace the keys by those of a later list."""
        self._read[table.name, project_id] = set(keys)

    def leave_out(self, table: Table, project_id: int | None, keys: Iterable[Key]) -> None:
        """Set the keys of rows that exist but were not read."""
        self._left_out[table.name, project_id] = set(keys)

    def note_complete(self, table: Table, project_id: int | None) -> None:
        """Record that a project has no other rows."""
        if _is_listed(table):
            self._complete.add((table.name, project_id))

    def read(self, table_name: str, project_id: int | None) -> set[Key]:
        """The keys of the rows of a project that were read."""
        return self._read[table_name, project_id]

    def read_anywhere(self, table_name: str) -> set[Key]:
        """The keys of the rows of all projects that were read."""
        return {key for (name, _), keys in self._read.items() if name == table_name for key in keys}

    def all_keys(self, table_name: str, project_id: int) -> set[Key] | None:
        """The keys of all rows of a project; None if its list was not complete."""
        place = (table_name, project_id)
        if place not in self._complete:
            return None
        return self._read[place] | self._left_out.get(place, set())


def _is_listed(table: Table) -> bool:
    """Whether rows that are no longer listed are removed or marked as deleted."""
    return table.scope is not None or table.name in ("stories", "cycle_time_details")
