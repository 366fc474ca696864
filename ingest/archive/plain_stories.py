"""The stories of a large JSON file, column by column, where each story is plain.

A story is plain when taking it in by itself (`store`) would find nothing but the values of declared
columns: of such stories the same rows come out, several times faster and without an object for
each value. Every other story is left to be taken in by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.distinct_texts import DistinctTexts, alike
from ingest.archive.files import ArchiveFile, chunks
from ingest.archive.text_columns import flags
from ingest.records import Record
from ingest.tables import ARROW_TYPES, TABLES
from ingest.tables.table import ColumnType

LEAST_BYTES = 1 << 20  # of a smaller file nothing is to be gained
_TABLE = TABLES["stories"]
_HEAD = 64 * 1024
_BATCH = 20_000
_FIRST_KIND = re.compile(rb'"kind"\s*:\s*"(\w+)"')
_ID = re.compile("-?[0-9]{1,18}")
_GLOB = re.compile(r"[*?\[]")
# Persons stand in them, of whom the store takes note one by one.
_NESTING_PERSONS = frozenset({"owners"})
# What orjson would write otherwise than DuckDB does, and some that it would not.
_NEEDS_REWRITING = r"\\u|[0-9][.eE]|[0-9]{18}|NaN|Inf"


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
        firsts, _ = alike(labels.codes, projects.indices.to_numpy())
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
        with duckdb.connect() as connection:
            plain = _read(connection, file, form, record_source)
    except (duckdb.Error, pa.ArrowException, orjson.JSONDecodeError, _NotPlainError):
        return None
    return plain if (np.diff(np.sort(_ids(plain))) > 0).all() else None


def _form(file: ArchiveFile) -> str | None:
    """How DuckDB calls the form of the file; None for a file that is no list of stories."""
    if file.member or file.size < LEAST_BYTES or _GLOB.search(str(file.path)):
        return None
    with file.path.open("rb") as stream:
        head = stream.read(_HEAD)
    kind = _FIRST_KIND.search(head)
    if kind is None or kind[1] != b"story":
        return None
    if re.match(rb"\s*\[\s*\{", head):
        return "array"
    return "newline_delimited" if re.match(rb"\{.+\}\s*\n\s*\{", head) else None


def _read(
    connection: duckdb.DuckDBPyConnection, file: ArchiveFile, form: str, record_source: str
) -> PlainStories:
    source, settings = str(file.path.resolve()), f"format = '{form}', compression = 'none'"
    names = connection.execute(
        "select distinct unnest(json_keys(story)) from "
        f"read_json(?, columns = {{story: 'JSON'}}, records = false, {settings})",
        [source],
    ).fetchall()
    columns = {name: "JSON" for (name,) in sorted(names)}
    told = connection.sql(
        f"select * from read_json(?, columns = {columns!r}, records = true, {settings})",
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
    return PlainStories(pa.concat_tables([_TABLE.arrow_schema.empty_table(), *tables]), others)


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
        name: _CONVERTED[_TABLE.columns[name]](cell)
        for name, cell in cells.items()
        if name in _TABLE.columns
    }
    if first_line is not None:
        arrays["source_line"] = pa.array(lines[plain])
    schema = _TABLE.arrow_schema
    columns = [arrays.get(field.name, pa.nulls(count, field.type)) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema), others


def _are_plain(cells: dict[str, pa.StringArray], count: int) -> np.ndarray:
    absent = pa.nulls(count, pa.string())
    is_plain = np.ones(count, np.bool_)
    for name, cell in cells.items():
        is_plain &= flags(pc.is_null(cell)) if name not in _TABLE.columns else True
    for name, kind in _TABLE.columns.items():
        cell = cells.get(name, absent)
        if cell.null_count == count:
            continue
        is_absent = flags(pc.is_null(cell))
        is_plain &= is_absent | flags(_IS_PLAIN[kind](cell))
        if name in _NESTING_PERSONS:
            is_plain &= is_absent
    for name in ("id", "project_id"):
        is_plain &= flags(pc.is_valid(cells.get(name, absent)))
    labels, story_types = cells.get("labels", absent), cells.get("story_type", absent)
    is_plain &= flags(pc.is_null(labels)) | flags(pc.starts_with(labels, "["))
    is_plain &= ~flags(pc.equal(story_types, '"release"'))
    # Who owns it, when only the first owner is told.
    has_owners = flags(pc.is_valid(cells.get("owner_ids", absent)))
    return is_plain & (has_owners | flags(pc.is_null(cells.get("owned_by_id", absent))))


def _record(cells: dict[str, str | None]) -> Record:
    return {name: orjson.loads(cell) for name, cell in cells.items() if cell is not None}


def _with_origin(rows: pa.Table, record_source: str, file: str) -> pa.Table:
    for name, value in (("record_source", record_source), ("source_file", file)):
        place = rows.schema.get_field_index(name)
        column = pa.repeat(pa.scalar(value), len(rows))
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows


def _matches(pattern: str) -> Callable[[pa.StringArray], pa.BooleanArray]:
    return lambda cells: pc.match_substring_regex(cells, pattern)


def _is_long_text(cells: pa.StringArray) -> pa.BooleanArray:
    """Whether it is a text of at least a day, a time and a zone."""
    return pc.and_(pc.starts_with(cells, '"'), pc.greater_equal(pc.binary_length(cells), 22))


_IS_PLAIN: dict[ColumnType, Callable[[pa.StringArray], pa.BooleanArray]] = {
    "bigint": _matches("^-?[0-9]{1,18}$"),
    "decimal": _matches(r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$"),
    "double": _matches(r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$"),
    "text": lambda cells: pc.starts_with(cells, '"'),
    "bool": _matches("^(true|false)$"),
    "timestamp": _is_long_text,
    "date": lambda cells: pc.starts_with(cells, '"'),
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


_CONVERTED: dict[ColumnType, Callable[[pa.StringArray], pa.Array]] = {
    "bigint": lambda cells: cells.cast(pa.int64()),
    "decimal": lambda cells: cells.cast(pa.float64()).cast(ARROW_TYPES["decimal"]),
    "double": lambda cells: cells.cast(pa.float64()),
    "text": _texts,
    "bool": lambda cells: pc.equal(cells, "true"),
    "timestamp": lambda cells: _texts(cells).cast(ARROW_TYPES["timestamp"]),
    "date": lambda cells: _texts(cells).cast(ARROW_TYPES["date"]),
    "json": _rewritten,
}
