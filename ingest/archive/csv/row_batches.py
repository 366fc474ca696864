"""The rows of a stories CSV as Arrow columns of text, some thousands at a time.

Python's csv module reads every file. DuckDB's reader gives the same cells several times faster
where the bytes prove that both agree on them; where it gives up, the csv module goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.csv.columns import Columns
from ingest.archive.csv.exports import MovedRow, StoriesFile, body, is_header_again
from ingest.archive.csv.plain_bytes import has_plain_bytes
from ingest.archive.csv.rows import LONGEST_CELL, Row
from ingest.archive.errors import RowRefused
from ingest.archive.text_columns import filled_rows, flags, line_breaks, without_nulls

_BATCH = 20_000
_SMALL = 1 << 18  # bytes that the csv module reads before DuckDB has begun
_QUICK_ENCODINGS = ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class RowBatch:
    """Rows of a stories CSV.

    Attributes:
        lines: the line that each row begins on.
        columns: the cells of each column of the header; null or empty for an empty cell.
        line_breaks: how many each cell of a column has; 0 where no cell has any.
        odd: rows that have no cells, or more than the header.
    """

    lines: np.ndarray
    columns: list[pa.StringArray]
    line_breaks: list[np.ndarray | int]
    odd: list[Row]

    def only(self, mask: np.ndarray) -> RowBatch:
        """The rows that a mask keeps, and the odd ones."""
        kept = pa.array(mask)
        columns = [each.filter(kept) for each in self.columns]
        breaks = [each if isinstance(each, int) else each[mask] for each in self.line_breaks]
        return RowBatch(self.lines[mask], columns, breaks, self.odd)

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of the file."""
        cells = zip(*(column.fill_null("").to_pylist() for column in self.columns), strict=True)
        whole = ((line, list(each)) for line, each in zip(self.lines.tolist(), cells, strict=True))
        yield from sorted(chain(whole, self.odd), key=lambda row: row[0])


def row_batches(file: StoriesFile) -> Iterator[RowBatch]:
    """All rows below the header, blank ones left out."""
    given = 0
    if _is_plain_text(file):
        try:
            for batch in _by_duckdb(file):
                given += len(batch.lines)
                yield batch
            return
        # Found as the query begins or, through Arrow, while its rows are taken: timing decides.
        except (duckdb.Error, pa.ArrowException, OSError, _HeaderAgain):
            pass  # a row is not as the others; the rows before it are as the csv module reads them
    yield from _by_csv_module(file, given)


def _by_csv_module(file: StoriesFile, already_given: int) -> Iterator[RowBatch]:
    width = file.columns.width
    with file.open() as text:
        rows = islice(body(file, text), already_given, None)
        while batch := list(islice(rows, _BATCH)):
            lines: list[int] = []
            whole: list[list[str]] = []
            odd: list[Row] = []
            for line, cells in batch:
                is_moved = isinstance(cells, MovedRow) and bool(cells.unplaced)
                if (
                    isinstance(cells, RowRefused)
                    or is_moved
                    or len(cells) < 3
                    or any(cells[width:])
                ):
                    odd.append((line, cells))
                else:
                    lines.append(line)
                    whole.append(cells)
            columns = _columns(whole, width)
            breaks = list(map(line_breaks, columns))
            yield RowBatch(np.array(lines, np.int64), columns, breaks, odd)


def _columns(rows: list[list[str]], width: int) -> list[pa.StringArray]:
    empty = pa.nulls(len(rows), pa.string())
    found = list(islice(zip_longest(*rows, fillvalue=""), width))
    columns = [pa.array(cells, pa.string()) if any(cells) else empty for cells in found]
    return columns + [empty] * (width - len(columns))


def _by_duckdb(file: StoriesFile) -> Iterator[RowBatch]:
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(file.columns.width))
    line = 2 + sum(each.count("\n") for each in file.columns.header)
    with duckdb.connect(config={"memory_limit": "128MB"}) as connection:
        found = connection.sql(
            "select * from read_csv(?, auto_detect = false, header = true, delim = ',', "
            "hive_partitioning = false, "
            f"quote = '\"', escape = '\"', columns = {{{names}}}, "
            f"max_line_size = {LONGEST_CELL}, buffer_size = {4 * LONGEST_CELL})",
            params=[file.file.path.as_posix()],
        )
        for batch in _gathered(found.to_arrow_reader(_BATCH)):
            columns = [each.cast(pa.string()) for each in batch.columns]
            breaks = list(map(line_breaks, columns))
            heights = np.ones(batch.num_rows, np.int64) + sum(breaks)
            ends = line + np.cumsum(heights)
            line = int(ends[-1]) if len(ends) else line
            batch_of_all = RowBatch(ends - heights, columns, breaks, [])
            _refuse_headers(batch_of_all, file.columns)
            is_blank = _are_blank(columns)
            yield batch_of_all.only(~is_blank) if is_blank.any() else batch_of_all


class _HeaderAgain(Exception):
    """A header stands among the rows."""


def _refuse_headers(batch: RowBatch, columns: Columns) -> None:
    """Leave a file with several headers to the csv module: what is below each depends on it."""
    ids = without_nulls(batch.columns[columns.single["id"]])
    odd = ~flags(pc.match_substring_regex(ids, r"^\d+$"))
    for _, cells in batch.only(odd).rows() if odd.any() else ():
        if not isinstance(cells, RowRefused) and is_header_again(cells, columns):
            raise _HeaderAgain


def _are_blank(columns: list[pa.StringArray]) -> np.ndarray:
    """For each row whether it holds nothing."""
    are_blank = np.ones(len(columns[0]), np.bool_)
    for column in columns:
        if not are_blank.any():
            break
        are_blank[filled_rows(column)] = False
    return are_blank


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Larger batches: DuckDB gives some two thousand rows at a time, and each batch costs."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        pending.append(batch)
        if sum(each.num_rows for each in pending) >= _BATCH:
            yield pa.concat_batches(pending)
            pending = []
    if pending:
        yield pa.concat_batches(pending)


def _is_plain_text(file: StoriesFile) -> bool:
    """Whether DuckDB would read the cells that the csv module reads, on the same lines."""
    if (
        file.file.member is not None
        or file.file.has_pattern_path
        or file.encoding not in _QUICK_ENCODINGS
    ):
        return False
    if file.delimiter != "," or file.header_line != 1 or file.file.size < _SMALL:
        return False
    return has_plain_bytes(file.file.path)
