"""The rows of a CSV with the lines that they begin on, and rows that cannot be what was written."""

from __future__ import annotations

import csv
import re
import threading
from collections.abc import Iterator
from typing import TextIO

from ingest.archive.errors import RowRefused

# Tracker's longest text has 20,000 characters: a longer cell is a quote that never closed.
LONGEST_CELL = 1 << 20
_MARKER_ROW = re.compile(r"(<{7}|>{7}|={7}|\|{7})( |$)")
# Merge-conflict markers inside a cell flip the quotes after them, and rows fuse without an error.
_FUSED = re.compile(
    r"^(?:(?P<marker>(?:<{7}|>{7}) .*)|\d{3,12},.*,(?:feature|bug|chore|release|epic),)",
    re.MULTILINE,
)
_DELIMITERS = ",;\t"  # the first one when a line has none
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])", re.IGNORECASE)
_FIELD_LIMIT = threading.Lock()

Row = tuple[int, list[str] | RowRefused]


def find_delimiter(head: str) -> str:
    """What separates the cells: a comma, as Tracker wrote; `;` or a tab after a spreadsheet did.

    A first line `sep=;`, which Excel understands, says so; else the header shows it.
    """
    lines = (line for line in head.lstrip("\ufeff").splitlines() if line.strip())
    first = next(lines, "")
    if found := _SEPARATOR_LINE.fullmatch(first.strip()):
        return found[1]
    return max(_DELIMITERS, key=first.count)


def is_separator_line(cells: list[str]) -> bool:
    """Whether a row is Excel's `sep=;`."""
    return len(cells) in (1, 2) and cells[0].lower().startswith("sep=")


def read_rows(stream: TextIO, delimiter: str = ",") -> Iterator[Row]:
    """Give each row with its first line, from 1; a row with broken quotes as its refusal.

    Args:
        stream: the text, opened with `newline=""`.
        delimiter: what separates the cells.
    """
    with _FIELD_LIMIT:  # the csv module has one limit for the whole process
        csv.field_size_limit(max(LONGEST_CELL, csv.field_size_limit()))
    reader = csv.reader(stream, strict=True, delimiter=delimiter)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, RowRefused(None, None, f"broken quoting: {error}")
        else:
            yield line, cells
        line = reader.line_num + 1


def is_blank(cells: list[str]) -> bool:
    """Whether a row holds nothing."""
    return not any(cells)


def check_integrity(header: tuple[str, ...], cells: list[str]) -> None:
    """Refuse a row that is a merge-conflict marker, or several rows fused into one.

    Raises:
        RowRefused: naming the cell.
    """
    if len(cells) < 3 and _MARKER_ROW.match(cells[0]):
        raise RowRefused(None, cells[0], "merge-conflict marker")
    for index, cell in enumerate(cells):
        if "\n" in cell and (found := _FUSED.search(cell)):
            column = header[index] if index < len(header) else None
            if found["marker"]:
                reason = "merge-conflict marker inside a cell"
            else:
                reason = "broken quoting: a cell holds another row"
            raise RowRefused(column, found[0], reason)
