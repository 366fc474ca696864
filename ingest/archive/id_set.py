"""A set of many ids, at eight bytes each, where a set of Python's takes some ninety."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_FEW = 1_000


def are_distinct(ids: np.ndarray) -> bool:
    """Whether no id stands twice among these."""
    return bool((np.diff(np.sort(ids)) > 0).all())


class IdSet:
    """Ids that were seen, of stories or epics.

    They lie in sorted runs, each more than twice as long as the next, so that neither taking in
    more nor looking one up ever touches all of them.
    """

    def __init__(self) -> None:
        """Hold none."""
        self._runs: list[np.ndarray] = []
        self._few: set[int] = set()  # what came one by one of late

    def __contains__(self, identity: int) -> bool:
        """Whether an id is held."""
        return identity in self._few or any(
            (place := int(np.searchsorted(run, identity))) < len(run) and run[place] == identity
            for run in self._runs
        )

    def __len__(self) -> int:
        """How many ids are held."""
        return sum(map(len, self._runs)) + len(self._few)

    def __iter__(self) -> Iterator[int]:
        """All ids."""
        for run in self._runs:
            yield from run.tolist()
        yield from self._few

    def add(self, identity: int) -> None:
        """Take in an id."""
        if identity not in self:
            self._few.add(identity)
        if len(self._few) >= _FEW:
            few, self._few = self._few, set()
            self.add_all(np.fromiter(few, np.int64))

    def add_all(self, ids: np.ndarray) -> None:
        """Take in many ids."""
        self._few.difference_update(ids.tolist() if self._few else ())
        run = np.unique(ids[~self._are_in_runs(ids)])
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if len(run):
            self._runs.append(run)

    def has_any(self, ids: np.ndarray) -> bool:
        """Whether one of many ids is held."""
        is_in_few = bool(self._few) and not self._few.isdisjoint(ids.tolist())
        return is_in_few or bool(self._are_in_runs(ids).any())

    def _are_in_runs(self, ids: np.ndarray) -> np.ndarray:
        found = np.zeros(len(ids), np.bool_)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, ids), len(run) - 1)
            found |= run[places] == ids
        return found
