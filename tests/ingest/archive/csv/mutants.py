"""Mutated CSV exports, with the rows that Python's csv module can still read correctly.

A mutant is determined by a seed: typical rows, mutated in their structure, written in some format,
and then mutated in their bytes. A row is good if the csv module, with the header above it, finds
every cell unchanged.
"""

from __future__ import annotations

import csv
import io
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.ingest.archive.samples import HEADER, OLD_HEADER, story

_TITLES = ("Pay by card", "Café “x” – ok", 'Say "hi"', "a, b; c\td", "Zoë's list", "1,5 % off")
_TEXTS = (
    "", "one line", "As a user\nI want, so that\r\nit works", 'with "quotes" inside\n\nand a gap',
    "* list\n* of; things\n", "price: 3,50 €", "trailing space ", "id,title\nshown as text",
)  # fmt: skip
_DAYS = ("Nov 19, 2015", "Nov 20, 2015", "Jan 1, 2016", "Dec 31, 2015")
_REQUIRED = ("id", "title", "type", "current state")
_COMPARED = (*_REQUIRED, "estimate", "description", "url", "created at")
_SPELLINGS = {"story": "title", "story type": "type"}
_ODD_CELLS = (
    "", " ", "0", "-1", "1e3", "1e400", "NaN", "1_000", "2,5", "２", "0x10", "9" * 40, "101.0",
    "Feb 30, 2015", "31/12/2019", "12/31/2019", "0000-00-00", "2015-11-19T10:00:00+99:00",
    "Nov 19, 99999", "2015-11-19 25:61:61", "\0", "a\0b", "\ufeff", "\x1b[31m", "'=1+1", '"', "'",
    "<<<<<<< HEAD", "null", "true", "\u2028", "x" * 70_000, "😀", "#REF!", "42000",
)  # fmt: skip


@dataclass
class Mutant:
    """One file.

    Attributes:
        content: its bytes.
        mutations: the applied mutations, in order.
        good: the rows that must be loaded: id -> cells by name.
        is_headed: whether the file has a header with all required columns.
    """

    content: bytes
    mutations: list[str]
    good: dict[int, dict[str, str]]
    is_headed: bool


@dataclass
class _Sheet:
    """Rows before they are written as bytes, and the format to write."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL
    before: str = ""
    extra_lines: list[tuple[int, str]] = field(default_factory=list)

    def text(self) -> str:
        """The text of the file."""
        lines = [_line(self, cells) for cells in (self.header, *self.rows)]
        for place, line in sorted(self.extra_lines, reverse=True):
            lines.insert(1 + place % (len(lines)), line)
        return self.before + "".join(lines)


def _line(sheet: _Sheet, cells: list[str]) -> str:
    out = io.StringIO()
    has_return = any("\r" in each or "\n" in each for each in cells)
    quoting = csv.QUOTE_ALL if has_return else sheet.quoting
    csv.writer(
        out, delimiter=sheet.delimiter, lineterminator=sheet.line_end, quoting=quoting
    ).writerow(cells)
    return out.getvalue()


def mutant(seed: int, first_id: int = 1_000) -> Mutant:
    """The mutant of a seed; the ids of its rows start at `first_id`."""
    chance = random.Random(seed)
    header = chance.choice((HEADER, OLD_HEADER))
    rows = [_row(chance, first_id + number, header) for number in range(chance.randint(3, 9))]
    original = {cells[header.index("Id")]: _named(header, cells) for cells in rows}
    sheet = _Sheet(list(header), [list(cells) for cells in rows])
    mutations = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        name, change = chance.choice(_STRUCTURE)
        change(chance, sheet)
        mutations.append(name)
    for _ in range(chance.choice((0, 0, 1, 2))):
        name, change = chance.choice(_FORM)
        change(chance, sheet)
        mutations.append(name)
    content = sheet.text().encode(sheet.encoding, "replace")
    for _ in range(chance.choice((0, 0, 1, 1, 3))):
        name, spoil = chance.choice(_BYTES)
        content = spoil(chance, content)
        mutations.append(name)
    good, is_headed = _good_rows(content, sheet, original)
    return Mutant(content, mutations, good, is_headed)


def _row(chance: random.Random, number: int, header: list[str]) -> list[str]:
    is_done = chance.random() < 0.4
    cells = {
        "estimate": chance.choice(("", "0", "1", "2", "3")),
        "current_state": "accepted" if is_done else chance.choice(("unstarted", "started")),
        "created_at": chance.choice(_DAYS),
        "accepted_at": "Jan 2, 2016" if is_done else "",
        "description": chance.choice(_TEXTS),
        "labels": chance.choice(("", "api", "api, web")),
        "owned_by": ["Bo Li"] if chance.random() < 0.5 else [],
    }
    names = {"Title": "title", "Type": "type", "Story": "story", "Story Type": "story_type"}
    for column, value in (
        ("Title", chance.choice(_TITLES)),
        ("Type", chance.choice(("feature", "bug", "chore"))),
    ):
        cells[names[column if column in header else "Story" + column[5:] if column == "Title"
                    else "Story Type"]] = value  # fmt: skip
    if "Comment" in header:
        cells["comment"] = [chance.choice(_TEXTS) + " (Bo Li - Nov 21, 2015)"]
    return story(number, header, **cells)


# Structure --------------------------------------------------------------------------------------


def _place(chance: random.Random, sheet: _Sheet) -> int:
    return chance.randrange(len(sheet.header))


def _drop_column(chance: random.Random, sheet: _Sheet) -> None:
    place = _place(chance, sheet)
    for cells in (sheet.header, *sheet.rows):
        del cells[place : place + 1]


def _add_column(chance: random.Random, sheet: _Sheet) -> None:
    place = _place(chance, sheet)
    name = chance.choice(("Swimlane", "", "id", "project_id", "labels", "Name", "owner_ids"))
    sheet.header.insert(place, name)
    for cells in sheet.rows:
        cells.insert(place, chance.choice(("", "x", "7")))


def _lose_header_cell(chance: random.Random, sheet: _Sheet) -> None:
    sheet.header[_place(chance, sheet)] = ""


def _rename_column(chance: random.Random, sheet: _Sheet) -> None:
    place = _place(chance, sheet)
    sheet.header[place] = chance.choice(
        (
            sheet.header[place].upper(),
            f" {sheet.header[place]} ",
            "Zustand",
            sheet.header[place][1:],
        )
    )


def _repeat_column(chance: random.Random, sheet: _Sheet) -> None:
    place = _place(chance, sheet)
    for cells in (sheet.header, *sheet.rows):
        cells.append(cells[place] if place < len(cells) else "")


def _shuffle_columns(chance: random.Random, sheet: _Sheet) -> None:
    order = list(range(len(sheet.header)))
    chance.shuffle(order)
    for cells in (sheet.header, *sheet.rows):
        cells += [""] * (len(order) - len(cells))
        cells[:] = [cells[each] for each in order] + cells[len(order) :]


def _trim_rows(chance: random.Random, sheet: _Sheet) -> None:
    for cells in sheet.rows:
        if chance.random() < 0.7:
            while cells and not cells[-1]:
                cells.pop()


def _cut_row(chance: random.Random, sheet: _Sheet) -> None:
    cells = chance.choice(sheet.rows)
    del cells[chance.randrange(len(cells) + 1) :]


def _lengthen_row(chance: random.Random, sheet: _Sheet) -> None:
    chance.choice(sheet.rows).extend(chance.choice((["", ""], ["x"], ["", "more"], [""] * 500)))


def _spoil_cell(chance: random.Random, sheet: _Sheet) -> None:
    cells = chance.choice(sheet.rows)
    if cells:
        cells[chance.randrange(len(cells))] = chance.choice(_ODD_CELLS)


def _spoil_column(chance: random.Random, sheet: _Sheet) -> None:
    place, value = _place(chance, sheet), chance.choice(_ODD_CELLS)
    for cells in sheet.rows:
        if place < len(cells):
            cells[place] = value


def _huge_cell(chance: random.Random, sheet: _Sheet) -> None:
    cells = chance.choice(sheet.rows)
    if cells:
        cells[chance.randrange(len(cells))] = chance.choice(("x", "y\n")) * 1_200_000


def _repeat_header(chance: random.Random, sheet: _Sheet) -> None:
    sheet.rows.insert(chance.randrange(len(sheet.rows) + 1), list(sheet.header))


def _repeat_row(chance: random.Random, sheet: _Sheet) -> None:
    sheet.rows.append(list(chance.choice(sheet.rows)))


def _join_other_export(chance: random.Random, sheet: _Sheet) -> None:
    """Append another export with its columns in another order."""
    order = list(range(len(sheet.header)))
    chance.shuffle(order)
    place = chance.randrange(len(sheet.rows) + 1)
    below = [cells + [""] * (len(order) - len(cells)) for cells in sheet.rows[place:]]
    header = [sheet.header[each] for each in order]
    moved = [[cells[each] for each in order] + cells[len(order) :] for cells in below]
    sheet.rows[place:] = [header, *moved]


def _add_line(chance: random.Random, sheet: _Sheet) -> None:
    line = chance.choice(
        (
            "\n", "<<<<<<< HEAD\n", "=======\n", ",,,\n", "Total,,,12\n", '"\n', "a\n", "\r",
            "\0\n", '"x"y,"\n', "# comment\n", "﻿\n",
        )
    )  # fmt: skip
    sheet.extra_lines.append((chance.randrange(100), line))


_STRUCTURE: tuple[tuple[str, Callable[[random.Random, _Sheet], None]], ...] = tuple(
    (change.__name__.strip("_"), change)
    for change in (
        _drop_column, _add_column, _lose_header_cell, _rename_column, _repeat_column,
        _shuffle_columns, _trim_rows, _cut_row, _lengthen_row, _spoil_cell, _spoil_cell,
        _spoil_column, _repeat_header, _repeat_row, _join_other_export, _add_line,
    )
)  # fmt: skip


# Form -------------------------------------------------------------------------------------------


def _delimit(chance: random.Random, sheet: _Sheet) -> None:
    sheet.delimiter = chance.choice(";\t")


def _encode(chance: random.Random, sheet: _Sheet) -> None:
    sheet.encoding = chance.choice(
        ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252")
    )


def _end_lines(chance: random.Random, sheet: _Sheet) -> None:
    sheet.line_end = chance.choice(("\r\n", "\r"))


def _quote(chance: random.Random, sheet: _Sheet) -> None:
    sheet.quoting = chance.choice((csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))


def _change_beginning(chance: random.Random, sheet: _Sheet) -> None:
    sheet.before = chance.choice(("\n\n", f"sep={sheet.delimiter}\n", "\ufeff"))


_FORM: tuple[tuple[str, Callable[[random.Random, _Sheet], None]], ...] = tuple(
    (change.__name__.strip("_"), change)
    for change in (_delimit, _encode, _encode, _end_lines, _quote, _change_beginning, _huge_cell)
)


# Bytes ------------------------------------------------------------------------------------------


def _lose_quote(chance: random.Random, content: bytes) -> bytes:
    places = [place for place, byte in enumerate(content) if byte == 0x22]
    if not places:
        return content
    place = chance.choice(places)
    return content[:place] + content[place + 1 :]


def _add_quote(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + b'"' + content[place:]


def _flip_byte(chance: random.Random, content: bytes) -> bytes:
    if not content:
        return content
    place = chance.randrange(len(content))
    return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]


def _add_bytes(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) + 1)
    odd = chance.choice(
        (b"\0", b"\0" * 9, b"\xff", b"\xe9", b"\x81", b"\r", b"\n", b",", b"\xf0\x9f")
    )
    return content[:place] + odd + content[place:]


def _cut_end(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content) // 2, len(content) + 1)]


def _lose_part(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + content[place + chance.randrange(1, 60) :]


def _repeat_part(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[: place + chance.randrange(1, 300)] + content[place:]


_BYTES: tuple[tuple[str, Callable[[random.Random, bytes], bytes]], ...] = tuple(
    (spoil.__name__.strip("_"), spoil)
    for spoil in (
        _lose_quote, _lose_quote, _add_quote, _flip_byte, _add_bytes, _cut_end, _lose_part,
        _repeat_part,
    )
)  # fmt: skip


# The csv module's result -------------------------------------------------------------------------


def _name(cell: str) -> str:
    name = " ".join(cell.strip("\ufeff \t\r\n").lower().split())
    return _SPELLINGS.get(name, name)


def _named(header: list[str], cells: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, column in enumerate(header):
        if _name(column) in _COMPARED:
            found.setdefault(_name(column), cells[place] if place < len(cells) else "")
    return found


def _rows(content: bytes, sheet: _Sheet) -> Iterator[list[str]]:
    text = content.decode(sheet.encoding, "replace").lstrip("\ufeff")
    limit = csv.field_size_limit(sys.maxsize)  # a global limit of the process
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sheet.delimiter))
        # If the file ends inside quotes, the end of its last row is missing.
        yield from rows[:-1] if _ends_in_quotes(text, sheet.delimiter) else rows
    finally:
        csv.field_size_limit(limit)


def _ends_in_quotes(text: str, delimiter: str) -> bool:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            next(reader)
        except StopIteration:
            return False
        except csv.Error as error:
            if "unexpected end" in str(error):
                return True


def _has_lost_quote(cells: list[str]) -> bool:
    """Whether a cell has more than a megabyte on several lines, as after a lost quote."""
    return any(len(each) > 1 << 20 and "\n" in each for each in cells)


def _good_rows(
    content: bytes, sheet: _Sheet, original: dict[str, dict[str, str]]
) -> tuple[dict[int, dict[str, str]], bool]:
    """The unchanged rows, and whether there is a usable header."""
    header: list[str] | None = None
    good: dict[int, dict[str, str]] = {}
    seen: set[str] = set()
    known: set[str] = set()
    for cells in _rows(content, sheet):
        names = [_name(each) for each in cells]
        if header is None and (not any(cells) or names[0].startswith("sep=")):
            continue
        if header is None or (names.count("id") == 1 and names.count("title") == 1):
            if header is None:
                is_headed = all(names.count(each) >= 1 for each in _REQUIRED)
                if not is_headed:
                    return {}, False
            elif not all(names.count(each) >= 1 for each in _REQUIRED) or _has_lost_quote(cells):
                return good, True  # the meaning of the cells is unknown from here on
            header = cells
            # Columns that only a second header has are kept in extra_fields.
            known = known or set(_named(header, []))
            continue
        named = {name: cell for name, cell in _named(header, cells).items() if name in known}
        identity = named["id"]
        expected = original.get(identity, {})
        is_same = bool(expected) and all(named[each] == expected[each] for each in named)
        has_room = not any(cells[len(header) :])
        has_no_huge_cell = max(map(len, cells), default=0) < 1 << 20
        if identity in seen:
            continue
        if identity.strip().isascii() and identity.strip():
            seen.add(identity)
        if is_same and has_room and has_no_huge_cell:
            good[int(identity)] = named
    return good, header is not None
