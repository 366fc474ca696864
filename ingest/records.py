"""Turn records of the API into rows of the raw tables (pure functions, without HTTP or files).

Undeclared fields, and values that do not fit their declared type, are stored in `extra_fields`. A
record that has no usable key or is nested too deeply is refused. `Drift` collects all of these for
the run's summary.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
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
_SURROGATES = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
DEEPEST = 254  # the levels of lists and objects that orjson can write
_OPEN = 0x5B  # "[", and "{" without the bit 0x20
_EXCERPT_CHARACTERS = 200
# Microseconds from 1970 to the first instant of the year 1 and to the last of 9999.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


class RowRefused(Exception):
    """One row cannot be loaded.

    Attributes:
        column: the invalid column; None if the row as a whole is invalid.
        value: the invalid value.
        reason: why the row is refused.
        cells: the cells of a CSV row with broken quoting, as far as they can be told apart.
        certain: the number of cells before the broken quote.
    """

    def __init__(
        self,
        column: str | None,
        value: str | None,
        reason: str,
        cells: list[str] | None = None,
        certain: int = 0,
    ) -> None:
        """Refuse a row; the arguments are the attributes."""
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason
        self.cells, self.certain = cells, certain


@dataclass(frozen=True)
class Rejection:
    """A row, or a whole file, that was not loaded: a row of `rejected_rows`.

    Attributes:
        file: the file's path as given to the run; None for API responses.
        line: the line on which the row starts, from 1; None for a whole file, or a file without
            lines.
        column: the invalid column, if there is one.
        value: its value, cut to 200 characters.
        reason: why the row is refused.
        table: the raw table of the row; None if unknown.
        request: method and path of the API request; None for files.
        record: the record's position in its list, from 1; None if `line` identifies it.
        is_of_file: whether the whole file was refused.
        count: the number of refused rows; more than 1 only in the last entry of `Rejections`.
    """

    file: str | None
    line: int | None
    column: str | None
    value: str | None
    reason: str
    table: str | None = None
    request: str | None = None
    record: int | None = None
    is_of_file: bool = False
    count: int = 1

    @classmethod
    def of_file(cls, file: str, reason: str) -> Rejection:
        """The rejection of a file."""
        return cls(file, None, None, None, excerpt(reason) or "", is_of_file=True)

    @classmethod
    def of_row(
        cls,
        file: str,
        line: int | None,
        refused: RowRefused,
        table: str | None = None,
        record: int | None = None,
    ) -> Rejection:
        """The rejection of one row of a file."""
        value, reason = excerpt(refused.value), excerpt(refused.reason) or ""
        return cls(file, line, refused.column, value, reason, table, record=record)

    @property
    def position(self) -> str:
        """Where it is in its file."""
        return f"line {self.line}" if self.line else f"record {self.record or 'unknown'}"

    @property
    def sentence(self) -> str:
        """One line for people."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        place = place or self.request or self.table
        if self.record is not None:
            place = f"{place}, record {self.record}"
        value = "" if self.value is None else f" ({self.value[:60]!r})"
        column = "" if self.column is None else f"{self.column}: "
        text = f"{place}: {column}{self.reason}{value}"
        return text.replace("\r", "\\r").replace("\n", "\\n")  # file names may contain them


class Rejections(list[Rejection]):
    """Refused rows and files. Beyond a limit, the rows of a file share one last entry."""

    def __init__(self, most: int = 10_000) -> None:
        """Start empty.

        Args:
            most: the maximum number of rows of one file that have an entry of their own.
        """
        super().__init__()
        self._most = most
        self._of_file: Counter[str] = Counter()
        self._last_entries: dict[str, tuple[int, Rejection]] = {}  # file -> place, first row

    @property
    def total(self) -> int:
        """The number of refused rows and files."""
        unlisted = (self[place].count - 1 for place, _ in self._last_entries.values())
        return len(self) + sum(unlisted)

    def append(self, rejection: Rejection) -> None:
        """Add a refused row or file."""
        file = rejection.file
        if file is None or rejection.is_of_file:
            super().append(rejection)
            return
        self._of_file[file] += 1
        count = self._of_file[file] - self._most
        if count < 1:
            super().append(rejection)
            return
        place, first = self._last_entries.setdefault(file, (len(self), rejection))
        reason = f"and {count:,} more, from {first.position} to {rejection.position}"
        entry = replace(first, column=None, value=None, reason=reason, count=count)
        if place == len(self):
            super().append(entry)
        else:
            self[place] = entry

    def extend(self, rejections: Iterable[Rejection]) -> None:
        """Add refused rows and files."""
        for each in rejections:
            self.append(each)

    def restore(self, earlier: Sequence[Rejection]) -> None:
        """Go back to the list as it was before some rows and files were read."""
        self.clear()
        self._of_file.clear()
        self._last_entries.clear()
        self.extend(earlier)

    # A list's own accepts any values.
    def __iadd__(self, rejections: Iterable[Rejection]) -> Rejections:  # type: ignore[override, misc]
        """Add refused rows and files."""
        self.extend(rejections)
        return self


@dataclass
class Drift:
    """What did not fit the declared tables during one run.

    Attributes:
        undeclared: (table, field) -> number of records with this undeclared field.
        misfits: (table, field) -> number of values that did not fit the declared type.
        rejections: the refused records and files.
        nested_levels: the maximum number of nested levels of lists and objects in a record, which
            is the first; at most `DEEPEST`.
    """

    undeclared: Counter[tuple[str, str]] = field(default_factory=Counter)
    misfits: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejections: Rejections = field(default_factory=Rejections)
    nested_levels: int = DEEPEST


class Origin(NamedTuple):
    """The file that a row was read from.

    Attributes:
        record_source: stories_csv, history_csv or json.
        source_file: the file's path as given to the run.
        source_line: the line on which the row starts; None for files without lines.
        is_date_only: whether the file gives dates without times.
        number: the record's position in its list, from 1; None if the line identifies it.
    """

    record_source: str
    source_file: str
    source_line: int | None = None
    is_date_only: bool | None = None
    number: int | None = None


def to_arrow(
    table: Table,
    records: Sequence[Record],
    record_source: str,
    drift: Drift,
    origins: Sequence[Origin] | None = None,
    request: str | None = None,
) -> pa.Table:
    """Build rows of a raw table from records that have been shaped for it.

    Args:
        table: the raw table.
        records: one dict per row, with Tracker's field names (see `shape`).
        record_source: the kind of source, stored with each row.
        drift: collects what did not fit, and the refused records.
        origins: the origin of each record; replaces `record_source`.
        request: method and path of the API request, for refusals.

    Returns:
        A table with `table.arrow_schema`: one row per record, in order, without refused records.
    """
    refused: dict[int, tuple[str | None, object, str]] = {}  # place -> column, value, reason
    present = set().union(*records)
    extras = _undeclared_fields(table, records, present, drift, refused)
    arrays = []
    for name, kind in table.columns.items():
        is_key = name in table.key
        if name not in present and not is_key:
            arrays.append(pa.nulls(len(records), ARROW_TYPES[kind]))
            continue
        values = [record.get(name) for record in records]
        try:
            array = _FAST[kind](values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            array = _convert_one_by_one(table, name, values, extras, drift, refused)
        if kind == "json":
            for place in np.flatnonzero(may_be_too_deep(array, drift.nested_levels)).tolist():
                if is_too_deep(values[place], drift.nested_levels):
                    refused[place] = (name, values[place], too_deep(drift.nested_levels))
        if is_key and array.null_count:
            for place in np.flatnonzero(array.is_null()).tolist():
                has_value = values[place] is not None
                reason = "no usable key" if has_value else "a record without its key"
                refused.setdefault(place, (name, values[place], reason))
        arrays.append(array)
    arrays.append(pa.array([_json_text(extra) if extra else None for extra in extras], pa.string()))
    origins = origins or [Origin(record_source, "")] * len(records)
    arrays += [
        pa.array([each.record_source for each in origins], pa.string()),
        pa.array([each.source_file or None for each in origins], pa.string()),
        pa.array([each.source_line for each in origins], pa.int64()),
        pa.array([each.is_date_only for each in origins], pa.bool_()),
    ]
    arrays.append(pa.nulls(len(records), pa.bool_()))
    rows = pa.Table.from_arrays(arrays, schema=table.arrow_schema)
    if not refused:
        return rows
    for place, (column, value, reason) in sorted(refused.items()):
        origin = origins[place]
        drift.rejections.append(
            Rejection(
                origin.source_file or None,
                origin.source_line,
                column,
                excerpt(value),
                reason,
                table.name,
                request,
                place + 1 if request else origin.number,
            )
        )
    is_kept = np.ones(len(records), bool)
    is_kept[list(refused)] = False
    return rows.filter(pa.array(is_kept))


def excerpt(value: object) -> str | None:
    """A value as text for a refusal: valid Unicode, at most 200 characters."""
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else _json_text(value)
    except (RecursionError, TypeError, ValueError):
        text = type(value).__name__
    return valid_text(text[:_EXCERPT_CHARACTERS])


def valid_text(text: str) -> str:
    """Replace lone surrogates, which cannot be encoded, by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub(_REPLACEMENT, text)


def removal_rows(table: Table, keys: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows that tell the destination to delete the stored rows with these keys.

    Args:
        table: the raw table.
        keys: one tuple per row, in the order of `table.key`.

    Returns:
        A table with `table.arrow_schema`; all columns but the key and `is_removed` are null.
    """
    rows = [{**dict(zip(table.key, key, strict=True)), "is_removed": True} for key in keys]
    return pa.Table.from_pylist(rows, schema=table.arrow_schema)


def with_column(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Replace a column of a table."""
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(place), values)


def marked_deleted(stories: pa.Table, evidence: str, deleted_at: datetime) -> pa.Table:
    """Mark rows of `stories` as deleted, because of an `export` or a `listing` without them."""
    marks = {"is_deleted": True, "delete_evidence": evidence, "deleted_at": deleted_at}
    for name, value in marks.items():
        scalar = pa.scalar(value, stories.schema.field(name).type)
        stories = with_column(stories, name, pa.repeat(scalar, len(stories)))
    return stories


def stable_id(*parts: object, bits: int = 62) -> int:
    """A negative number that depends only on the given parts."""
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return -(int.from_bytes(digest[:8], "big") >> (64 - bits)) or -1


def shape(table_name: str, record: Record, project_id: int | None = None) -> Record:
    """Shape an API record like a row: move nested ids to columns, and rename a `title` to `name`.

    Args:
        table_name: the raw table of the record.
        record: one record as returned by the API; it is not changed.
        project_id: the project whose list was read, for records without a project id.
    """
    shaped = dict(record)
    if project_id is not None:
        shaped.setdefault("project_id", project_id)
    shaper = _SHAPERS.get(table_name)
    return shaper(shaped) if shaper else shaped


def usable(table: Table, columns: Iterable[str], record: Record) -> Record:
    """Check that a shaped record has valid values in these columns; convert ids to numbers.

    Raises:
        RowRefused: if one of them is missing or invalid.
    """
    for name in columns:
        value, kind = record.get(name), table.columns[name]
        if value is None:
            raise RowRefused(name, None, "a record without its key")
        try:
            converted = _SLOW[kind](value)
        except (TypeError, ValueError, InvalidOperation, OverflowError, OSError):
            raise RowRefused(name, excerpt(value), "no usable key") from None
        if kind == "bigint":
            record[name] = converted
    return record


def history_day_records(container: Record, project_id: int) -> list[Record]:
    """Rows of `history_days` from a `daily_history_container` (a header and arrays of values)."""
    header, data = container.get("header"), container.get("data")
    if not isinstance(header, list) or not all(isinstance(name, str) for name in header):
        return []
    return [
        {**dict(zip(header, values, strict=False)), "project_id": project_id}
        for values in (data if isinstance(data, list) else [])
        if isinstance(values, list)
    ]


def cell_bytes(column: pa.StringArray) -> tuple[np.ndarray, memoryview]:
    """The offset of each cell, and of the end, in the bytes of all cells; and these bytes."""
    _, offsets, content = column.buffers()
    if content is None:
        return np.zeros(len(column) + 1, np.int32), memoryview(b"")
    starts = np.frombuffer(offsets, np.int32)[column.offset :][: len(column) + 1]
    return starts - starts[0], memoryview(content)[starts[0] : starts[-1]]


def keys_of(table: Table, rows: pa.Table) -> list[tuple[Any, ...]]:
    """The keys of rows of a raw table."""
    columns = (rows[name].to_numpy(zero_copy_only=False).tolist() for name in table.key)
    return list(zip(*columns, strict=True))


def parse_instant(value: object) -> datetime:
    """Parse a timestamp as Tracker writes it: ISO 8601, or milliseconds since 1970.

    Raises:
        ValueError: if the value is neither.
        OverflowError, OSError: if the milliseconds are out of range.
    """
    if isinstance(value, bool):
        raise ValueError("a boolean is not an instant")
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC)
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} is not an instant")
    instant = datetime.fromisoformat(value)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def whole_number(value: object) -> int:
    """A whole number of at most 64 bits, which may be written as text or as `7.0`.

    Raises:
        TypeError, ValueError, OverflowError: if the value is no such number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError("not a number")
    number = int(value) if not isinstance(value, float) else int(Decimal(value))
    if isinstance(value, float) and number != value:
        raise ValueError("not a whole number")
    if abs(number) > _MAX_INT64:
        raise OverflowError("more than 64 bits")
    return number


def instant_or_none(value: object) -> datetime | None:
    """Parse a timestamp; None if it is invalid."""
    try:
        return parse_instant(value)
    except (ValueError, OverflowError, OSError):
        return None


# Shapes -----------------------------------------------------------------------------------------


def _named(record: Record) -> Record:
    """Rename a `title`, as some hosts call it, to `name`."""
    if "name" not in record and "title" in record:
        record["name"] = record.pop("title")
    return record


def _id_in(record: Record, name: str) -> object:
    """The id of a nested object; None if there is no such object."""
    inner = record.get(name)
    return inner.get("id") if isinstance(inner, dict) else None


def _shape_activity(record: Record) -> Record:
    project_id, _, project_version = str(record.get("guid") or "").partition("_")
    record.setdefault("project_id", _id_in(record, "project") or project_id or None)
    record.setdefault("project_version", project_version or None)
    record["performed_by_id"] = _id_in(record, "performed_by")
    return record


def _shape_membership(record: Record) -> Record:
    record.setdefault("person_id", _id_in(record, "person"))
    return record


def _shape_epic(record: Record) -> Record:
    record.setdefault("label_id", _id_in(record, "label"))
    return _named(record)


def _shape_iteration(record: Record) -> Record:
    stories = record.pop("stories", None)
    if isinstance(stories, list) and "story_ids" not in record:
        record["story_ids"] = [each.get("id") for each in stories if isinstance(each, dict)]
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


def _undeclared_fields(
    table: Table,
    records: Sequence[Record],
    present: set[str],
    drift: Drift,
    refused: dict[int, tuple[str | None, object, str]],
) -> list[Record]:
    """The undeclared fields of each record, without secrets."""
    undeclared = present - table.columns.keys() - table.ignored
    if not undeclared:
        return [{} for _ in records]
    extras: list[Record] = []
    for place, record in enumerate(records):
        extra = {}
        for name in record.keys() & undeclared:
            value = record[name]
            if value is None or _SECRET_FIELD.search(name):
                continue
            if is_too_deep(value, drift.nested_levels):
                refused[place] = (name, value, too_deep(drift.nested_levels))
                continue
            extra[name] = _without_secrets(value)
            drift.undeclared[table.name, name] += 1
        extras.append(extra)
    return extras


def too_deep(levels: int) -> str:
    """The reason for refusing a record with more than these levels of lists and objects."""
    return f"nested more than {levels} levels deep"


def may_be_too_deep(cells: pa.StringArray, levels: int) -> np.ndarray:
    """Whether each field, as JSON text, has enough brackets for `is_too_deep`."""
    starts, content = cell_bytes(cells)
    brackets = np.flatnonzero((np.frombuffer(content, np.uint8) & 0xDF) == _OPEN)
    return np.diff(np.searchsorted(brackets, starts)) >= levels


def is_too_deep(value: object, levels: int) -> bool:
    """Whether a record with this field has more than these levels of lists and objects."""
    level, depth = [value], 1
    while level and depth < levels:
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        depth += 1
    return bool(level)


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


def _convert_one_by_one(
    table: Table,
    name: str,
    values: list[Any],
    extras: list[Record],
    drift: Drift,
    refused: dict[int, tuple[str | None, object, str]],
) -> pa.Array:
    """Convert a column value by value: misfits become null, and are stored in `extra_fields`.

    A misfit in the key is not stored there, because its record is refused.
    """
    kind = table.columns[name]
    converted: list[Any] = []
    for place, value in enumerate(values):
        try:
            converted.append(None if value is None else _SLOW[kind](value))
        except (TypeError, ValueError, InvalidOperation, OverflowError, OSError):
            converted.append(None)
            if is_too_deep(value, drift.nested_levels):
                refused[place] = (name, value, too_deep(drift.nested_levels))
            elif name not in table.key:
                extras[place][name] = value
                drift.misfits[table.name, name] += 1
    return pa.array(converted, ARROW_TYPES[kind])


def _json_text(value: object) -> str:
    """Convert a value to JSON text.

    Raises:
        ValueError: if it is nested too deeply.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # a number of more than 64 bits, a lone surrogate, or too many levels
        if is_too_deep(value, DEEPEST):
            raise ValueError(too_deep(DEEPEST)) from None
        return json.dumps(_storable(value), sort_keys=True, ensure_ascii=False)


def _storable(value: object) -> object:
    """Convert a value to one that JSON can express; infinity becomes null, as in orjson."""
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {valid_text(str(name)): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int) else valid_text(str(value))


def _bigints(values: list[Any]) -> pa.Array:
    # Arrow would truncate floats, and convert booleans to 0 or 1.
    if not set(map(type, values)) <= {int, NoneType}:
        raise TypeError("not a whole number")
    return pa.array(values, pa.int64())


def _doubles(values: list[Any]) -> pa.Array:
    if bool in set(map(type, values)):
        raise TypeError("not a number")
    numbers = pa.array(values, pa.float64())
    if pc.all(pc.is_finite(numbers)).as_py() is False:
        raise ValueError("not a finite number")
    return numbers


def _timestamps(values: list[Any]) -> pa.Array:
    instants = pc.cast(pa.array(values, pa.string()), ARROW_TYPES["timestamp"])
    if are_out_of_range(instants):
        raise ValueError("year out of range")
    return instants


def are_out_of_range(instants: pa.Array | pa.ChunkedArray) -> bool:
    """Whether any timestamp is outside the years 1 to 9999, which not all engines can store."""
    found = pc.min_max(instants.cast(pa.int64())).as_py()
    return found["min"] is not None and (found["min"] < _FIRST or found["max"] > _LAST)


def _json_texts(values: list[Any]) -> pa.Array:
    dumps = orjson.dumps
    return pa.array([None if value is None else dumps(value) for value in values], pa.string())


_FAST: dict[ColumnType, Callable[[list[Any]], pa.Array]] = {
    "bigint": _bigints,
    "decimal": lambda values: _doubles(values).cast(ARROW_TYPES["decimal"]),
    "double": _doubles,
    "text": lambda values: pa.array(values, pa.string()),
    "bool": lambda values: pa.array(values, pa.bool_()),
    "timestamp": _timestamps,
    "date": lambda values: pc.cast(pa.array(values, pa.string()), pa.date32()),
    "json": _json_texts,
}


def _one_decimal(value: object) -> Decimal:
    if isinstance(value, bool):
        raise TypeError("not a number")
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) >= _MAX_DECIMAL:
        raise ValueError("out of range")
    return number.quantize(Decimal("0.0001"))


def _one_double(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError("not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _one_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return valid_text(value)


def _one_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return value


def _one_date(value: object) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else parse_instant(value).date()


_SLOW: dict[ColumnType, Callable[[Any], Any]] = {
    "bigint": whole_number,
    "decimal": _one_decimal,
    "double": _one_double,
    "text": _one_text,
    "bool": _one_bool,
    "timestamp": parse_instant,
    "date": _one_date,
    "json": _json_text,
}
