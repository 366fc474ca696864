"""One column of a CSV whose cells repeat: what each distinct cell means is found out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.archive.text_columns import without_nulls


class DistinctTexts:
    """One column: its cells, and its distinct cells with the place of each in the rows."""

    def __init__(self, cells: pa.StringArray) -> None:
        """Hold a column; null is an empty cell."""
        self.cells = cells

    @cached_property
    def _encoded(self) -> pa.DictionaryArray:
        return without_nulls(self.cells).dictionary_encode()

    @cached_property
    def codes(self) -> np.ndarray:
        """For each row, which of the distinct cells it has."""
        return self._encoded.indices.to_numpy()

    @cached_property
    def distinct(self) -> list[str]:
        """The distinct cells."""
        return self._encoded.dictionary.to_pylist()

    @property
    def is_empty(self) -> bool:
        """Whether no row has anything in it."""
        return self.cells.null_count == len(self.cells)

    def where(self, is_so: Callable[[str], bool]) -> np.ndarray:
        """For each row whether its cell is such."""
        return np.array([is_so(each) for each in self.distinct], np.bool_)[self.codes]

    def mapped(self, read_one: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
        """What each cell means, each distinct one read once."""
        values = pa.array([read_one(each) for each in self.distinct], kind)
        return values.take(pa.array(self.codes))


def alike(*codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A row of each combination of codes that there is, and for each row which of them it has."""
    firsts = combined = np.zeros(len(codes[0]), np.int64)
    for each in codes:
        numbers = combined * (each.max(initial=0) + 1) + each
        _, firsts, combined = np.unique(numbers, return_index=True, return_inverse=True)
    return firsts, combined
