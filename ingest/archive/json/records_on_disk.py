"""A mapping whose values are in a temporary file."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Hashable, Iterator, MutableMapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class RecordsOnDisk(MutableMapping[Key, Value]):
    """A dict for many records: memory holds only their keys and their places in the file.

    Reading a value returns a copy: to change it, set it again.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._places: dict[Key, int] = {}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the mapping
        self._end = 0

    def __getitem__(self, key: Key) -> Value:
        """The value of a key."""
        self._file.seek(self._places[key])
        return pickle.load(self._file)  # noqa: S301 - our own file

    def __setitem__(self, key: Key, value: Value) -> None:
        """Append a value; an earlier one with the same key stays in the file, unused."""
        self._file.seek(self._end)
        pickle.dump(value, self._file, pickle.HIGHEST_PROTOCOL)
        self._places[key], self._end = self._end, self._file.tell()

    def __delitem__(self, key: Key) -> None:
        """Forget a key."""
        del self._places[key]

    def __contains__(self, key: object) -> bool:
        """Whether there is such a key."""
        return key in self._places

    def __iter__(self) -> Iterator[Key]:
        """The keys, in the order in which they were first set."""
        return iter(self._places)

    def __len__(self) -> int:
        """The number of keys."""
        return len(self._places)
