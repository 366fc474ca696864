"""A set of many ids, at eight bytes each, where a set of Python's takes some ninety."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_FEW = 1_000  # or an eighth of all, so that the array is not made anew too often


class IdSet:
    """Ids that were seen, of stories or epics: a sorted array, and a few that came one by one."""

    def __init__(self) -> None:
        """Hold none."""
        self._sorted = np.empty(0, np.int64)
        self._few: set[int] = set()

    def __contains__(self, identity: int) -> bool:
        """Whether an id is held."""
        place = int(np.searchsorted(self._sorted, identity))
        is_sorted_in = place < len(self._sorted) and self._sorted[place] == identity
        return bool(is_sorted_in) or identity in self._few

    def __len__(self) -> int:
        """How many ids are held."""
        return len(self._sorted) + len(self._few)

    def __iter__(self) -> Iterator[int]:
        """All ids."""
        yield from self._sorted.tolist()
        yield from self._few

    def add(self, identity: int) -> None:
        """Take in an id."""
        if identity not in self:
            self._few.add(identity)
        if len(self._few) >= max(_FEW, len(self._sorted) // 8):
            few, self._few = self._few, set()
            self.add_all(np.fromiter(few, np.int64))

    def add_all(self, ids: np.ndarray) -> None:
        """Take in many ids."""
        self._sorted = np.union1d(self._sorted, ids)
        self._few.difference_update(ids.tolist() if self._few else ())

    def has_any(self, ids: np.ndarray) -> bool:
        """Whether one of many ids is held."""
        places = np.minimum(np.searchsorted(self._sorted, ids), max(len(self._sorted) - 1, 0))
        is_sorted_in = len(self._sorted) > 0 and bool((self._sorted[places] == ids).any())
        return is_sorted_in or not self._few.isdisjoint(ids.tolist() if self._few else ())
