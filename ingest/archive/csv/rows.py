"""Read the rows of a CSV file with their line numbers, and recover after broken quoting."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TextIO

from ingest.archive.csv.cells import parse_id, split_comment
from ingest.archive.csv.columns import MOST_HEADER_ROWS, is_stories_header
from ingest.archive.errors import RowRefused

# Tracker's texts have at most 20,000 characters; a longer cell has a missing closing quote.
LONGEST_CELL = 1 << 20
LONGEST_LINE = 32 << 20  # a row of Tracker's longest texts is far shorter
_MARKER_ROW = re.compile(r"(<{7}|>{7}|={7}|\|{7})( |$)")
# A merge-conflict marker inside a cell inverts the quoting, so that rows fuse without an error.
_FUSED = re.compile(
    r"^(?:(?P<marker>(?:<{7}|>{7}) .*)"
    r"|\d{3,12}(?P<by>[,;\t]).*(?P=by)(?:feature|bug|chore|release|epic)(?P=by))",
    re.MULTILINE,
)
# Matches any line inside a cell that _FUSED may match; such rows are not read in bulk.
SUSPICIOUS_LINE = r"(?m)^(?:[<>]{7} |\d{3,12}[,;\t])"
_DELIMITERS = ",;\t|"  # the first one is the default
_SEPARATOR_LINE = re.compile(rf"sep=([{_DELIMITERS}])", re.IGNORECASE)
# A first cell such as `="101"`, plain or quoted, with which programs keep a text from spreadsheets.
_FORMULA = re.compile(r'[\s\ufeff]*(?:="|"="")')
_LOOKAHEAD = 200  # the maximum lines of a row that is read ahead; few of Tracker's texts have more
_FIELD_LIMIT = threading.Lock()

Row = tuple[int, list[str] | RowRefused]


def find_delimiter(head: str) -> str:
    """Find the delimiter: a comma in Tracker's files; other programs may write `;`, `|` or a tab.

    It is taken from a first line such as `sep=;`, as in Excel, or else from the header.
    """
    lines = [line for line in head.lstrip("\ufeff").splitlines() if line.strip()] or [""]
    found = _SEPARATOR_LINE.fullmatch(lines[0].strip())
    if found and len(lines) > 1:
        lines = lines[1:]
        if found[1] in lines[0]:
            return found[1]
    for line in lines[:MOST_HEADER_ROWS]:
        delimiter = max(_DELIMITERS, key=line.count)
        if is_stories_header(line.split(delimiter)):
            return delimiter
    return max(_DELIMITERS, key=lines[0].count)


def is_separator_line(cells: list[str]) -> bool:
    """Whether a row is a separator line of Excel, such as `sep=;`."""
    return len(cells) in (1, 2) and cells[0].lstrip("\ufeff").lower().startswith("sep=")


def unquoted(cells: list[str], delimiter: str) -> list[str]:
    """The cells of a row, also of one that a program saved as a single quoted cell.

    Raises:
        csv.Error: if the text of the single cell has broken quoting.
    """
    if len(cells) != 1 or delimiter not in cells[0]:
        return cells
    inner = next(csv.reader(io.StringIO(cells[0], newline=""), strict=True, delimiter=delimiter))
    return inner if len(inner) > 1 else cells


class CsvRows(Iterator[Row]):
    """The rows of a CSV file, each with the line on which it starts, from 1.

    A missing or extra quote makes a cell continue into the rows below it. The row with that quote
    is then returned as a `RowRefused`, and reading continues at the next line that starts a row.

    If the first cell of the header or of the row below is a formula such as `="101"`, cells may be
    formulas, and are read as their text. If the header has spaces between a delimiter and a quote,
    spaces before cells are ignored.
    """

    def __init__(self, stream: TextIO, delimiter: str = ",") -> None:
        """Read a text that was opened with `newline=""`."""
        with _FIELD_LIMIT:  # the csv module has one limit per process
            csv.field_size_limit(max(LONGEST_CELL, csv.field_size_limit()))
        self._lines = _Lines(stream)
        self._has_formulas = any(map(_FORMULA.match, self._lines.ahead(2)))
        if self._has_formulas:
            self._lines.omit_before_quotes(delimiter)
        self._delimiter = delimiter
        header = next(self._lines.ahead(1), "")
        has_spaces = re.search(rf'"{re.escape(delimiter)} +"', header) is not None
        self._csv = partial(csv.reader, delimiter=delimiter, skipinitialspace=has_spaces)
        self._reader = self._csv(self._lines, strict=True)
        self._line = 1
        self._id_places: set[int] = set()
        self.expect(None)

    def expect(self, width: int | None, id_place: int | None = None) -> None:
        """Set what the header says about rows.

        Args:
            width: the number of columns; None if unknown.
            id_place: the position of the story's id, from 0; None if there is none.
        """
        self._width = width
        self._id_place = id_place
        if id_place is not None:
            self._id_places.add(id_place)  # a row may belong to an earlier header
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
            cells = unquoted(next(self._reader), self._delimiter)
            row: list[str] | RowRefused = self._checked(cells)
        except csv.Error as error:
            row = self._long_line() or self._cut_short(f"broken quoting: {error}")
        line, self._line = self._line, self._line + lines.count
        if self._has_formulas and not isinstance(row, RowRefused):
            row = [_formula_text(each) for each in row]
        return line, row

    def _checked(self, cells: list[str]) -> list[str] | RowRefused:
        lines, width = self._lines, self._width
        if lines.is_cut:
            return RowRefused(None, None, f"a line of more than {LONGEST_LINE >> 20} MB")
        if lines.count == 1 or width is None or not any(cells[width:]):
            return cells
        if all(split_comment(each)[1] for each in cells[width:] if each):
            return cells
        return self._cut_short("broken quoting: a cell continues into the rows below")

    def _long_line(self) -> list[str] | None:
        """The cells of a row on a single line with a cell of more than a megabyte; else None.

        On a single line, a long cell does not indicate a missing quote.
        """
        lines = self._lines
        if lines.count != 1 or lines.is_cut or len(lines.taken[0]) <= LONGEST_CELL:
            return None
        with _FIELD_LIMIT:
            limit = csv.field_size_limit(LONGEST_LINE)
            try:
                cells = next(self._csv(lines.taken, strict=True))
            except csv.Error:
                return None
            finally:
                csv.field_size_limit(limit)
        return cells if self._fits(cells) else None

    def _cut_short(self, reason: str) -> list[str] | RowRefused:
        """End the current row at the next line that starts a row.

        If the row is then a single line with valid cells, it is returned. Otherwise it is refused,
        with its probable cells, some of which `StoryRows` may be able to use.
        """
        lines = self._lines
        if lines.is_cut:
            return RowRefused(None, None, reason)
        is_one_line = lines.count == 1
        if cells := self._read_leniently():
            if self._is_complete(cells):
                return cells
            if self._id_place != 0:
                return RowRefused(None, None, reason, cells, self._certain_cells())
        lines.push_back_from(1)
        room = LONGEST_CELL - sum(map(len, lines.taken))
        # The rows below a damaged header have its order, so they may not look like rows yet.
        is_header = self._width is not None and is_stories_header(self._split(lines.taken[0]))
        while not is_header and (text := lines.peek()) and not self._row_begins():
            is_one_line, room = is_one_line and not text.strip(), room - len(text)
            lines.skip(is_kept=room > 0)
        try:
            cells = next(self._csv(lines.taken))
        except csv.Error:
            return RowRefused(None, None, reason)
        if is_one_line and self._fits(cells):
            return cells
        return RowRefused(None, None, reason, cells, self._certain_cells())

    def _certain_cells(self) -> int:
        """The number of cells before the broken quote."""
        text, count, place = "".join(self._lines.taken), 0, 0
        while (found := self._whole_cell.match(text, place)) and place < len(text):
            count, place = count + 1, found.end()
        return count

    def _read_leniently(self) -> list[str] | None:
        """Read the row again with stray quotes as text; None if the result is not a single row."""
        lines = self._lines
        count = lines.count
        lines.push_back_from(0)
        try:
            cells = next(self._csv(lines))
        except (csv.Error, StopIteration):
            cells = []
        is_one_row = lines.count >= max(count, 2) and self._fits(cells)
        return cells if is_one_row and (not lines.peek() or self._row_begins()) else None

    def _split(self, line: str) -> list[str]:
        """The names in a header, in which quotes do not matter."""
        return [cell.strip().strip('"') for cell in line.split(self._delimiter)]

    def _is_complete(self, cells: list[str]) -> bool:
        """Whether there is a cell for each column, and no line in a cell may start a row."""
        lines = (line for cell in cells for line in cell.splitlines()[1:])
        return len(cells) == self._width and not any(map(self._row_start.match, lines))

    def _fits(self, cells: list[str]) -> bool:
        """Whether the number of cells is possible for a row."""
        width = self._width or 0
        return bool(width) and min(width, 3) <= len(cells) and not any(cells[width:])

    def _row_begins(self) -> bool:
        """Whether the next line starts a row or another header.

        If the id is not in the first column, read a row from that line on and look for an id in it.
        """
        text = self._lines.peek()
        if text.count(self._delimiter) > 1 and is_stories_header(text.split(self._delimiter)):
            return True
        if self._id_place in (None, 0):
            return bool(self._row_start.match(text))
        if self._delimiter not in text and '"' not in text:
            return False
        lines = list(self._lines.ahead(_LOOKAHEAD))
        if not (self._whole_cell.match(text) or self._whole_cell.match("".join(lines))):
            return False
        try:
            cells = next(self._csv(lines))
        except (csv.Error, StopIteration):
            return False
        at_ids = [cells[place] for place in self._id_places if place < len(cells)]
        return self._fits(cells) and any(parse_id(each) is not None for each in at_ids)


class _Lines(Iterator[str]):
    """The lines of a text, with lookahead; lines of the current row can be pushed back.

    Attributes:
        taken: the lines of the current row, without skipped ones.
        count: the number of lines of the current row.
        is_cut: whether one of them was longer than `LONGEST_LINE` and was truncated.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next: deque[str] = deque()  # lines that were read ahead or pushed back
        self._read: Callable[[], str] = partial(stream.readline, LONGEST_LINE)
        self.begin_row()

    def omit_before_quotes(self, delimiter: str) -> None:
        """Read cells such as `="a, b"` as if they were quoted; call this before the first row."""
        start, read = re.compile(rf'(^[\s\ufeff]*|{re.escape(delimiter)})="'), self._read
        self._next = deque(start.sub(r'\1"', line) for line in self._next)
        self._read = lambda: start.sub(r'\1"', read())

    def begin_row(self) -> None:
        """Start a new row."""
        self.taken: list[str] = []
        self.count = 0
        self.is_cut = False

    def __next__(self) -> str:
        line = self._next.popleft() if self._next else self._read()
        if not line:
            raise StopIteration
        if len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
            self.is_cut = True
            while (more := self._stream.readline(LONGEST_LINE)) and more[-1] not in "\r\n":
                pass
            line = "\n"  # an opening quote in it would consume the following lines
        self.taken.append(line)
        self.count += 1
        return line

    def peek(self) -> str:
        """The next line; empty at the end."""
        if not self._next:
            self._next.append(self._read())
        return self._next[0]

    def ahead(self, count: int) -> Iterator[str]:
        """The next lines, without consuming them."""
        while len(self._next) < count and (line := self._read()):
            self._next.append(line)
        return islice(self._next, count)

    def skip(self, is_kept: bool) -> None:
        """Add the next line to the current row, or only count it."""
        line = self.peek()
        self._next.popleft()
        self.count += 1
        if is_kept:
            self.taken.append(line)

    def push_back_from(self, number: int) -> None:
        """Push back the lines of the current row from an index on."""
        self._next.extendleft(reversed(self.taken[number:]))
        self.count -= len(self.taken) - number
        del self.taken[number:]


def _formula_text(cell: str) -> str:
    """The text in a formula such as `="a"`; any other cell unchanged."""
    is_formula = len(cell) > 2 and cell.startswith('="') and cell.endswith('"')
    return cell[2:-1].replace('""', '"') if is_formula else cell


def check_integrity(header: Sequence[str], cells: list[str], proven: int = 0) -> None:
    """Refuse a row that is a merge-conflict marker, or several rows fused into one.

    Args:
        header: the names of the columns.
        cells: the row.
        proven: the number of leading cells that certainly belong to the row. These cells, and
            comments that end with their author, are not checked.

    Raises:
        RowRefused: with the offending cell.
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
            reason = "broken quoting: a cell contains another row"
        raise RowRefused(column, found[0], reason)
