"""A CSV column with repeated values, so that each distinct value is parsed only once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.archive.text_columns import without_nulls


class DistinctTexts:
    """A column in dictionary encoding: its cells, the distinct values, and each row's code."""

    def __init__(self, cells: pa.StringArray) -> None:
        """Wrap a column, in which null is an empty cell."""
        self.cells = cells

    @cached_property
    def _encoded(self) -> pa.DictionaryArray:
        return without_nulls(self.cells).dictionary_encode()

    @cached_property
    def codes(self) -> np.ndarray:
        """For each row, the index of its value in `distinct`."""
        return self._encoded.indices.to_numpy()

    @cached_property
    def distinct(self) -> list[str]:
        """The distinct values."""
        return self._encoded.dictionary.to_pylist()

    @property
    def is_empty(self) -> bool:
        """Whether every cell is empty."""
        return self.cells.null_count == len(self.cells)

    def where(self, is_so: Callable[[str], bool]) -> np.ndarray:
        """For each row, whether its value satisfies a predicate."""
        return np.array([is_so(each) for each in self.distinct], np.bool_)[self.codes]

    def mapped(self, read_one: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
        """Convert every cell, calling `read_one` once per distinct value."""
        values = pa.array([read_one(each) for each in self.distinct], kind)
        return values.take(pa.array(self.codes))


def group_rows(*codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group rows with equal codes: the first row of each group, and each row's group."""
    firsts = combined = np.zeros(len(codes[0]), np.int64)
    for each in codes:
        numbers = combined * (each.max(initial=0) + 1) + each
        _, firsts, combined = np.unique(numbers, return_index=True, return_inverse=True)
    return firsts, combined
