"""Columns of JSON text, one value a cell, become columns of a raw table.

What comes out is what `to_arrow` makes of the values one by one, where the cells are plain.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.tables import ARROW_TYPES
from ingest.tables.table import ColumnType

# What orjson would write otherwise than DuckDB does, and some that it would not.
_NEEDS_REWRITING = r"\\u|[0-9][.eE]|[0-9]{18}|NaN|Inf"


def are_plain(cells: pa.StringArray, kind: ColumnType) -> pa.BooleanArray:
    """Whether each value may stand in a column of such a kind as it is; null for no value."""
    return _ARE_PLAIN[kind](cells)


def column_of(cells: pa.StringArray, kind: ColumnType) -> pa.Array:
    """The values of plain cells, as a column of such a kind holds them.

    Raises:
        pyarrow.ArrowException: when one is not as it seemed, as a thirteenth month.
        orjson.JSONDecodeError: when DuckDB took for JSON what is none.
    """
    return _COLUMN_OF[kind](cells)


def _matches(pattern: str) -> Callable[[pa.StringArray], pa.BooleanArray]:
    return lambda cells: pc.match_substring_regex(cells, pattern)


def _are_long_texts(cells: pa.StringArray) -> pa.BooleanArray:
    """Whether each is a text as long as a day, a time and a zone."""
    return pc.and_(pc.starts_with(cells, '"'), pc.greater_equal(pc.binary_length(cells), 22))


_ARE_PLAIN: dict[ColumnType, Callable[[pa.StringArray], pa.BooleanArray]] = {
    "bigint": _matches("^-?[0-9]{1,18}$"),
    "decimal": _matches(r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$"),
    "text": lambda cells: pc.starts_with(cells, '"'),
    "bool": _matches("^(true|false)$"),
    "timestamp": _are_long_texts,
    "json": pc.is_valid,
}


def _texts(cells: pa.StringArray) -> pa.StringArray:
    """What strings of JSON say."""
    has_escapes = pc.match_substring(cells, "\\")
    inner = pc.binary_slice(cells.cast(pa.binary()), 1, -1).cast(pa.string())
    if not pc.any(has_escapes).as_py():
        return inner
    escaped = pc.binary_join(_one_list(cells.filter(has_escapes)), ",")[0].as_py()
    return pc.replace_with_mask(
        inner, has_escapes.fill_null(False), pa.array(orjson.loads(f"[{escaped}]"), pa.string())
    )


def _one_list(cells: pa.StringArray) -> pa.ListArray:
    return pa.ListArray.from_arrays([0, len(cells)], cells)


def _rewritten(cells: pa.StringArray) -> pa.StringArray:
    """JSON as orjson writes it, so that whichever way it was read the same text is stored."""
    differs = pc.match_substring_regex(cells, _NEEDS_REWRITING)
    if not pc.any(differs).as_py():
        return cells
    texts = [orjson.dumps(orjson.loads(each)) for each in cells.filter(differs).to_pylist()]
    return pc.replace_with_mask(cells, differs.fill_null(False), pa.array(texts, pa.string()))


_COLUMN_OF: dict[ColumnType, Callable[[pa.StringArray], pa.Array]] = {
    "bigint": lambda cells: cells.cast(pa.int64()),
    "decimal": lambda cells: cells.cast(pa.float64()).cast(ARROW_TYPES["decimal"]),
    "text": _texts,
    "bool": lambda cells: pc.equal(cells, "true"),
    "timestamp": lambda cells: _texts(cells).cast(ARROW_TYPES["timestamp"]),
    "json": _rewritten,
}
