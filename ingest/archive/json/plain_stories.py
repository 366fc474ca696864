"""The stories of a large JSON file, column by column, where each story is plain.

A story is plain when taking it in by itself (`store`) would find nothing but the values of declared
columns: of such stories the same rows come out, several times faster and without an object for
each value. Every other story is left to be taken in by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.distinct_texts import DistinctTexts, group_rows
from ingest.archive.files.archive_file import ArchiveFile, chunks
from ingest.archive.id_set import are_distinct
from ingest.archive.json.columns import are_plain, column_of
from ingest.archive.text_columns import flags
from ingest.records import Record, are_out_of_range
from ingest.tables import TABLES

LEAST_BYTES = 1 << 20  # of a smaller file nothing is to be gained
_TABLE = TABLES["stories"]
_HEAD = 64 * 1024
_BATCH = 20_000
_FIRST_KIND = re.compile(rb'"kind"\s*:\s*"(\w+)"')
_ID = re.compile("-?[0-9]{1,18}")
# Persons stand in them, of whom the store takes note one by one.
_NESTING_PERSONS = frozenset({"owners"})
_MEMORY = "256MB"


class _NotPlainError(Exception):
    """The file is to be read record by record."""


@dataclass
class PlainStories:
    """What a large JSON file tells of stories.

    Attributes:
        rows: the plain stories as rows of `stories`.
        others: the line and the record of each other story.
    """

    rows: pa.Table
    others: list[tuple[int | None, Record]]

    @property
    def ids(self) -> np.ndarray:
        """The ids of the plain stories."""
        return self.rows["id"].to_numpy()

    @property
    def newest(self) -> datetime | None:
        """The newest instant of any."""
        updated, created = self.rows["updated_at"], self.rows["created_at"]
        return pc.max(pc.coalesce(updated, created)).as_py()

    @property
    def project_ids(self) -> list[int]:
        """The projects that they are of."""
        return self.rows["project_id"].unique().to_pylist()

    def carriers_of_labels(self) -> Iterator[tuple[int | None, Record]]:
        """The first story of each list of labels, with its line: these alone, and the project."""
        labels = DistinctTexts(self.rows["labels"].combine_chunks())
        projects = self.rows["project_id"].combine_chunks().dictionary_encode()
        firsts, _ = group_rows(labels.codes, projects.indices.to_numpy())
        lines = self.rows["source_line"].take(pa.array(firsts)).to_pylist()
        for line, place in zip(lines, firsts.tolist(), strict=True):
            if cell := labels.distinct[labels.codes[place]]:
                yield line, {"project_id": projects[place].as_py(), "labels": orjson.loads(cell)}

    def with_attachments(self) -> Iterator[tuple[int | None, Record]]:
        """Stories with files in their comments, and their lines: these alone, and their ids."""
        rows = self.rows.select(["source_line", "id", "project_id", "comments"])
        has_files = pc.match_substring(rows["comments"], '"file_attachments"')
        for row in rows.filter(has_files).to_pylist():
            line = row.pop("source_line")
            yield line, {**row, "comments": orjson.loads(row["comments"])}


def read_plain_stories(file: ArchiveFile, record_source: str) -> PlainStories | None:
    """Read a file that is one list of stories, or has one on each line.

    None for any other file, and for one that only the reading record by record can tell about: it
    is broken, or not UTF-8, or tells of one story twice.

    Args:
        file: what is read; a member of a zip is never read at once.
        record_source: stored with each row.
    """
    form = _form(file)
    if form is None:
        return None
    try:
        with duckdb.connect(config={"memory_limit": _MEMORY}) as connection:
            plain = _read(connection, file, form, record_source)
    except (duckdb.Error, pa.ArrowException, orjson.JSONDecodeError, OSError, _NotPlainError):
        return None
    return plain if are_distinct(_ids(plain)) else None


def _form(file: ArchiveFile) -> str | None:
    """How DuckDB calls the form of the file; None for a file that is no list of stories."""
    if file.member or file.size < LEAST_BYTES or file.has_pattern_path:
        return None
    try:
        with file.path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return None
    kind = _FIRST_KIND.search(head)
    if kind is None or kind[1] != b"story" or b'"_airbyte_' in head or b'"RECORD"' in head:
        return None
    if re.match(rb"\s*\[\s*\{", head):
        return "array"
    return "newline_delimited" if re.match(rb"\{.+\}\s*\n\s*\{", head) else None


def _read(
    connection: duckdb.DuckDBPyConnection, file: ArchiveFile, form: str, record_source: str
) -> PlainStories:
    source = str(file.path.resolve())
    settings = f"format = '{form}', compression = 'none', hive_partitioning = false"
    names = connection.execute(
        "select distinct unnest(json_keys(story)) from "
        f"read_json(?, columns = {{story: 'JSON'}}, records = false, {settings})",
        [source],
    ).fetchall()
    if any("\0" in name for (name,) in names):
        raise _NotPlainError  # in no statement
    columns = ", ".join(f"{_quoted(name)}: 'JSON'" for (name,) in sorted(names))
    told = connection.sql(
        f"select * from read_json(?, columns = {{{columns}}}, records = true, {settings})",
        params=[source],
    )
    first_line = None if form == "array" else 1
    tables: list[pa.Table] = []
    others: list[tuple[int | None, Record]] = []
    for batch in told.to_arrow_reader(_BATCH):
        rows, odd = _split(batch, first_line)
        tables.append(_with_origin(rows, record_source, file.name))
        others += odd
        first_line = None if first_line is None else first_line + len(batch)
    if first_line is not None and first_line - 1 != _lines_count(file):
        raise _NotPlainError  # with empty lines between, nobody knows which story stands where
    rows = pa.concat_tables([_TABLE.arrow_schema.empty_table(), *tables])
    if any(are_out_of_range(each) for each in rows.columns if pa.types.is_timestamp(each.type)):
        raise _NotPlainError
    return PlainStories(rows, others)


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _lines_count(file: ArchiveFile) -> int:
    count, last = 0, b"\n"
    with file.path.open("rb") as stream:
        for chunk in chunks(stream):
            count, last = count + chunk.count(b"\n"), chunk[-1:]
    return count + (last != b"\n")


def _ids(plain: PlainStories) -> np.ndarray:
    """The ids of all stories, however they are spelt; what is no id is refused later."""
    spelt = (str(record.get("id")) for _, record in plain.others)
    others = [int(each) for each in spelt if _ID.fullmatch(each)]
    return np.concatenate([plain.ids, np.array(others, np.int64)])


# Columns ----------------------------------------------------------------------------------------


def _split(
    batch: pa.RecordBatch, first_line: int | None
) -> tuple[pa.Table, list[tuple[int | None, Record]]]:
    """The plain stories as rows without an origin but their line, and the other ones."""
    cells = dict(zip(batch.schema.names, batch.columns, strict=True))
    if not flags(pc.equal(cells.pop("kind"), '"story"')).all():
        raise _NotPlainError
    lines = np.arange(len(batch)) + (first_line or 0)
    plain = _are_plain(cells, len(batch))
    others: list[tuple[int | None, Record]] = []
    if not plain.all():
        odd = np.flatnonzero(~plain)
        told = batch.take(pa.array(odd)).to_pylist()
        numbers = [None if first_line is None else int(lines[place]) for place in odd]
        others = list(zip(numbers, map(_record, told), strict=True))
        chosen = pa.array(plain)
        cells = {name: cell.filter(chosen) for name, cell in cells.items()}
    count = int(plain.sum())
    arrays = {
        name: column_of(cell, _TABLE.columns[name])
        for name, cell in cells.items()
        if name in _TABLE.columns
    }
    if first_line is not None:
        arrays["source_line"] = pa.array(lines[plain])
    schema = _TABLE.arrow_schema
    columns = [arrays.get(field.name, pa.nulls(count, field.type)) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema), others


def _are_plain(cells: dict[str, pa.StringArray], count: int) -> np.ndarray:
    """For each story whether nothing but values of declared columns is to be found in it."""

    def is_absent(name: str) -> np.ndarray:
        return flags(pc.is_null(cells.get(name, absent)))

    absent = pa.nulls(count, pa.string())
    is_plain = ~is_absent("id") & ~is_absent("project_id")
    for name, cell in cells.items():
        if cell.null_count == count:
            continue
        if name not in _TABLE.columns or name in _NESTING_PERSONS:
            is_plain &= is_absent(name)
        else:
            is_plain &= is_absent(name) | flags(are_plain(cell, _TABLE.columns[name]))
    is_plain &= is_absent("labels") | flags(pc.starts_with(cells.get("labels", absent), "["))
    is_plain &= ~flags(pc.equal(cells.get("story_type", absent), '"release"'))
    # Who owns it, when only the first owner is told.
    return is_plain & (~is_absent("owner_ids") | is_absent("owned_by_id"))


def _record(cells: dict[str, str | None]) -> Record:
    return {name: orjson.loads(cell) for name, cell in cells.items() if cell is not None}


def _with_origin(rows: pa.Table, record_source: str, file: str) -> pa.Table:
    for name, value in (("record_source", record_source), ("source_file", file)):
        place = rows.schema.get_field_index(name)
        column = pa.repeat(pa.scalar(value), len(rows))
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows
