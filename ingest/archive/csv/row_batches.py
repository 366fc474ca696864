"""Read the rows of a stories CSV as Arrow columns of text, thousands of rows at a time.

Python's csv module can read every file. DuckDB's reader is several times faster, and is used for
files whose bytes show that it returns the same cells. If it fails, the csv module takes over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.csv.columns import Columns
from ingest.archive.csv.exports import MovedRow, StoriesFile, body, is_repeated_header
from ingest.archive.csv.rows import LONGEST_CELL, Row
from ingest.archive.errors import RowRefused
from ingest.archive.files.archive_file import chunks
from ingest.archive.text_columns import filled_rows, flags, line_breaks, without_nulls

_BATCH = 20_000
_SMALL = 1 << 18  # bytes; the csv module reads smaller files before DuckDB has started
_DUCKDB_ENCODINGS = ("utf-8", "utf-8-sig")
_SPACE_AND_QUOTE = re.compile(rb'[,\n] +"[^"]|" +[,\r\n]')
_OVERLAP = 64  # bytes at the end of a chunk that are checked again with the next one
_QUOTE, _LINE_END = b'"\n'


@dataclass(frozen=True)
class RowBatch:
    """Rows of a stories CSV.

    Attributes:
        lines: the line on which each row starts.
        columns: the cells of each column; an empty cell is null or an empty string.
        line_breaks: for each column, the number of line breaks in each cell; 0 if there are none.
        others: rows that do not fit into columns, for example because they have too many cells.
    """

    lines: np.ndarray
    columns: list[pa.StringArray]
    line_breaks: list[np.ndarray | int]
    others: list[Row]

    def only(self, mask: np.ndarray) -> RowBatch:
        """The rows that a mask selects, and all `others`."""
        kept = pa.array(mask)
        columns = [each.filter(kept) for each in self.columns]
        breaks = [each if isinstance(each, int) else each[mask] for each in self.line_breaks]
        return RowBatch(self.lines[mask], columns, breaks, self.others)

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of the file."""
        cells = zip(*(column.fill_null("").to_pylist() for column in self.columns), strict=True)
        whole = ((line, list(each)) for line, each in zip(self.lines.tolist(), cells, strict=True))
        yield from sorted(chain(whole, self.others), key=lambda row: row[0])


def row_batches(file: StoriesFile) -> Iterator[RowBatch]:
    """All rows below the header, without empty rows."""
    rows_count = 0
    if _is_plain_text(file):
        try:
            for batch in _by_duckdb(file):
                rows_count += len(batch.lines)
                yield batch
            return
        # A failure may occur when the query starts, or in Arrow while its rows are fetched.
        except (duckdb.Error, pa.ArrowException, OSError, _UnexpectedHeader):
            pass  # an unusual row; the rows before it are as the csv module would read them
    yield from _by_csv_module(file, rows_count)


def _by_csv_module(file: StoriesFile, skipped_count: int) -> Iterator[RowBatch]:
    width = file.columns.width
    with file.open() as text:
        rows = islice(body(file, text), skipped_count, None)
        while batch := list(islice(rows, _BATCH)):
            lines: list[int] = []
            whole: list[list[str]] = []
            others: list[Row] = []
            for line, cells in batch:
                if (
                    isinstance(cells, RowRefused)
                    or (isinstance(cells, MovedRow) and cells.unplaced)
                    or len(cells) < 3
                    or any(cells[width:])
                ):
                    others.append((line, cells))
                else:
                    lines.append(line)
                    whole.append(cells)
            columns = _columns(whole, width)
            breaks = list(map(line_breaks, columns))
            yield RowBatch(np.array(lines, np.int64), columns, breaks, others)


def _columns(rows: list[list[str]], width: int) -> list[pa.StringArray]:
    empty = pa.nulls(len(rows), pa.string())
    found = list(islice(zip_longest(*rows, fillvalue=""), width))
    columns = [pa.array(cells, pa.string()) if any(cells) else empty for cells in found]
    return columns + [empty] * (width - len(columns))


def _by_duckdb(file: StoriesFile) -> Iterator[RowBatch]:
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(file.columns.width))
    line, is_first = 1, True
    with duckdb.connect(config={"memory_limit": "128MB"}) as connection:
        found = connection.sql(
            "select * from read_csv(?, auto_detect = false, header = false, delim = ',', "
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
            is_left_out = _are_empty(columns)
            if is_first and batch.num_rows:
                _expect_header(columns, file.columns)
                is_left_out[0], is_first = True, False
            rows = batch_of_all.only(~is_left_out) if is_left_out.any() else batch_of_all
            _refuse_headers(rows, file.columns)
            yield rows
    if is_first:
        raise _UnexpectedHeader


class _UnexpectedHeader(Exception):
    """The first row is not the header, or another row is one, or cells may be formulas."""


def _expect_header(cells: list[pa.StringArray], columns: Columns) -> None:
    """Leave a file to the csv module if its header has broken quoting, or its cells are formulas.

    Raises:
        _UnexpectedHeader: if the first row is not the header as the csv module reads it, or the
            next one starts with a formula.
    """
    if tuple(column[0].as_py() or "" for column in cells) != columns.header:
        raise _UnexpectedHeader
    if len(cells[0]) > 1 and (cells[0][1].as_py() or "").startswith('="'):
        raise _UnexpectedHeader


def _refuse_headers(batch: RowBatch, columns: Columns) -> None:
    """Leave a file with several headers to the csv module, which can reorder the cells below them.

    Raises:
        _UnexpectedHeader: if one of the rows is a header.
    """
    ids = without_nulls(batch.columns[columns.single["id"]])
    without_id = ~flags(pc.match_substring_regex(ids, r"^\d+$"))
    for _, cells in batch.only(without_id).rows() if without_id.any() else ():
        if not isinstance(cells, RowRefused) and is_repeated_header(cells, columns):
            raise _UnexpectedHeader


def _are_empty(columns: list[pa.StringArray]) -> np.ndarray:
    """For each row, whether all its cells are empty."""
    are_empty = np.ones(len(columns[0]), np.bool_)
    for column in columns:
        if not are_empty.any():
            break
        are_empty[filled_rows(column)] = False
    return are_empty


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Combine batches: DuckDB returns about two thousand rows at a time, and each batch costs."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        pending.append(batch)
        if sum(each.num_rows for each in pending) >= _BATCH:
            yield pa.concat_batches(pending)
            pending = []
    if pending:
        yield pa.concat_batches(pending)


def _is_plain_text(file: StoriesFile) -> bool:
    """Whether DuckDB would return the same cells and lines as the csv module."""
    return (
        file.file.member is None
        and not file.file.has_pattern_path
        and file.encoding in _DUCKDB_ENCODINGS
        and file.delimiter == ","
        and file.header_line == 1
        and not file.null_words
        and file.file.size >= _SMALL
        and _has_plain_bytes(file.file.path)
    )


# The bytes of a file -----------------------------------------------------------------------------
# DuckDB ignores spaces around a quoted cell, and skips empty lines between rows, so a file with
# either is not plain. Empty lines inside quotes, which many descriptions have, are text.


def _lookup(signs: bytes) -> np.ndarray:
    """A table of all byte values: whether each is one of these."""
    return np.isin(np.arange(256), tuple(signs))


_BEFORE_QUOTE, _AFTER_QUOTE = _lookup(b',\n"'), _lookup(b',\r\n"')
_SPACE, _LINE_ENDS = _lookup(b" "), _lookup(b"\r\n")


def _has_plain_bytes(path: Path) -> bool:
    """Whether both readers would agree on a comma-separated UTF-8 file."""
    last, quotes_count = b"", 0
    has_empty_line = has_stray_quote = False
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            content = last + chunk
            if content[:2] == b"\x1f\x8b" or not _have_line_ends(content):
                return False
            signs = np.frombuffer(content, np.uint8)
            quotes = np.flatnonzero(signs == _QUOTE)
            before, after = _neighbours(signs, quotes)
            if (_SPACE[before] | _SPACE[after]).any() and _SPACE_AND_QUOTE.search(content):
                return False
            empty_lines = _empty_lines(signs)
            has_empty_line |= bool(len(empty_lines))
            if ((quotes_count + np.searchsorted(quotes, empty_lines)) % 2 == 0).any():
                return False
            # A quote that is neither at the edge of a cell nor next to another quote.
            has_stray_quote |= not (_BEFORE_QUOTE[before] | _AFTER_QUOTE[after]).all()
            last = content[-_OVERLAP:]
            quotes_count += int(np.searchsorted(quotes, len(content) - len(last)))
        quotes_count += last.count(b'"')
    # Only correct quoting tells empty lines inside quotes from others.
    return not has_empty_line or (quotes_count % 2 == 0 and not has_stray_quote)


def _have_line_ends(content: bytes) -> bool:
    """Whether every carriage return is part of a CR LF."""
    if b"\r" not in content:
        return True
    return content.count(b"\r") == content.count(b"\r\n") + content.endswith(b"\r")


def _neighbours(signs: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes before and after these places, except for the first and the last byte."""
    inner = places[(places > 0) & (places < len(signs) - 1)]
    return signs[inner - 1], signs[inner + 1]


def _empty_lines(signs: np.ndarray) -> np.ndarray:
    """The positions of line ends that are followed by an empty line."""
    ends = np.flatnonzero(signs[:-1] == _LINE_END)
    return ends[_LINE_ENDS[signs[ends + 1]]]
