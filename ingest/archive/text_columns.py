"""Vectorised functions on text columns, and columns with repeated values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.records import cell_bytes

_LINE_END = ord("\n")


def without_nulls(cells: pa.StringArray) -> pa.StringArray:
    """Replace null by the empty string."""
    return cells.fill_null("") if cells.null_count else cells


def without_empty(cells: pa.StringArray) -> pa.StringArray:
    """Replace the empty string by null."""
    is_empty = pc.equal(pc.binary_length(cells), 0)
    return pc.if_else(is_empty, None, cells) if pc.any(is_empty).as_py() else cells


def flags(array: pa.BooleanArray) -> np.ndarray:
    """Convert a Boolean column to a NumPy array; null becomes false."""
    known = array.fill_null(False) if array.null_count else array
    return known.to_numpy(zero_copy_only=False).copy()


def filled_rows(column: pa.StringArray) -> np.ndarray:
    """The indices of rows whose cell is not empty."""
    if column.null_count == len(column):
        return np.empty(0, np.int64)
    return np.flatnonzero(flags(pc.greater(pc.binary_length(column), 0)))


def line_breaks(column: pa.StringArray) -> np.ndarray | int:
    """The number of line breaks in each cell; the scalar 0 if no cell has any."""
    if column.null_count == len(column):
        return 0
    starts, content = cell_bytes(column)
    places = np.flatnonzero(np.frombuffer(content, np.uint8) == _LINE_END)
    return np.diff(np.searchsorted(places, starts)) if len(places) else 0


class DistinctTexts:
    """A column in dictionary encoding, so that each distinct value is parsed only once."""

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
