"""Survey stories CSV files before they are read: their projects, and their order in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import TextIO
from zoneinfo import ZoneInfo

from ingest.archive.csv.cells import parse_id
from ingest.archive.csv.columns import (
    MOST_HEADER_ROWS,
    Columns,
    is_stories_header,
    read_header,
)
from ingest.archive.csv.rows import CsvRows, Row, find_delimiter
from ingest.archive.dates import DayOrders, Moment, Moments, midnight
from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.chronology import in_order
from ingest.archive.files.encodings import find_encoding, opened_text
from ingest.archive.files.export_name import ExportName, read_name
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.people import normalised, project_id
from ingest.archive.versions import NEVER

_HEAD = 64 * 1024
DATES = ("created at", "accepted at", "deadline", "iteration start", "iteration end")
_SURVEYED_ROWS = 2_000  # of an only file, enough to find its project
# What programs write for an empty cell. Only date columns show it: a label may really be `none`.
_NULL_WORDS = frozenset({"null", "nan", "nat", "none", "n/a", "#n/a", "na", "-", "\\n", "<na>"})
_SIMILAR = 0.8  # two files with this share of equal titles have the same backlog
_MIN_TITLES = 3
_LEAST_SHARED = 0.2  # of the stories of the smaller source; moves between projects share fewer


@dataclass
class StoriesFile:
    """One stories CSV.

    Attributes:
        file: the file.
        encoding: its encoding, as in `find_encoding`.
        name: its parsed name.
        columns: its header.
        ids: ids of the surveyed rows: all rows, or the first ones of an only file.
        titles: normalised titles of the same rows.
        panels: which of done, backlog and icebox have rows.
        newest: the newest date of creation or acceptance in these rows.
        delimiter: the delimiter of its cells.
        header_line: the line of its header.
        day_first: column -> whether the day comes first in dates such as 02/11/2019.
        is_order_proven: whether the dates prove this order.
        null_words: the words for an empty cell, such as `NULL`, that occur in its date columns.
    """

    file: ArchiveFile
    encoding: str
    name: ExportName
    columns: Columns
    ids: set[int] = field(default_factory=set)
    titles: Counter[str] = field(default_factory=Counter)
    panels: set[str] = field(default_factory=set)
    newest: Moment | None = None
    delimiter: str = ","
    header_line: int = 1
    day_first: Mapping[str, bool] = field(default_factory=dict)
    is_order_proven: bool = True
    null_words: set[str] = field(default_factory=set)

    @contextmanager
    def open(self) -> Iterator[TextIO]:
        """Open it as text; line ends are not converted."""
        with self.file.open() as stream, opened_text(stream, self.encoding) as text:
            yield text

    def cell(self, cells: list[str], name: str) -> str:
        """The cell of a row in a column; empty if there is none."""
        index = self.columns.single.get(name, -1)
        return cells[index] if 0 <= index < len(cells) else ""

    @property
    def age(self) -> tuple[date, bool, datetime]:
        """A sort key, from the oldest file to the newest.

        A file without a timestamp in its name was made on its newest day, or later.
        """
        made_at = self.name.made_at
        day = made_at.date() if made_at else self.newest.day if self.newest else date.min
        newest = self.newest.at if self.newest else NEVER
        return day, made_at is None, made_at or newest

    def newest_in(self, zone: ZoneInfo) -> datetime | None:
        """The newest timestamp in its rows; a date counts as midnight in the time zone."""
        if self.newest is None:
            return None
        return midnight(self.newest.day, zone) if self.newest.is_day else self.newest.at

    def as_of(self, newest: datetime | None) -> datetime | None:
        """The time that it describes: the timestamp in its name, else the newest in its rows."""
        return self.name.made_at or newest

    def moments(self, zone: ZoneInfo) -> dict[str, Moments]:
        """The parsed dates of each date column (caches)."""
        readers = {is_first: Moments(zone, is_first) for is_first in (False, True)}
        return {name: readers[self.day_first.get(name, False)] for name in DATES}


def open_stories_file(
    file: ArchiveFile, options: ArchiveOptions, is_only_file: bool
) -> StoriesFile:
    """Survey a stories CSV: its encoding, header, ids and dates.

    Raises:
        FileRefused: if it has no header, or a required column is missing.
    """
    found = StoriesFile(file, find_encoding(file), read_name(file, options.zone), Columns(()))
    with found.open() as text:
        found.delimiter = find_delimiter(text.read(_HEAD))
    orders = _survey_rows(found, options, is_only_file)
    if orders:
        found.day_first = orders.day_first(options.date_order == "day_first")
        found.is_order_proven = orders.is_proven
        if any(found.day_first.values()):
            found.newest = None
            _survey_rows(found, options, is_only_file)
    return found


def _survey_rows(found: StoriesFile, options: ArchiveOptions, is_only_file: bool) -> DayOrders:
    """Survey the rows, and return the evidence for the order of day and month in their dates."""
    orders = DayOrders()
    with found.open() as text:
        rows = CsvRows(text, found.delimiter)
        found.header_line, header = _first(rows, found.delimiter)
        found.columns = read_header(header)
        if found.columns.missing:
            names = " and no ".join(found.columns.missing)
            raise FileRefused(f"has no {names} column; name it in the header")
        moments = found.moments(options.zone)
        number = -1
        for number, (_, cells) in enumerate(_below(found, rows)):
            if isinstance(cells, RowRefused):
                continue
            if not is_only_file or number < _SURVEYED_ROWS:
                _survey(found, cells, moments)
            elif not orders:
                break  # no date is ambiguous, so the first rows are enough
            for name in DATES:
                cell = found.cell(cells, name)
                orders.see(name, cell)
                if cell.strip().lower() in _NULL_WORDS:
                    found.null_words.add(cell)
        if number < 0 and not found.columns.has_ids:
            raise FileRefused("has no rows and no Id column: it is an import template")
    return orders


def body(file: StoriesFile, text: TextIO) -> Iterator[Row]:
    """The rows below the header, without empty rows and repeated headers."""
    rows = CsvRows(text, file.delimiter)
    _first(rows, file.delimiter)
    return _below(file, rows)


def _below(file: StoriesFile, rows: CsvRows) -> Iterator[Row]:
    columns = below = before = file.columns
    rows.expect(columns.width, columns.single.get("id"))
    for line, row in rows:
        cells: list[str] | None
        if not isinstance(row, RowRefused):
            if file.null_words:
                row = ["" if cell in file.null_words else cell for cell in row]
            cells = row
        elif _is_damaged_header(names := _split(row, file.delimiter)):
            cells = row = names
        else:
            cells = row.cells
        applies = below
        if cells and before != below:  # the first rows below another header
            if _has_id(cells, below):
                before = below
            elif _has_id(cells, before):
                applies = before  # it was not a header, but text of a row
                if not isinstance(row, RowRefused):  # whose cells may be in wrong places
                    below = before
                    rows.expect(below.width, below.single.get("id"))
        if isinstance(row, RowRefused):
            if cells and applies.header != columns.header:
                row.cells = MovedRow(cells, applies, columns)
            yield line, row
        elif is_repeated_header(row, below):
            repeated = read_header(row)
            is_usable = not repeated.missing and repeated.has_ids >= below.has_ids
            if is_usable and not _is_damaged_copy(row, below):
                is_certain = sorted(repeated.header) == sorted(below.header)
                before, below = repeated if is_certain else below, repeated
            rows.expect(below.width, below.single.get("id"))
        elif any(row):
            yield line, row if below.header == columns.header else MovedRow(row, below, columns)


def is_repeated_header(cells: list[str], columns: Columns) -> bool:
    """Whether a row below the header is another header, as in concatenated files."""
    return not _has_id(cells, columns) and is_stories_header(cells)


def _has_id(cells: list[str], columns: Columns) -> bool:
    place = columns.single.get("id", len(cells))
    return place < len(cells) and parse_id(cells[place]) is not None


def _split(row: RowRefused, delimiter: str) -> list[str]:
    """The column names in a header with broken quoting; no column name contains a delimiter."""
    return [name for cell in row.cells or () for name in cell.split(delimiter)]


def _is_damaged_header(cells: list[str]) -> bool:
    """Whether a refused row is a header, rather than a row fused with part of a header."""
    known = len(cells) - len(read_header(cells).unknown)
    return is_stories_header(cells) and known >= _SIMILAR * len(cells)


def _is_damaged_copy(cells: list[str], columns: Columns) -> bool:
    """Whether a header has nearly all names in the same positions as another one."""
    same = sum(map(str.__eq__, cells, columns.header))
    return len(cells) == columns.width and same >= _SIMILAR * columns.width


class MovedRow(list[str]):
    """A row below a second header, with its cells in the order of the file's first header.

    Attributes:
        unplaced: header -> cell, for columns that the first header does not have.
    """

    def __init__(self, cells: list[str], below: Columns, columns: Columns) -> None:
        """Reorder the cells of a row.

        Args:
            cells: the row.
            below: the header above it.
            columns: the first header of the file.
        """
        super().__init__([""] * columns.width)
        places = _places(below, columns)
        self.unplaced: dict[str, str] = {}
        for place, cell in enumerate(cells):
            if place in places:
                self[places[place]] = cell
            elif cell:
                header = below.header[place] if place < below.width else ""
                self.unplaced[header or f"column {place + 1}"] = cell


@lru_cache(maxsize=16)
def _places(below: Columns, columns: Columns) -> dict[int, int]:
    """Position in a second header -> position in the first header."""
    places = {
        place: columns.single[name]
        for name, place in below.single.items()
        if name in columns.single
    }
    for name, spans in below.groups.items():
        for span, here in zip(spans, columns.groups[name], strict=False):
            pairs = zip(span, here, strict=True)
            places |= {place: at for place, at in pairs if min(place, at) >= 0}
    return places


def _first(rows: Iterator[Row], delimiter: str) -> tuple[int, list[str]]:
    """The line of the header, and its cells."""
    filled = (row for row in rows if isinstance(row[1], RowRefused) or any(row[1]))
    for line, row in islice(filled, MOST_HEADER_ROWS):
        cells = _split(row, delimiter) if isinstance(row, RowRefused) else row
        if is_stories_header(cells):
            return line, cells
    raise FileRefused("has no readable header")


def _survey(found: StoriesFile, cells: list[str], moments: dict[str, Moments]) -> None:
    identity = parse_id(found.cell(cells, "id"))
    if identity is None and found.columns.has_ids:
        return
    if found.cell(cells, "type").strip().lower() != "epic":
        if identity is not None:
            found.ids.add(identity)
        found.titles[normalised(found.cell(cells, "title"))] += 1
        found.panels.add(panel_of(found.cell(cells, "current state").strip().lower()))
    for name in ("created at", "accepted at"):
        try:
            moment = moments[name][found.cell(cells, name)]
        except ValueError:
            continue
        if moment and (found.newest is None or moment.at > found.newest.at):
            found.newest = moment


def panel_of(state: str | None) -> str:
    """The panel of a story with this state; an export may contain only some panels."""
    return {"accepted": "done", "unscheduled": "icebox"}.get(state or "", "backlog")


@dataclass
class Project:
    """The stories CSV files of one project, the newest first.

    Attributes:
        files: the files.
        id: the project's id.
        name: its name, or else its slug.
        resembles: the id of a project with the same story titles under other ids.
    """

    files: list[StoriesFile]
    id: int = 0
    name: str = ""
    resembles: int | None = None


@dataclass(frozen=True)
class KnownProject:
    """A project in other files or in the warehouse that has some of the stories of CSV files.

    Attributes:
        id: its id.
        name: its name, if known.
        shared_count: how many of these stories it has.
        story_count: how many stories it has in all.
    """

    id: int
    name: str | None
    shared_count: int
    story_count: int


def group_by_project(
    files: list[StoriesFile],
    known_project_of: Callable[[set[int]], KnownProject | None],
    project_name: str | None,
) -> list[Project]:
    """Group files that share stories, and identify their projects.

    Args:
        files: surveyed files.
        known_project_of: finds the project of most of some stories.
        project_name: the configured name; None for the slug of the newest file's name.
    """
    projects: list[Project] = []
    for file in files:
        same = [each for each in projects if any(_is_same(file, other) for other in each.files)]
        merged = Project([file, *(other for each in same for other in each.files)])
        projects = [*(each for each in projects if each not in same), merged]
    taken: set[int] = set()
    for project in projects:
        from_oldest = in_order(project.files, lambda each: each.age, lambda each: each.file)
        project.files = from_oldest[::-1]
        _identify(project, known_project_of, project_name, taken)
    _flag_copies(projects)
    return projects


def _is_same(one: StoriesFile, other: StoriesFile) -> bool:
    """Whether two files are from the same project: they share stories, or the slug.

    A story that was moved is in exports of both its projects. So a few shared stories say nothing,
    unless the files have the same slug or are different parts of a project, such as its icebox.

    Files with the same slug and similar titles, but without shared stories, are from two projects:
    a backlog that was imported again has the same titles under new ids.
    """
    shared = len(one.ids & other.ids)
    same_slug = normalised(one.name.slug) == normalised(other.name.slug)
    if shared and (same_slug or not one.panels & other.panels):
        return True
    if _shares_enough(shared, len(one.ids), len(other.ids)):
        return True
    has_stamps = one.name.made_at and other.name.made_at
    if not (one.columns.has_ids or other.columns.has_ids):
        return same_slug
    return bool(has_stamps and same_slug) and _similarity(one, other) < _SIMILAR


def _shares_enough(shared: int, *totals: int) -> bool:
    return shared > 0 and shared >= _LEAST_SHARED * min(totals)


def _similarity(one: StoriesFile, other: StoriesFile) -> float:
    """The share of the smaller file's titles that are also in the other file."""
    fewer = min(one.titles.total(), other.titles.total())
    if fewer < _MIN_TITLES:
        return 0.0
    return (one.titles & other.titles).total() / fewer


def _identify(
    project: Project,
    known_project_of: Callable[[set[int]], KnownProject | None],
    project_name: str | None,
    taken: set[int],
) -> None:
    stamped = [each for each in project.files if each.name.made_at]
    project.name = project_name or (stamped or project.files)[0].name.slug
    ids = set().union(*(each.ids for each in project.files))
    known = known_project_of(ids)
    if known and normalised(known.name or "") != normalised(project.name):
        is_same = _shares_enough(known.shared_count, len(ids), known.story_count)
        known = known if is_same else None
    project.id = known.id if known else project_id(project.name)
    if project.id in taken and not known:
        project.id = project_id(f"{project.name} {min(ids, default=0)}")
    taken.add(project.id)


def _flag_copies(projects: list[Project]) -> None:
    for index, project in enumerate(projects):
        for other in projects[:index]:
            is_similar = _similarity(project.files[0], other.files[0]) >= _SIMILAR
            if project.id != other.id and is_similar:
                newer, older = sorted((project, other), key=lambda each: each.files[0].age)[::-1]
                newer.resembles = newer.resembles or older.id
