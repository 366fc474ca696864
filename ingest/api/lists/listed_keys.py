"""Which rows each project has, as far as its lists have told in this run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ingest.tables import Table

Key = tuple[Any, ...]
_Place = tuple[str, int | None]  # a raw table, and the project whose rows they are


class ListedKeys:
    """The keys of the rows that were read, of tables for which it matters what is gone."""

    def __init__(self) -> None:
        """Begin without any."""
        self._read: dict[_Place, set[Key]] = defaultdict(set)
        self._left_out: dict[_Place, set[Key]] = {}
        self._whole: set[_Place] = set()

    def add(self, table: Table, project_id: int | None, keys: Iterable[Key]) -> None:
        """Take note of rows that were read."""
        if _is_listed(table):
            self._read[table.name, project_id].update(keys)

    def replace(self, table: Table, project_id: int | None, keys: Iterable[Key]) -> None:
        """Take the keys of a later listing for those that were read."""
        self._read[table.name, project_id] = set(keys)

    def leave_out(self, table: Table, project_id: int | None, keys: Iterable[Key]) -> None:
        """Take note of rows that are there, but need not be read."""
        self._left_out[table.name, project_id] = set(keys)

    def note_whole(self, table: Table, project_id: int | None) -> None:
        """Take note that a project has no other rows than those."""
        if _is_listed(table):
            self._whole.add((table.name, project_id))

    def read(self, table_name: str, project_id: int | None) -> set[Key]:
        """The keys of a project's rows that were read."""
        return self._read[table_name, project_id]

    def read_anywhere(self, table_name: str) -> set[Key]:
        """The keys of the rows that were read of any project."""
        return {key for (name, _), keys in self._read.items() if name == table_name for key in keys}

    def whole(self, table_name: str, project_id: int) -> set[Key] | None:
        """The keys of all rows that a project has; None when it is not known which there are."""
        place = (table_name, project_id)
        if place not in self._whole:
            return None
        return self._read[place] | self._left_out.get(place, set())


def _is_listed(table: Table) -> bool:
    """Whether it matters which rows of a project are no longer listed."""
    return table.scope is not None or table.name in ("stories", "cycle_time_details")
