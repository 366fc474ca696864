"""Vectorised functions on text columns."""

from __future__ import annotations

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
