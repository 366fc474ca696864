"""Find the columns of a stories CSV by the names in its header."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Column names in older exports of Tracker.
_OLD_SPELLINGS = {"story": "title", "story type": "type", "note": "comment"}
_SPELLINGS = {
    **_OLD_SPELLINGS,
    "story id": "id",
    "name": "title",
    "state": "current state",
    "status": "current state",
    "points": "estimate",
    "story points": "estimate",
    "created": "created at",
    "accepted": "accepted at",
    "due date": "deadline",
    "requester": "requested by",
    "label": "labels",
    "notes": "comment",
    "comments": "comment",
    "branch": "git branch",
    "pull requests": "pull request",
    "owner": "owned by",
    "owners": "owned by",
    "story priority": "priority",
}
SINGLE = (
    "id", "title", "labels", "iteration", "iteration start", "iteration end", "type", "estimate",
    "priority", "current state", "created at", "accepted at", "deadline", "requested by",
    "description", "url",
)  # fmt: skip
# Columns that can be repeated, and the columns that accompany each repetition.
_GROUPS = {
    "owned by": (),
    "comment": (),
    "task": ("task status",),
    "blocker": ("blocker status",),
    "reviewer": ("review type", "review status"),
    "pull request": (),
    "git branch": (),
}
_CAPITAL = re.compile("(?<=[a-z])(?=[A-Z])")  # as in `currentState`
_TURKISH = str.maketrans("\u0130\u0131", "Ii")  # Turkish capital i and small I
_HISTORY = {"id", "type", "message", "performed by", "occurred at"}
# A table with an id or a title and at least two of these is a stories CSV; the tables of other
# tools seldom have them.
_TYPICAL = frozenset(
    {"type", "current state", "estimate", "iteration", "iteration start", "iteration end",
     "accepted at", "requested by", "owned by", "priority"}
)  # fmt: skip
_MIN_TYPICAL = 2
MOST_HEADER_ROWS = 20  # the header is in these first rows; titles may be above it


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of one stories CSV.

    Attributes:
        header: the header's cells.
        single: name -> position, for columns that occur once.
        groups: name -> for each repetition, its position and those of the accompanying columns; -1
            for a missing one.
        unknown: (header, position) of all other columns, including repeated single ones.
    """

    header: tuple[str, ...]
    single: dict[str, int] = field(default_factory=dict)
    groups: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    unknown: list[tuple[str, int]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.header)

    @property
    def has_ids(self) -> bool:
        """Whether rows have Tracker's ids; in its import format they have none."""
        return "id" in self.single

    @property
    def missing(self) -> list[str]:
        """The required columns that are missing.

        Tracker's import format requires only a title: the default type is feature, and the default
        state is unscheduled.
        """
        needed = ("title", "type", "current state") if self.has_ids else ("title",)
        return [name.title() for name in needed if name not in self.single]


def column_name(cell: str) -> str:
    """The name of a column in Tracker's latest spelling, in lower case."""
    name = _spelt(cell)
    return _SPELLINGS.get(name, name)


def _spelt(cell: str) -> str:
    text = cell.strip("\ufeff\0\xa0 \t\r\n='\"").translate(_TURKISH)
    return re.sub(r"[\s_-]+", " ", _CAPITAL.sub(" ", text)).lower()


def _spelling_rank(cell: str) -> tuple[bool, bool]:
    """A sort key for several headers of the same column: Tracker's own spellings come first."""
    name = _spelt(cell)
    return name in _SPELLINGS and name not in _OLD_SPELLINGS, cell.islower()


def is_history_header(cells: list[str]) -> bool:
    """Whether these cells are the header of a project history."""
    return {column_name(each) for each in cells} >= _HISTORY


def is_stories_header(cells: list[str]) -> bool:
    """Whether these cells are the header of a stories CSV."""
    names = {column_name(each) for each in cells}
    return bool(names & {"id", "title"}) and len(names & _TYPICAL) >= _MIN_TYPICAL


def read_header(cells: list[str]) -> Columns:
    """Find the columns of a stories CSV."""
    positions: dict[str, list[int]] = {}
    for position, cell in enumerate(cells):
        positions.setdefault(column_name(cell), []).append(position)
    columns = Columns(tuple(cells))
    for name in SINGLE:
        if found := sorted(positions.pop(name, []), key=lambda each: _spelling_rank(cells[each])):
            columns.single[name] = found[0]
            columns.unknown.extend((cells[each], each) for each in found[1:])
    for name, companions in _GROUPS.items():
        members = [positions.pop(each, []) for each in (name, *companions)]
        columns.groups[name] = [
            tuple(each[index] if index < len(each) else -1 for each in members)
            for index in range(max(map(len, members)))
        ]
    for found in positions.values():
        columns.unknown.extend((cells[each], each) for each in found)
    return columns
