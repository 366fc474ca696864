"""API-shaped records become rows of the raw tables: pure functions, no HTTP, no files.

Whatever a record says is kept. A field that no table declares, and a value that does not fit its
declared type, go into `extra_fields`; `Drift` counts both, so that a run can report them once.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.tables import ARROW_TYPES, ColumnType, Table

Record = dict[str, Any]

_SECRET_FIELD = re.compile(r"token|passw|secret|credential|api_?key", re.IGNORECASE)
_MAX_INT64 = 2**63 - 1
_MAX_DECIMAL = Decimal(10) ** 14  # decimal(18, 4)
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass
class Drift:
    """What did not fit the declared tables during one run.

    Attributes:
        undeclared: (table, field) -> records that carried a field which no column declares.
        misfits: (table, field) -> values that did not fit the declared type.
    """

    undeclared: Counter[tuple[str, str]] = field(default_factory=Counter)
    misfits: Counter[tuple[str, str]] = field(default_factory=Counter)


class Origin(NamedTuple):
    """Where one row was read from, when that was a file.

    Attributes:
        record_source: stories_csv, history_csv or json.
        source_file: the file, as it was named to the run.
        source_line: the line that the row begins on; None where a file has no lines.
        is_date_only: whether the file gave days instead of instants.
    """

    record_source: str
    source_file: str
    source_line: int | None = None
    is_date_only: bool | None = None


def to_arrow(
    table: Table,
    records: Sequence[Record],
    record_source: str,
    drift: Drift,
    origins: Sequence[Origin] | None = None,
) -> pa.Table:
    """Build rows of a raw table from records that have been shaped for it.

    Args:
        table: the declared raw table.
        records: one dict per row, under Tracker's field names (see `shape`).
        record_source: the reader's name, stored with each row.
        drift: collects what did not fit.
        origins: where each record was read from, in their order; they replace `record_source`.

    Returns:
        An Arrow table with exactly `table.arrow_schema`, one row per record, in order.

    Raises:
        ValueError: when a record lacks its key.
    """
    _require_keys(table, records)
    present = set().union(*records)
    undeclared = present - table.columns.keys() - table.ignored
    extras = _undeclared_fields(table, records, undeclared, drift)
    arrays = []
    for name, kind in table.columns.items():
        if name not in present:
            arrays.append(pa.nulls(len(records), ARROW_TYPES[kind]))
            continue
        values = [record.get(name) for record in records]
        try:
            array = _FAST[kind](values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            array = _convert_one_by_one(table, name, kind, values, extras, drift)
        arrays.append(array)
    arrays.append(pa.array([_json_text(extra) if extra else None for extra in extras], pa.string()))
    arrays += _origin_columns(record_source, len(records), origins)
    arrays.append(pa.nulls(len(records), pa.bool_()))
    return pa.Table.from_arrays(arrays, schema=table.arrow_schema)


def without_nul(table: Table, rows: pa.Table) -> pa.Table:
    """Rows with U+FFFD in place of each NUL character: PostgreSQL can store none.

    In JSON it stands as an escape, which may itself be escaped.
    """
    for name, kind in table.all_columns.items():
        if kind not in ("text", "json"):
            continue
        column = rows[name]
        sign = b"\0" if kind == "text" else b"\\u0000"
        if not any(holds(chunk, sign) for chunk in column.chunks):
            continue
        if kind == "text":
            column = pc.replace_substring(column, "\0", "\ufffd")
        else:
            texts = [text and _ESCAPED_NUL.sub("\\1\ufffd", text) for text in column.to_pylist()]
            column = pa.chunked_array([texts], pa.string())
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), column)
    return rows


def removal_rows(table: Table, keys: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows that order the destination to delete those with the same key.

    Args:
        table: the declared raw table.
        keys: one tuple per row, in the order of `table.key`.

    Returns:
        An Arrow table with `table.arrow_schema`; every column but the key and `is_removed` is null.
    """
    rows = [{**dict(zip(table.key, key, strict=True)), "is_removed": True} for key in keys]
    return pa.Table.from_pylist(rows, schema=table.arrow_schema)


def shape(table_name: str, record: Record, project_id: int | None = None) -> Record:
    """Give an API record the form of a row: nested ids become columns, host quirks are undone.

    Args:
        table_name: the raw table that the record is meant for.
        record: one record as the API gave it; it is not changed.
        project_id: the project whose list the record came from, for records that do not say.
    """
    shaped = dict(record)
    if project_id is not None:
        shaped.setdefault("project_id", project_id)
    shaper = _SHAPERS.get(table_name)
    return shaper(shaped) if shaper else shaped


def history_day_records(container: Record, project_id: int) -> list[Record]:
    """Rows of `history_days` from a `daily_history_container` (a header and arrays of values)."""
    header = container.get("header", [])
    return [
        {**dict(zip(header, values, strict=False)), "project_id": project_id}
        for values in container.get("data", [])
    ]


def holds(column: pa.StringArray, sign: bytes) -> bool:
    """Whether such bytes stand in any of the cells."""
    return re.search(re.escape(sign), cell_bytes(column)[1]) is not None


def cell_bytes(column: pa.StringArray) -> tuple[np.ndarray, memoryview]:
    """Where each cell begins, and the last one ends, in the bytes of all cells; and these bytes."""
    _, offsets, content = column.buffers()
    if content is None:
        return np.zeros(len(column) + 1, np.int32), memoryview(b"")
    starts = np.frombuffer(offsets, np.int32)[column.offset :][: len(column) + 1]
    return starts - starts[0], memoryview(content)[starts[0] : starts[-1]]


def parse_instant(value: object) -> datetime:
    """Read an instant as Tracker writes it: ISO 8601, or milliseconds since the epoch.

    Raises:
        ValueError: when the value is neither.
    """
    if isinstance(value, bool):
        raise ValueError("a boolean is not an instant")
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC)
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} is not an instant")
    instant = datetime.fromisoformat(value)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


# Shapes -----------------------------------------------------------------------------------------


def _named(record: Record) -> Record:
    """Undo the spelling of hosts that call a name a title."""
    if "name" not in record and "title" in record:
        record["name"] = record.pop("title")
    return record


def _shape_activity(record: Record) -> Record:
    guid = record.get("guid", "")
    project_id, _, project_version = guid.partition("_")
    record.setdefault("project_id", (record.get("project") or {}).get("id") or project_id)
    record.setdefault("project_version", project_version)
    record["performed_by_id"] = (record.get("performed_by") or {}).get("id")
    return record


def _shape_membership(record: Record) -> Record:
    record.setdefault("person_id", (record.get("person") or {}).get("id"))
    return record


def _shape_epic(record: Record) -> Record:
    record.setdefault("label_id", (record.get("label") or {}).get("id"))
    return _named(record)


def _shape_iteration(record: Record) -> Record:
    stories = record.pop("stories", None)
    if stories is not None and "story_ids" not in record:
        record["story_ids"] = [story["id"] for story in stories]
    return record


_SHAPERS: dict[str, Callable[[Record], Record]] = {
    "projects": _named,
    "stories": _named,
    "releases": _named,
    "activity": _shape_activity,
    "my_activity": _shape_activity,
    "memberships": _shape_membership,
    "epics": _shape_epic,
    "iterations": _shape_iteration,
}


# Columns ----------------------------------------------------------------------------------------


def _origin_columns(
    record_source: str, rows_count: int, origins: Sequence[Origin] | None
) -> list[pa.Array]:
    if origins is None:
        types = (pa.string(), pa.int64(), pa.bool_())
        sources = pa.array([record_source] * rows_count, pa.string())
        return [sources, *(pa.nulls(rows_count, each) for each in types)]
    return [
        pa.array([each.record_source for each in origins], pa.string()),
        pa.array([each.source_file or None for each in origins], pa.string()),
        pa.array([each.source_line for each in origins], pa.int64()),
        pa.array([each.is_date_only for each in origins], pa.bool_()),
    ]


def _undeclared_fields(
    table: Table, records: Sequence[Record], undeclared: set[str], drift: Drift
) -> list[Record]:
    """What each record has under these names."""
    if not undeclared:
        return [{} for _ in records]
    extras: list[Record] = []
    for record in records:
        extra = {}
        for name in record.keys() & undeclared:
            if record[name] is not None and not _SECRET_FIELD.search(name):
                extra[name] = _without_secrets(record[name])
                drift.undeclared[table.name, name] += 1
        extras.append(extra)
    return extras


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: _without_secrets(inner)
            for name, inner in value.items()
            if not _SECRET_FIELD.search(name)
        }
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return value


def _require_keys(table: Table, records: Sequence[Record]) -> None:
    for name in table.key:
        for record in records:
            if record.get(name) is None:
                fields = ", ".join(sorted(record))
                raise ValueError(f"{table.name}: a record has no {name} (it has: {fields})")


def _convert_one_by_one(
    table: Table,
    name: str,
    kind: ColumnType,
    values: list[Any],
    extras: list[Record],
    drift: Drift,
) -> pa.Array:
    """Convert a column slowly: what does not fit becomes null and is kept in `extra_fields`."""
    converted: list[Any] = []
    for index, value in enumerate(values):
        try:
            converted.append(None if value is None else _SLOW[kind](value))
        except (TypeError, ValueError, InvalidOperation, OverflowError, OSError):
            if name in table.key:
                raise ValueError(
                    f"{table.name}: a record has no usable key: {name} is {value!r}"
                ) from None
            converted.append(None)
            extras[index][name] = value
            drift.misfits[table.name, name] += 1
    return pa.array(converted, ARROW_TYPES[kind])


def _json_text(value: object) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # a number of more than 64 bits
        return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _bigints(values: list[Any]) -> pa.Array:
    # Arrow would cut the fraction of a float off, and take a boolean for 0 or 1.
    if not set(map(type, values)) <= {int, NoneType}:
        raise TypeError("not a whole number")
    return pa.array(values, pa.int64())


def _doubles(values: list[Any]) -> pa.Array:
    if bool in set(map(type, values)):
        raise TypeError("a boolean is not a number")
    return pa.array(values, pa.float64())


def _json_texts(values: list[Any]) -> pa.Array:
    dumps = orjson.dumps
    return pa.array([None if value is None else dumps(value) for value in values], pa.string())


_FAST: dict[ColumnType, Callable[[list[Any]], pa.Array]] = {
    "bigint": _bigints,
    "decimal": lambda values: _doubles(values).cast(ARROW_TYPES["decimal"]),
    "double": _doubles,
    "text": lambda values: pa.array(values, pa.string()),
    "bool": lambda values: pa.array(values, pa.bool_()),
    "timestamp": lambda values: pc.cast(pa.array(values, pa.string()), ARROW_TYPES["timestamp"]),
    "date": lambda values: pc.cast(pa.array(values, pa.string()), pa.date32()),
    "json": _json_texts,
}


def _one_bigint(value: object) -> int:
    if isinstance(value, bool):
        raise TypeError("a boolean is not a number")
    number = int(value) if not isinstance(value, float) else int(Decimal(value))
    if isinstance(value, float) and number != value:
        raise ValueError("not a whole number")
    if abs(number) > _MAX_INT64:
        raise OverflowError("more than 64 bits")
    return number


def _one_decimal(value: object) -> Decimal:
    if isinstance(value, bool):
        raise TypeError("a boolean is not a number")
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) >= _MAX_DECIMAL:
        raise ValueError("out of range")
    return number.quantize(Decimal("0.0001"))


def _one_double(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError("a boolean is not a number")
    return float(value)


def _one_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # a lone surrogate cannot be stored
    return value


def _one_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return value


def _one_date(value: object) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else parse_instant(value).date()


_SLOW: dict[ColumnType, Callable[[Any], Any]] = {
    "bigint": _one_bigint,
    "decimal": _one_decimal,
    "double": _one_double,
    "text": _one_text,
    "bool": _one_bool,
    "timestamp": parse_instant,
    "date": _one_date,
    "json": _json_text,
}
