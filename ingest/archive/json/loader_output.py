"""Read the output of other loaders: Airbyte's source-pivotal-tracker, and Singer taps.

Both wrap the API's records. Airbyte writes JSON lines, CSV or Parquet with the record in the column
`_airbyte_data` or with its own columns next to the record's fields, or messages of its protocol;
Singer writes messages of type RECORD.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import text_of
from ingest.records import Record
from ingest.tables import TABLES

_PARQUET = b"PAR1"
_HEAD = 64 * 1024
_OWN = "_airbyte_"
_DATA = "_airbyte_data"
_MARKS = ("_airbyte_ab_id", "_airbyte_raw_id", _DATA)
_READ_AT = ("_airbyte_emitted_at", "_airbyte_extracted_at")
_OTHER_MESSAGES = frozenset(
    {"SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH", "LOG", "TRACE", "CONTROL", "CATALOG", "SPEC",
     "CONNECTION_STATUS"}
)  # fmt: skip
_TABLE_OF_STREAM = {
    "project_memberships": "memberships",
    "memberships": "memberships",
    "projects": "projects",
    "stories": "stories",
    "labels": "labels",
    "releases": "releases",
    "epics": "epics",
    "activity": "activity",
    "accounts": "accounts",
}
_STREAM = re.compile(rf"(?<![a-z])(?:{'|'.join(_TABLE_OF_STREAM)})(?![a-z])")
# Fields with objects or lists, which are text in CSV and Parquet files.
_NESTED = frozenset(
    {"project", "performed_by", "person", "label", "requested_by", "owned_by"}
    | {name for table in TABLES.values() for name, kind in table.columns.items() if kind == "json"}
)
_KINDS = {name: kind for table in TABLES.values() for name, kind in table.columns.items()}


class LoaderRecord(NamedTuple):
    """One record of another loader.

    Attributes:
        record: the record, or its JSON text; None for a message without a record.
        read_at: when the loader read it from the API, in the loader's format.
        stream: the loader's name of the list.
    """

    record: object
    read_at: object
    stream: str | None


def loader_record(value: Record) -> LoaderRecord | None:
    """Unwrap a record of another loader; None if the value is not wrapped by a loader."""
    if "_airbyte_ab_id" in value or "_airbyte_raw_id" in value or _DATA in value:
        read_at = next((value[name] for name in _READ_AT if value.get(name)), None)
        if _DATA in value:
            return LoaderRecord(value[_DATA], read_at, None)
        record = {name: each for name, each in value.items() if not name.startswith(_OWN)}
        return LoaderRecord(record, read_at, None)
    kind, message = value.get("type"), value.get("record")
    if kind == "RECORD" and isinstance(message, dict):
        stream = value.get("stream", message.get("stream"))
        if isinstance(message.get("data"), dict) and "emitted_at" in message:
            return LoaderRecord(message["data"], message["emitted_at"], str(stream))
        return LoaderRecord(message, value.get("time_extracted"), str(stream))
    if isinstance(kind, str) and kind in _OTHER_MESSAGES and "kind" not in value:
        return LoaderRecord(None, None, None)
    return None


def table_of_stream(stream: str | None) -> str | None:
    """The raw table of a loader's stream; None if there is none."""
    return _TABLE_OF_STREAM.get((stream or "").removeprefix("_airbyte_raw_"))


def stream_of(file: ArchiveFile) -> str | None:
    """The stream in a file's name, or else in its folder's."""
    found = _STREAM.findall(file.name.lower().replace("_airbyte_raw_", " "))
    return found[-1] if found else None


def is_loader_table(head: bytes) -> bool:
    """Whether this is the start of a Parquet file, or of a CSV file of Airbyte."""
    if head.startswith(_PARQUET):
        return True
    header = text_of(head[:_HEAD]).lstrip("\ufeff").partition("\n")[0]
    return header[:1] not in ("{", "[") and any(mark in header for mark in _MARKS)


def table_values(content: bytes) -> Iterator[tuple[int | None, object]]:
    """The rows of a Parquet file, or of a CSV file of Airbyte, each with its line.

    Raises:
        FileRefused: if the Parquet file is damaged.
    """
    if not content.startswith(_PARQUET):
        yield from _csv_values(text_of(content).lstrip("\ufeff"))
        return
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        for batch in file.iter_batches(2_000):
            columns = [_values(column) for column in batch.columns]
            for cells in zip(*columns, strict=True):
                yield None, as_record(dict(zip(batch.schema.names, cells, strict=True)))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FileRefused(f"is a damaged Parquet file: {str(error).splitlines()[0]}") from None


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; a timestamp that Python cannot express remains a number."""
    try:
        return column.to_pylist()
    except (ValueError, OverflowError):
        return [_value(each) for each in column]


def _value(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return getattr(scalar, "value", None)


def _csv_values(text: str) -> Iterator[tuple[int, object]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    header: list[str] = []
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, RowRefused(None, None, f"broken quoting: {error}")
            cells = []
        if cells and not header:
            header = cells
        elif cells:
            row = {name: cell for name, cell in zip(header, cells, strict=False) if cell}
            yield line, as_record({name: _typed(name, cell) for name, cell in row.items()})
        line = reader.line_num + 1


def _typed(name: str, cell: str) -> object:
    """Convert a CSV cell to a number or a boolean if its field has this type."""
    kind = _KINDS.get(name)
    if kind == "bigint" and re.fullmatch(r"-?\d{1,18}(\.0)?", cell):
        return int(cell.partition(".")[0])
    if kind == "bool" and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    return cell


def as_record(row: Record) -> Record:
    """Convert a row to the form of JSON, without null fields."""
    found = {name: _as_json(name, value) for name, value in row.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None}


def _as_json(name: str, value: Any) -> Any:  # noqa: ANN401 - any value of a column
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return as_record(value)
    if isinstance(value, list | tuple):
        return [_as_json("", each) for each in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return text_of(value)
    if not isinstance(value, str | int | float | None):
        return str(value)
    if isinstance(value, str) and name in _NESTED and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
