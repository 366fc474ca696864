"""The rows of a CSV with the lines that they begin on, and rows that cannot be what was written."""

from __future__ import annotations

import csv
import re
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TextIO

from ingest.archive.csv.cells import parse_id, split_comment
from ingest.archive.csv.columns import is_stories_header
from ingest.archive.errors import RowRefused

# Tracker's longest text has 20,000 characters: a longer cell is a quote that never closed.
LONGEST_CELL = 1 << 20
LONGEST_LINE = 32 << 20  # a row of Tracker's longest texts is far shorter
_MARKER_ROW = re.compile(r"(<{7}|>{7}|={7}|\|{7})( |$)")
# Merge-conflict markers inside a cell flip the quotes after them, and rows fuse without an error.
_FUSED = re.compile(
    r"^(?:(?P<marker>(?:<{7}|>{7}) .*)"
    r"|\d{3,12}(?P<by>[,;\t]).*(?P=by)(?:feature|bug|chore|release|epic)(?P=by))",
    re.MULTILINE,
)
# A line inside a cell that may be either: such rows are looked at one by one.
SUSPICIOUS_LINE = r"(?m)^(?:[<>]{7} |\d{3,12}[,;\t])"
_DELIMITERS = ",;\t"  # the first one when a line has none
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])", re.IGNORECASE)
_LOOKAHEAD = 200  # lines in which a row is looked for: few texts of Tracker's have more
_FIELD_LIMIT = threading.Lock()

Row = tuple[int, list[str] | RowRefused]


def find_delimiter(head: str) -> str:
    """What separates the cells: a comma, as Tracker wrote; `;` or a tab after a spreadsheet did.

    A first line `sep=;`, which Excel understands, says so; else the header shows it.
    """
    lines = (line for line in head.lstrip("\ufeff").splitlines() if line.strip())
    first = next(lines, "")
    if found := _SEPARATOR_LINE.fullmatch(first.strip()):
        first = next(lines, "")
        if found[1] in first:
            return found[1]
    return max(_DELIMITERS, key=first.count)


def is_separator_line(cells: list[str]) -> bool:
    """Whether a row is Excel's `sep=;`."""
    return len(cells) in (1, 2) and cells[0].lstrip("\ufeff").lower().startswith("sep=")


class CsvRows(Iterator[Row]):
    """The rows of a CSV, each with its first line, from 1.

    A row that cannot be what was written is given as its refusal. Where a quote was lost or added,
    a cell runs on over the rows below it: the row with that quote is refused, and reading goes on
    at the next line that begins as a row does.
    """

    def __init__(self, stream: TextIO, delimiter: str = ",") -> None:
        """Prepare to read a text that was opened with `newline=""`."""
        with _FIELD_LIMIT:  # the csv module has one limit for the whole process
            csv.field_size_limit(max(LONGEST_CELL, csv.field_size_limit()))
        self._lines = _Lines(stream)
        self._delimiter = delimiter
        self._reader = csv.reader(self._lines, strict=True, delimiter=delimiter)
        self._line = 1
        self._id_places: set[int] = set()
        self.expect(None)

    def expect(self, width: int | None, id_place: int | None = None) -> None:
        """Take note of a header.

        Args:
            width: how many cells a full row has; None while that is not known.
            id_place: which of them holds the story's id, from 0; None where none does.
        """
        self._width = width
        self._id_place = id_place
        if id_place is not None:
            self._id_places.add(id_place)  # an earlier header may turn out to be the right one
        sign = re.escape(self._delimiter)
        self._whole_cell = re.compile(rf'(?:"(?:[^"]|"")*"|(?!")[^{sign}\r\n]*){sign}')
        start = rf'[\s\ufeff]*"?#?\d{{1,12}}(?:\.0*)?"?{sign}'
        self._row_start = re.compile(
            start if id_place == 0 else rf"[^{sign}]*{sign}[^{sign}]*{sign}"
        )

    def __next__(self) -> Row:
        """The next row."""
        lines = self._lines
        lines.begin_row()
        try:
            row: list[str] | RowRefused = self._checked(next(self._reader))
        except csv.Error as error:
            row = self._long_line() or self._cut_short(f"broken quoting: {error}")
        line, self._line = self._line, self._line + lines.count
        return line, row

    def _checked(self, cells: list[str]) -> list[str] | RowRefused:
        lines, width = self._lines, self._width
        if lines.is_cut:
            return RowRefused(None, None, f"has a line of more than {LONGEST_LINE >> 20} MB")
        if lines.count == 1 or width is None or not any(cells[width:]):
            return cells
        if all(split_comment(each)[1] for each in cells[width:] if each):
            return cells
        return self._cut_short("broken quoting: a cell runs on into the rows below")

    def _long_line(self) -> list[str] | None:
        """The cells of a row that stands on one line and has a cell of more than a megabyte.

        On one line, a long cell is no quote that never closed.
        """
        lines = self._lines
        if lines.count != 1 or lines.is_cut or len(lines.taken[0]) <= LONGEST_CELL:
            return None
        with _FIELD_LIMIT:
            limit = csv.field_size_limit(LONGEST_LINE)
            try:
                cells = next(csv.reader(lines.taken, strict=True, delimiter=self._delimiter))
            except csv.Error:
                return None
            finally:
                csv.field_size_limit(limit)
        return cells if self._fits(cells) else None

    def _cut_short(self, reason: str) -> list[str] | RowRefused:
        """End the row at hand at the next line that begins as a row does.

        A single line with the cells of a row stands. Else the row is refused, with the cells that
        it may have: a reader may know that some of them are right.
        """
        lines = self._lines
        if lines.is_cut:
            return RowRefused(None, None, reason)
        if self._id_place != 0 and (cells := self._read_leniently()):
            return RowRefused(None, None, reason, cells)
        is_one_line = lines.count == 1
        lines.give_back_from(1)
        room = LONGEST_CELL - sum(map(len, lines.taken))
        while (text := lines.peek()) and not self._row_begins():
            is_one_line, room = is_one_line and not text.strip(), room - len(text)
            lines.skip(is_kept=room > 0)
        try:
            cells = next(csv.reader(lines.taken, delimiter=self._delimiter))
        except csv.Error:
            return RowRefused(None, None, reason)
        if is_one_line and self._fits(cells):
            return cells
        return RowRefused(None, None, reason, cells, self._certain_cells("".join(lines.taken)))

    def _certain_cells(self, text: str) -> int:
        """How many of a row's first cells stand before the quote that is not as it should be."""
        count = place = 0
        while (found := self._whole_cell.match(text, place)) and place < len(text):
            count, place = count + 1, found.end()
        return count

    def _read_leniently(self) -> list[str] | None:
        """The cells of several lines where a stray quote is text, if they are those of one row."""
        lines = self._lines
        count = lines.count
        lines.give_back_from(0)
        try:
            cells = next(csv.reader(lines, delimiter=self._delimiter))
        except (csv.Error, StopIteration):
            cells = []
        is_whole = lines.count >= max(count, 2) and self._fits(cells)
        return cells if is_whole and (not lines.peek() or self._row_begins()) else None

    def _fits(self, cells: list[str]) -> bool:
        """Whether a row under the header may have these cells."""
        width = self._width or 0
        return bool(width) and min(width, 3) <= len(cells) and not any(cells[width:])

    def _row_begins(self) -> bool:
        """Whether a row or another header begins with the next line.

        Where the id is not the first cell, the line alone does not say; what can be read from it
        on does, if it has an id in its place.
        """
        text = self._lines.peek()
        if text.count(self._delimiter) > 1 and is_stories_header(text.split(self._delimiter)):
            return True
        if self._id_place in (None, 0):
            return bool(self._row_start.match(text))
        if self._delimiter not in text and '"' not in text:
            return False
        try:
            cells = next(csv.reader(self._lines.ahead(_LOOKAHEAD), delimiter=self._delimiter))
        except (csv.Error, StopIteration):
            return False
        at_ids = [cells[place] for place in self._id_places if place < len(cells)]
        return self._fits(cells) and any(parse_id(each) is not None for each in at_ids)


class _Lines(Iterator[str]):
    """The lines of a text; those of the row at hand can be given back.

    Attributes:
        taken: the lines of the row at hand, without those that were skipped.
        count: how many lines the row at hand has.
        is_cut: whether one of these was longer than any row, and lost its rest.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next: deque[str] = deque()  # lines that were read ahead or given back
        self.begin_row()

    def begin_row(self) -> None:
        """Let go of the row at hand."""
        self.taken: list[str] = []
        self.count = 0
        self.is_cut = False

    def __next__(self) -> str:
        line = self._next.popleft() if self._next else self._stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
            self.is_cut = True
            while (more := self._stream.readline(LONGEST_LINE)) and more[-1] not in "\r\n":
                pass
            line = "\n"  # an opening quote in it would take in what follows
        self.taken.append(line)
        self.count += 1
        return line

    def peek(self) -> str:
        """The next line; empty behind the last one."""
        if not self._next:
            self._next.append(self._stream.readline(LONGEST_LINE))
        return self._next[0]

    def ahead(self, count: int) -> Iterator[str]:
        """The next lines, which stay where they are."""
        while len(self._next) < count and (line := self._stream.readline(LONGEST_LINE)):
            self._next.append(line)
        return islice(self._next, count)

    def skip(self, is_kept: bool) -> None:
        """Add the next line to the row at hand, kept or only counted."""
        line = self.peek()
        self._next.popleft()
        self.count += 1
        if is_kept:
            self.taken.append(line)

    def give_back_from(self, number: int) -> None:
        """Read the lines of the row at hand again, from the n-th one on."""
        self._next.extendleft(reversed(self.taken[number:]))
        self.count -= len(self.taken) - number
        del self.taken[number:]


def is_blank(cells: list[str]) -> bool:
    """Whether a row holds nothing."""
    return not any(cells)


def check_integrity(header: Sequence[str], cells: list[str], proven: int = 0) -> None:
    """Refuse a row that is a merge-conflict marker, or several rows fused into one.

    Args:
        header: the names of the columns.
        cells: the row.
        proven: how many of its first cells are certain to be its own; texts in them may look as
            they like, as do comments that end with their author.

    Raises:
        RowRefused: naming the cell.
    """
    if len(cells) < 3 and _MARKER_ROW.match(cells[0]):
        raise RowRefused(None, cells[0], "merge-conflict marker")
    for index, cell in enumerate(cells):
        if "\n" not in cell or index < proven or not (found := _FUSED.search(cell)):
            continue
        if split_comment(cell)[1]:
            continue
        column = header[index] if index < len(header) else None
        if found["marker"]:
            reason = "merge-conflict marker inside a cell"
        else:
            reason = "broken quoting: a cell holds another row"
        raise RowRefused(column, found[0], reason)
