"""Stories CSV files before they are read: what project each is of, and which was made last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TextIO
from zoneinfo import ZoneInfo

from ingest.archive.csv.cells import day_order, parse_day
from ingest.archive.csv.columns import Columns, read_header
from ingest.archive.csv.rows import (
    Row,
    find_delimiter,
    is_blank,
    is_separator_line,
    read_rows,
)
from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import find_encoding, opened_text
from ingest.archive.files.export_name import ExportName, read_name
from ingest.archive.project.people import normalised, project_id

_HEAD = 64 * 1024
_DAYS = ("created at", "accepted at", "deadline", "iteration start", "iteration end")
_PEEK = 2_000  # rows that tell whose project a lone file is of
_ALIKE = 0.8  # share of equal titles from which on a backlog looks imported from another
_FEWEST_TITLES = 3
_LONGEST_NUMBER = 19  # digits that surely fit 64 bits


@dataclass
class StoriesFile:
    """One stories CSV.

    Attributes:
        file: the file.
        encoding: the codec that reads it.
        name: what its name says.
        columns: its header.
        ids: ids of its rows: all when it was surveyed whole, else of the first ones.
        titles: normalised titles of the same rows.
        panels: which of done, backlog and icebox have rows.
        newest_day: the newest day on which something in those rows happened.
        order: its place among the files given.
        delimiter: what separates its cells.
        header_line: the line of its header.
        is_day_first: whether its dates such as 31/12/2019 begin with the day.
    """

    file: ArchiveFile
    encoding: str
    name: ExportName
    columns: Columns
    ids: set[int] = field(default_factory=set)
    titles: Counter[str] = field(default_factory=Counter)
    panels: set[str] = field(default_factory=set)
    newest_day: date | None = None
    order: int = 0
    delimiter: str = ","
    header_line: int = 1
    is_day_first: bool = False

    @contextmanager
    def open(self) -> Iterator[TextIO]:
        """Its text, line ends untouched."""
        with self.file.open() as stream, opened_text(stream, self.encoding) as text:
            yield text

    def cell(self, cells: list[str], name: str) -> str:
        """The cell of a row under a header; empty where there is none."""
        index = self.columns.single.get(name, -1)
        return cells[index] if 0 <= index < len(cells) else ""

    @property
    def age(self) -> tuple[date, bool, datetime, int]:
        """Sorts files from the oldest to the newest.

        A file without a time stamp was made at some time on its newest day, or later.
        """
        made_at = self.name.made_at
        day = made_at.date() if made_at else self.newest_day or date.min
        never = datetime.min.replace(tzinfo=UTC)
        return day, made_at is None, made_at or never, self.order

    def as_of(self, newest_day: date | None, zone: ZoneInfo) -> datetime | None:
        """The instant that it speaks for: its time stamp, else its newest day's beginning."""
        if self.name.made_at or newest_day is None:
            return self.name.made_at
        return datetime.combine(newest_day, time(), tzinfo=zone).astimezone(UTC)


def open_stories_file(file: ArchiveFile, zone: ZoneInfo, order: int, is_alone: bool) -> StoriesFile:
    """Survey a stories CSV: its encoding, header, ids and days.

    Raises:
        FileRefused: when its rows cannot be told apart by an id.
    """
    found = StoriesFile(file, find_encoding(file), read_name(file, zone), Columns(()))
    found.order = order
    with found.open() as text:
        found.delimiter = find_delimiter(text.read(_HEAD))
    orders = _survey_rows(found, is_alone)
    if "day first" in orders and "month first" not in orders:
        found.is_day_first, found.newest_day = True, None
        _survey_rows(found, is_alone)
    return found


def _survey_rows(found: StoriesFile, is_alone: bool) -> set[str]:
    """Look at the rows, and return which orders of day and month their dates have."""
    orders: set[str] = set()
    with found.open() as text:
        rows = read_rows(text, found.delimiter)
        found.header_line, header = _first(rows)
        found.columns = read_header(header)
        if "id" not in found.columns.single:
            raise FileRefused("has no Id column: a template for import, not an export")
        for number, (_, cells) in enumerate(rows):
            if isinstance(cells, RowRefused):
                continue
            if not is_alone or number < _PEEK:
                _survey(found, cells)
            elif not orders:
                break  # the first rows tell enough, where no date can be read in two ways
            orders |= {order for name in _DAYS if (order := day_order(found.cell(cells, name)))}
    return orders


def body(file: StoriesFile, text: TextIO) -> Iterator[Row]:
    """The rows below the header, blank ones left out."""
    rows = read_rows(text, file.delimiter)
    _first(rows)
    return (row for row in rows if isinstance(row[1], RowRefused) or not is_blank(row[1]))


def _first(rows: Iterator[Row]) -> tuple[int, list[str]]:
    for line, cells in rows:
        if isinstance(cells, RowRefused):
            raise FileRefused(f"has no readable header: {cells.reason}")
        if not is_blank(cells) and not is_separator_line(cells):
            return line, cells
    raise FileRefused("is empty")


def _survey(found: StoriesFile, cells: list[str]) -> None:
    identity = found.cell(cells, "id")
    if not (identity.isascii() and identity.isdigit() and len(identity) < _LONGEST_NUMBER):
        return
    if found.cell(cells, "type").lower() != "epic":
        found.ids.add(int(identity))
        found.titles[normalised(found.cell(cells, "title"))] += 1
        found.panels.add(panel_of(found.cell(cells, "current state").lower()))
    for name in ("created at", "accepted at"):
        text = found.cell(cells, name)
        try:
            day = parse_day(text, found.is_day_first) if text else None
        except ValueError:
            continue
        if day and (found.newest_day is None or day > found.newest_day):
            found.newest_day = day


def panel_of(state: str | None) -> str:
    """Which part of a project a story stands in: people export some of them only."""
    return {"accepted": "done", "unscheduled": "icebox"}.get(state or "", "backlog")


@dataclass
class Project:
    """The stories CSV files of one project, the newest first.

    Attributes:
        files: the files.
        id: the project's id.
        name: its name, or its slug.
        is_known: whether the id is Tracker's own, or one that the warehouse already has.
        resembles: the id of a project with the same titles under other ids.
    """

    files: list[StoriesFile]
    id: int = 0
    name: str = ""
    is_known: bool = False
    resembles: int | None = None


def group_by_project(
    files: list[StoriesFile],
    project_of: Callable[[set[int]], int | None],
    project_name: str | None,
) -> list[Project]:
    """Put files that share stories together, and find out whose project they are.

    Args:
        files: surveyed files.
        project_of: the project that other files or the warehouse give to some of these stories.
        project_name: the name asked for; None for the slug of the newest file's name.
    """
    projects: list[Project] = []
    for file in files:
        kin = [each for each in projects if any(_is_same(file, other) for other in each.files)]
        merged = Project([file, *(other for each in kin for other in each.files)])
        projects = [*(each for each in projects if each not in kin), merged]
    taken: set[int] = set()
    for project in projects:
        project.files.sort(key=lambda each: each.age, reverse=True)
        _name(project, project_of, project_name, taken)
    _flag_copies(projects)
    return projects


def _is_same(one: StoriesFile, other: StoriesFile) -> bool:
    """Whether two files are of one project: shared stories, or the slug without a likeness.

    A backlog imported again has new ids and the same titles: that is another project.
    """
    if one.ids & other.ids:
        return True
    has_stamps = one.name.made_at and other.name.made_at
    same_slug = normalised(one.name.slug) == normalised(other.name.slug)
    return bool(has_stamps and same_slug) and _likeness(one, other) < _ALIKE


def _likeness(one: StoriesFile, other: StoriesFile) -> float:
    fewer = min(one.titles.total(), other.titles.total())
    if fewer < _FEWEST_TITLES:
        return 0.0
    return (one.titles & other.titles).total() / fewer


def _name(
    project: Project,
    project_of: Callable[[set[int]], int | None],
    project_name: str | None,
    taken: set[int],
) -> None:
    stamped = [each for each in project.files if each.name.made_at]
    project.name = project_name or (stamped or project.files)[0].name.slug
    ids = set().union(*(each.ids for each in project.files))
    known = project_of(ids)
    project.is_known = known is not None
    project.id = known if known is not None else project_id(project.name)
    if project.id in taken and known is None:
        project.id = project_id(f"{project.name} {min(ids, default=0)}")
    taken.add(project.id)


def _flag_copies(projects: list[Project]) -> None:
    for index, project in enumerate(projects):
        for other in projects[:index]:
            if project.id != other.id and _likeness(project.files[0], other.files[0]) >= _ALIKE:
                newer, older = sorted((project, other), key=lambda each: each.files[0].age)[::-1]
                newer.resembles = newer.resembles or older.id
