"""Read large lists of stories or activities in bulk, column by column.

Records that are not plain (see `ingest.plain_records`), or that have information about other
records, are left to `store`. Until they are loaded, the rows are kept in a temporary file, so that
memory use does not grow with the list.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.files.archive_file import chunks
from ingest.archive.json.values import Place
from ingest.archive.text_columns import DistinctTexts, flags, group_rows
from ingest.archive.versions import CLOCKS
from ingest.plain_records import (
    Cells,
    NotPlainError,
    are_plain,
    cells_of,
    cells_query,
    is_filled,
    names_query,
    rows_of,
    with_origin,
)
from ingest.records import Origin, Record, with_column
from ingest.tables import TABLES, Table

_HEAD = 64 * 1024
_MOST_OTHERS = 10_000  # with more records that are not plain, all are read one by one
_BATCH = 20_000
_FIRST_KIND = re.compile(rb'"kind"\s*:\s*"(\w+)"')
_GUID = re.compile("([0-9]{1,9})_([0-9]{1,9})")
_MEMORY = "256MB"

Located = tuple[int | None, Record]  # a record and its line
Other = tuple[Place, Record]


class PlainList:
    """The records of a large list, which all belong to one raw table.

    Attributes:
        table: the raw table.
        others: the records that are not plain, with their places.
        rows_count: the number of plain records.
        project_ids: the projects of the plain records.
        newest: the newest timestamp of a plain record.
        named_projects: for each distinct `project` object, the newest activity with it.
    """

    def __init__(self, table: Table) -> None:
        """Start empty."""
        self.table = table
        self.others: list[Other] = []
        self.rows_count = 0
        self.project_ids: set[int] = set()
        self.newest: datetime | None = None
        self.named_projects: list[Located] = []
        self._ids: list[np.ndarray] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with its last reader
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_stream(self._file, table.arrow_schema, options=options)

    def add(self, rows: pa.Table, others: list[Other]) -> None:
        """Add the next records of the list.

        Raises:
            NotPlainError: if too many are not plain.
        """
        self._writer.write_table(rows)
        self.others += others
        if len(self.others) > _MOST_OTHERS:
            raise NotPlainError
        self.rows_count += len(rows)
        self.project_ids.update(rows["project_id"].unique().to_pylist())
        clocks = [rows[name] for name in CLOCKS if name in rows.schema.names]
        newest = pc.max(pc.coalesce(*clocks)).as_py()
        self.newest = max(filter(None, (self.newest, newest)), default=None)
        self._ids.append(_ids(rows))

    def finish(self) -> None:
        """Finish writing; call this after the last `add`."""
        self._writer.close()

    def rows(self) -> Iterator[pa.Table]:
        """The rows of the plain records, in the order of the list."""
        self._file.seek(0)
        for batch in pa.ipc.open_stream(self._file):
            yield pa.Table.from_batches([batch])

    @property
    def ids(self) -> np.ndarray:
        """A number that identifies each plain record."""
        return np.concatenate([np.empty(0, np.int64), *self._ids])

    def labelled_stories(self) -> Iterator[Located]:
        """The labels and project of the first story with each distinct list of labels."""
        for rows in self.rows():
            labels = DistinctTexts(rows["labels"].combine_chunks())
            projects = rows["project_id"].combine_chunks().dictionary_encode()
            firsts, _ = group_rows(labels.codes, projects.indices.to_numpy())
            lines = rows["source_line"].take(pa.array(firsts)).to_pylist()
            for line, place in zip(lines, firsts.tolist(), strict=True):
                if cell := labels.distinct[labels.codes[place]]:
                    project_id = projects[place].as_py()
                    yield line, {"project_id": project_id, "labels": orjson.loads(cell)}

    def stories_with_attachments(self) -> Iterator[Located]:
        """The ids and comments of the stories with attached files."""
        for table in self.rows():
            rows = table.select(["source_line", "id", "project_id", "comments"])
            has_files = pc.match_substring(rows["comments"], '"file_attachments"')
            for row in rows.filter(has_files).to_pylist():
                line = row.pop("source_line")
                yield line, {**row, "comments": orjson.loads(row["comments"])}

    def performers(self) -> Iterator[Record]:
        """The distinct `performed_by` objects of activities."""
        for rows in self.rows():
            for cell in rows["performed_by"].unique().to_pylist():
                if cell is not None:
                    yield orjson.loads(cell)


def read_plain_list(text: Iterator[bytes], origin: Origin, nested_levels: int) -> PlainList | None:
    """Read a list of stories or activities, or a file that has one on each line.

    Returns None for any other text, and for one that must be read record by record because it is
    invalid or not UTF-8.

    Args:
        text: the text, in chunks.
        origin: the file, stored with each row.
        nested_levels: the maximum number of nested levels, counting the record itself.
    """
    head = next(text, b"")
    form = _form(head[:_HEAD])
    if form is None:
        return None
    try:
        with (
            tempfile.NamedTemporaryFile(suffix=".json") as copy,
            duckdb.connect(config={"memory_limit": _MEMORY}) as connection,
        ):
            copy.writelines(chain([head], text))
            copy.flush()
            plain = _read(connection, copy.name, *form, origin, nested_levels)
    except (duckdb.Error, pa.ArrowException, orjson.JSONDecodeError, OSError, NotPlainError):
        return None
    return plain


def _form(head: bytes) -> tuple[Table, str] | None:
    """The table, and DuckDB's name of the format; None if the text cannot be read in bulk."""
    kind = _FIRST_KIND.search(head)
    if kind is None or b'"_airbyte_' in head or b'"RECORD"' in head:
        return None
    if kind[1] != b"story" and not kind[1].endswith(b"_activity"):
        return None
    table = TABLES["stories" if kind[1] == b"story" else "activity"]
    if re.match(rb"\s*\[\s*\{", head):
        return table, "array"
    is_by_line = re.match(rb"\{.+\}\s*\n\s*\{", head)
    return (table, "newline_delimited") if is_by_line else None


def _read(
    connection: duckdb.DuckDBPyConnection,
    path: str,
    table: Table,
    form: str,
    origin: Origin,
    nested_levels: int,
) -> PlainList:
    source = [path]
    names = [name for (name,) in connection.execute(names_query("?", form), source).fetchall()]
    if any("\0" in name for name in names):
        raise NotPlainError  # SQL text cannot contain it
    if table.name == "activity" and "project_id" in names:
        raise NotPlainError  # a null project id is not the same as a missing one
    plain = PlainList(table)
    batches = connection.sql(cells_query("?", form, sorted(names)), params=source)
    is_by_line, count = form == "newline_delimited", 0
    for batch in batches.to_arrow_reader(_BATCH):
        rows, others, named_projects = _split(table, batch, count + 1, is_by_line, nested_levels)
        plain.add(with_origin(rows, origin.record_source, origin.source_file), others)
        plain.named_projects += named_projects
        count += len(batch)
    if is_by_line and count != _lines_count(path):
        raise NotPlainError  # with empty lines, the line of a record is unknown
    plain.finish()
    return plain


def _lines_count(path: str) -> int:
    count, last = 0, b"\n"
    with Path(path).open("rb") as stream:
        for chunk in chunks(stream):
            count, last = count + chunk.count(b"\n"), chunk[-1:]
    return count + (last != b"\n")


def _split(
    table: Table, batch: pa.RecordBatch, first: int, is_by_line: bool, nested_levels: int
) -> tuple[pa.Table, list[Other], list[Located]]:
    """Rows of the plain records with their lines, the other records, and named projects."""
    cells = cells_of(batch)
    if "kind" not in cells or not flags(_KIND[table.name](cells["kind"])).all():
        raise NotPlainError
    versions = cells.get("project_version")
    if table.name == "activity" and (versions is None or versions.null_count):
        raise NotPlainError  # a null version is not the same as a missing one
    if table.name == "stories" and not is_filled(cells, "project_id", len(batch)).all():
        raise NotPlainError  # another record of the same story may have its project
    numbers = np.arange(len(batch)) + first
    plain = are_plain(table, cells, len(batch), nested_levels)
    plain &= _ARE_SELF_CONTAINED[table.name](cells, len(batch))
    others: list[Other] = []
    if not plain.all():
        places = np.flatnonzero(~plain)
        other_cells = batch.take(pa.array(places)).to_pylist()
        found = (
            Place(number, None) if is_by_line else Place(None, number)
            for number in numbers[places].tolist()
        )
        others = list(zip(found, map(_record, other_cells), strict=True))
        chosen = pa.array(plain)
        cells = {name: cell.filter(chosen) for name, cell in cells.items()}
    rows = rows_of(table, cells, int(plain.sum()))
    if rows["project_id"].null_count:
        raise NotPlainError
    if is_by_line:
        rows = with_column(rows, "source_line", pa.array(numbers[plain]))
    has_projects = table.name == "activity" and "project" in cells
    return rows, others, list(_named_projects(cells, rows)) if has_projects else []


def _named_projects(cells: Cells, rows: pa.Table) -> Iterator[Located]:
    """For each distinct `project` object, the newest activity with it."""
    encoded = cells["project"].dictionary_encode()
    codes, instants = encoded.indices.to_numpy(), rows["occurred_at"].cast(pa.int64())
    order = np.argsort(pc.fill_null(instants, 0).to_numpy(), kind="stable")
    newest = dict(zip(codes[order].tolist(), order.tolist(), strict=True))
    for code, place in sorted(newest.items(), key=lambda each: each[1]):
        row = rows.select(["source_line", "occurred_at"]).slice(place, 1).to_pylist()[0]
        project = orjson.loads(encoded.dictionary[code].as_py())
        yield row["source_line"], {"project": project, "occurred_at": row["occurred_at"]}


def _record(cells: dict[str, str | None]) -> Record:
    return {name: orjson.loads(cell) for name, cell in cells.items() if cell is not None}


def _are_self_contained_stories(cells: Cells, count: int) -> np.ndarray:
    """Whether each story has no information about other records than labels and attachments."""
    # `owners` are added to the people, and `owned_by_id` alone must become a list of owners.
    found = ~is_filled(cells, "owners", count)
    found &= is_filled(cells, "owner_ids", count) | ~is_filled(cells, "owned_by_id", count)
    if "labels" in cells:
        found &= flags(pc.fill_null(pc.starts_with(cells["labels"], "["), True))
    if "story_type" in cells:
        found &= ~flags(pc.equal(cells["story_type"], '"release"'))
    return found


def _are_self_contained_activities(cells: Cells, count: int) -> np.ndarray:
    """Whether each activity has no information about other records than person and project."""
    if "project" not in cells or "guid" not in cells:
        return np.zeros(count, bool)
    is_numbered = pc.match_substring_regex(cells["guid"], f'^"{_GUID.pattern}"$')
    return flags(is_numbered) & is_filled(cells, "project", count)


_KIND: dict[str, Callable[[pa.StringArray], pa.BooleanArray]] = {
    "stories": lambda kinds: pc.equal(kinds, '"story"'),
    "activity": lambda kinds: pc.ends_with(kinds, '_activity"'),
}
_ARE_SELF_CONTAINED = {
    "stories": _are_self_contained_stories,
    "activity": _are_self_contained_activities,
}


def numbers_of(table: Table, keys: Iterable[object]) -> np.ndarray:
    """The numbers of the keys that a plain record can have, as in `PlainList.ids`."""
    if "id" in table.key:
        return np.fromiter(keys, np.int64)
    found = (_GUID.fullmatch(str(key)) for key in keys)
    return np.array([int(each[1]) * 10**9 + int(each[2]) for each in found if each], np.int64)


def _ids(rows: pa.Table) -> np.ndarray:
    if "id" in rows.schema.names:
        return rows["id"].to_numpy()
    parts = pc.split_pattern(rows["guid"], "_").combine_chunks().flatten().cast(pa.int64())
    numbers = parts.to_numpy().reshape(-1, 2)
    return numbers[:, 0] * 10**9 + numbers[:, 1]
