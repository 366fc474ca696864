"""Plain records, column by column: from JSON text to rows of a raw table.

A record is plain if it has nothing but values that fit declared columns. Plain records become the
same rows here as in `ingest.records`, which is slower, handles all other records, and defines what
is right. Pages of the API and files of dumps are read in the same way.

DuckDB splits the text into cells, each of which is the JSON text of one field of one record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.records import are_out_of_range, may_be_too_deep, with_column
from ingest.tables import ARROW_TYPES, ColumnType, Table

Cells = dict[str, pa.StringArray]

# Objects inside a record whose ids are columns of their own.
NESTED_IDS: dict[str, dict[str, str]] = {
    "activity": {"project": "project_id", "performed_by": "performed_by_id"},
}
# Fields that a plain record always has; its project may be known from the list it belongs to.
_NEEDED: dict[str, tuple[str, ...]] = {
    "activity": ("guid", "project_version"),
    "stories": ("id",),
    "story_transitions": ("project_version", "story_id"),
}
TABLES_WITH_PLAIN_RECORDS = frozenset(_NEEDED)
# Values that orjson may write differently from DuckDB.
_NEEDS_REWRITING = r"\\u|[0-9][eE]|[0-9.]{16}|0\.000|(?:^|[\[:,])\s*-?(?i:nan|inf)"


class NotPlainError(Exception):
    """The text has to be read record by record."""


def field_names(table: Table) -> list[str]:
    """The fields that a plain record of a table may have."""
    return sorted({*table.columns, *table.ignored} - _made_columns(table))


def _made_columns(table: Table) -> set[str]:
    """Columns whose value is always that of a nested object."""
    return {*NESTED_IDS.get(table.name, {}).values()} - {"project_id"}


def cells_query(source: str, form: str, names: Iterable[str], more: str = "") -> str:
    """The SQL statement for the cells of the records in a text.

    Args:
        source: a SQL expression for the path of the text.
        form: `array` or `newline_delimited`.
        names: the fields to read.
        more: settings of `read_json`.
    """
    columns = ", ".join(f"{_quoted(name)}: 'JSON'" for name in names)
    return f"select * from read_json({source}, columns = {{{columns}}}, {_settings(form, more)})"


def names_query(source: str, form: str, more: str = "") -> str:
    """The SQL statement for the names of all fields of the records in a text."""
    return (
        "select distinct unnest(json_keys(record)) from read_json("
        f"{source}, columns = {{record: 'JSON'}}, records = false, {_settings(form, more)})"
    )


def _settings(form: str, more: str) -> str:
    return f"format = '{form}', compression = 'none', hive_partitioning = false{more}"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def cells_of(batch: pa.RecordBatch | pa.Table) -> Cells:
    """The cells of some records, without the fields that none of them has."""
    cells = zip(batch.schema.names, map(_one_array, batch.columns), strict=True)
    return {name: cell for name, cell in cells if cell.null_count < len(cell)}


def _one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def are_plain(table: Table, cells: Cells, count: int, nested_levels: int) -> np.ndarray:
    """For each record, whether it has nothing but values that fit declared columns.

    Args:
        table: the raw table.
        cells: what the records say.
        count: how many there are.
        nested_levels: the maximum number of nested levels, counting the record itself.
    """
    is_plain = np.ones(count, bool)
    nested, made = NESTED_IDS.get(table.name, {}), _made_columns(table)
    for name in _NEEDED[table.name]:
        is_plain &= is_filled(cells, name, count)
    for name, cell in cells.items():
        kind = table.columns.get(name)
        if kind == "json":
            is_plain &= ~may_be_too_deep(cell, nested_levels)
        if name in nested:
            fits = pc.starts_with(cell, "{")
        elif kind in _ARE_PLAIN and name not in made:
            fits = _ARE_PLAIN[kind](cell)
        elif kind == "json" or name in table.ignored:
            continue
        else:
            fits = pc.is_null(cell)
        is_plain &= _flags(pc.fill_null(fits, True))
    return is_plain


def rows_of(table: Table, cells: Cells, count: int, project_id: int | None = None) -> pa.Table:
    """The rows of plain records, without their origin.

    Args:
        table: the raw table.
        cells: what the records say.
        count: how many there are.
        project_id: the project whose list they belong to, for records without a project id.

    Raises:
        NotPlainError: if a record is not plain after all.
        pyarrow.ArrowException: if a value cannot be converted, such as a thirteenth month.
        orjson.JSONDecodeError: if DuckDB accepted invalid JSON.
    """
    arrays: dict[str, pa.Array] = {}
    for name, column in NESTED_IDS.get(table.name, {}).items():
        if name in cells:
            arrays[column] = _ids_in(cells[name])
    for name, cell in cells.items():
        if name in table.columns:
            array = _COLUMN_OF[table.columns[name]](cell)
            known = arrays.get(name)
            arrays[name] = array if known is None else pc.coalesce(array, known)
    if project_id is not None:
        stated = _COLUMN_OF["bigint"](cells["project_id"]) if "project_id" in cells else None
        known = pa.repeat(pa.scalar(project_id, pa.int64()), count)
        arrays["project_id"] = known if stated is None else pc.coalesce(stated, known)
    schema = table.arrow_schema
    columns = [arrays.get(field.name, pa.nulls(count, field.type)) for field in schema]
    if any(each.null_count for each in (columns[schema.get_field_index(n)] for n in table.key)):
        raise NotPlainError
    rows = pa.Table.from_arrays(columns, schema=schema)
    if any(are_out_of_range(each) for each in rows.columns if pa.types.is_timestamp(each.type)):
        raise NotPlainError
    return rows


def with_origin(rows: pa.Table, record_source: str, file: str | None = None) -> pa.Table:
    """Add to rows where they were read from."""
    for name, value in (("record_source", record_source), ("source_file", file)):
        if value is not None:
            rows = with_column(rows, name, pa.repeat(pa.scalar(value), len(rows)))
    return rows


def is_filled(cells: Cells, name: str, count: int) -> np.ndarray:
    """For each record, whether it has a field, and not null."""
    return _flags(pc.is_valid(cells[name])) if name in cells else np.zeros(count, bool)


def _flags(array: pa.BooleanArray) -> np.ndarray:
    return array.to_numpy(zero_copy_only=False)


def _ids_in(cells: pa.StringArray) -> pa.Array:
    """The ids of objects, many of which are equal.

    Raises:
        NotPlainError: if an id is not a whole number.
    """
    encoded = cells.dictionary_encode()
    ids = [orjson.loads(each).get("id") for each in encoded.dictionary.to_pylist()]
    if not all(each is None or (type(each) is int and abs(each) < 2**63) for each in ids):
        raise NotPlainError
    return pa.array(ids, pa.int64()).take(encoded.indices)


# Columns ----------------------------------------------------------------------------------------


def _matches(pattern: str) -> Callable[[pa.StringArray], pa.BooleanArray]:
    return lambda cells: pc.match_substring_regex(cells, pattern)


def _are_long_texts(cells: pa.StringArray) -> pa.BooleanArray:
    """Whether each is a string long enough for a date, a time and a zone."""
    return pc.and_(pc.starts_with(cells, '"'), pc.greater_equal(pc.binary_length(cells), 22))


_ARE_PLAIN: dict[ColumnType, Callable[[pa.StringArray], pa.BooleanArray]] = {
    "bigint": _matches("^-?[0-9]{1,18}$"),
    "decimal": _matches(r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$"),
    "double": _matches(r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$"),
    "text": lambda cells: pc.starts_with(cells, '"'),
    "bool": _matches("^(true|false)$"),
    "timestamp": _are_long_texts,
}


def _texts(cells: pa.StringArray) -> pa.StringArray:
    """The values of JSON strings."""
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
    """JSON as orjson writes it, so that the same text is stored however it was read."""
    differs = pc.match_substring_regex(cells, _NEEDS_REWRITING)
    if not pc.any(differs).as_py():
        return cells
    texts = [orjson.dumps(orjson.loads(each)) for each in cells.filter(differs).to_pylist()]
    return pc.replace_with_mask(cells, differs.fill_null(False), pa.array(texts, pa.string()))


_COLUMN_OF: dict[ColumnType, Callable[[pa.StringArray], pa.Array]] = {
    "bigint": lambda cells: cells.cast(pa.int64()),
    "decimal": lambda cells: cells.cast(pa.float64()).cast(ARROW_TYPES["decimal"]),
    "double": lambda cells: cells.cast(pa.float64()),
    "text": _texts,
    "bool": lambda cells: pc.equal(cells, "true"),
    "timestamp": lambda cells: _texts(cells).cast(ARROW_TYPES["timestamp"]),
    "json": _rewritten,
}
