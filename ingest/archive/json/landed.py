"""What other loaders landed: Airbyte's output of source-pivotal-tracker, and Singer's messages.

Both hold records as the API gave them, in a wrapping of their own: Airbyte as JSON lines, CSV or
Parquet with its columns beside the record (`_airbyte_data`) or among its fields, or as the messages
of its protocol; Singer as messages of type RECORD.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import text_of
from ingest.records import Record
from ingest.tables import TABLES

PARQUET = b"PAR1"
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
# Fields that hold objects or lists, which a table can only have as text.
_NESTED = frozenset(
    {"project", "performed_by", "person", "label", "requested_by", "owned_by"}
    | {name for table in TABLES.values() for name, kind in table.columns.items() if kind == "json"}
)
_KINDS = {name: kind for table in TABLES.values() for name, kind in table.columns.items()}


class Landed(NamedTuple):
    """One record in a loader's wrapping.

    Attributes:
        record: the record, or the text of it.
        read_at: when the loader read it from the API, as it wrote that.
        stream: the loader's name of the list that it is of.
    """

    record: object
    read_at: object
    stream: str | None


def unwrapped(value: Record) -> Landed | None:
    """What a loader's wrapping holds; a record of None for a message without one.

    None for what is no such wrapping.
    """
    if "_airbyte_ab_id" in value or "_airbyte_raw_id" in value or _DATA in value:
        read_at = next((value[name] for name in _READ_AT if value.get(name)), None)
        if _DATA in value:
            return Landed(value[_DATA], read_at, None)
        record = {name: each for name, each in value.items() if not name.startswith(_OWN)}
        return Landed(record, read_at, None)
    kind, message = value.get("type"), value.get("record")
    if kind == "RECORD" and isinstance(message, dict):
        stream = value.get("stream", message.get("stream"))
        if isinstance(message.get("data"), dict) and "emitted_at" in message:
            return Landed(message["data"], message["emitted_at"], str(stream))
        return Landed(message, value.get("time_extracted"), str(stream))
    if isinstance(kind, str) and kind in _OTHER_MESSAGES and "kind" not in value:
        return Landed(None, None, None)
    return None


def table_of_stream(stream: str | None) -> str | None:
    """The raw table that a loader's list fills; None for another or an unknown one."""
    return _TABLE_OF_STREAM.get((stream or "").removeprefix("_airbyte_raw_"))


def stream_of(file: ArchiveFile) -> str | None:
    """The list that a file's name, or else its folder's, names."""
    found = _STREAM.findall(file.name.lower().replace("_airbyte_raw_", " "))
    return found[-1] if found else None


def is_landed_table(head: bytes) -> bool:
    """Whether a file that begins so is a Parquet file, or a CSV of Airbyte's."""
    if head.startswith(PARQUET):
        return True
    header = text_of(head[:_HEAD]).lstrip("\ufeff").partition("\n")[0]
    return header[:1] not in ("{", "[") and any(mark in header for mark in _MARKS)


def table_values(content: bytes) -> Iterator[tuple[int | None, object]]:
    """The rows of a Parquet file, or of a CSV of Airbyte's, each with its line.

    Raises:
        FileRefused: when the Parquet file is damaged.
    """
    if not content.startswith(PARQUET):
        yield from _csv_values(text_of(content).lstrip("\ufeff"))
        return
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        for batch in file.iter_batches(2_000):
            for row in batch.to_pylist():
                yield None, _plain(row)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FileRefused(f"is no whole Parquet file: {str(error).splitlines()[0]}") from None


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
            yield line, _plain({name: _typed(name, cell) for name, cell in row.items()})
        line = reader.line_num + 1


def _typed(name: str, cell: str) -> object:
    """A cell as what its field holds: whole numbers and truths are text in a CSV."""
    kind = _KINDS.get(name)
    if kind == "bigint" and re.fullmatch(r"-?\d{1,18}(\.0)?", cell):
        return int(cell.partition(".")[0])
    if kind == "bool" and cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    return cell


def _plain(row: Record) -> Record:
    """A row as JSON would give it, without the fields that are null in it."""
    found = {name: _as_json(name, value) for name, value in row.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None}


def _as_json(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_as_json("", each) for each in value]
    if isinstance(value, str) and name in _NESTED and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
