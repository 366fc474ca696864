"""Where a stories CSV keeps what: read from its header, by name, never by position."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# How Tracker spelt its columns at other times.
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
# What may stand several times, and the columns that belong to each such one.
_GROUPS = {
    "owned by": (),
    "comment": (),
    "task": ("task status",),
    "blocker": ("blocker status",),
    "reviewer": ("review type", "review status"),
    "pull request": (),
    "git branch": (),
}
_HISTORY = {"id", "type", "message", "performed by", "occurred at"}
# Columns that exports of Tracker have and other tools' tables seldom do: two of them, beside a
# title or an id, make a table a stories CSV, of which a lost column can then be named.
_TELLING = frozenset(
    {"type", "current state", "estimate", "iteration", "iteration start", "iteration end",
     "accepted at", "requested by", "owned by", "priority"}
)  # fmt: skip
_FEWEST_TELLING = 2


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of one stories CSV.

    Attributes:
        header: the header's cells.
        single: name -> position, for what stands once.
        groups: name -> one tuple of positions for each repetition, the group's own first; -1
            where the n-th of a companion is missing.
        unknown: (header, position) of other columns, those that repeat a single one included.
    """

    header: tuple[str, ...]
    single: dict[str, int] = field(default_factory=dict)
    groups: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    unknown: list[tuple[str, int]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many cells a full row has."""
        return len(self.header)

    @property
    def has_ids(self) -> bool:
        """Whether rows have ids of Tracker's; those of its import format have none."""
        return "id" in self.single

    @property
    def missing(self) -> list[str]:
        """The columns without which no row can be read.

        Tracker's import format needs a title alone: a story without a type is a feature there, and
        one without a state is in the icebox.
        """
        needed = ("title", "type", "current state") if self.has_ids else ("title",)
        return [name.title() for name in needed if name not in self.single]


def column_name(cell: str) -> str:
    """A header's cell as it is compared, under its latest spelling."""
    name = _spelt(cell)
    return _SPELLINGS.get(name, name)


def _spelt(cell: str) -> str:
    return re.sub(r"[\s_]+", " ", cell.strip("\ufeff\0 \t\r\n'\"")).lower()


def _strangeness(cell: str) -> tuple[bool, bool]:
    """Sorts headers that mean one column: first those that are spelt as Tracker spelt them."""
    name = _spelt(cell)
    return name in _SPELLINGS and name not in _OLD_SPELLINGS, cell.islower()


def is_history_header(cells: list[str]) -> bool:
    """Whether these cells head a project history."""
    return {column_name(each) for each in cells} >= _HISTORY


def is_stories_header(cells: list[str]) -> bool:
    """Whether these cells head the stories of a project."""
    names = {column_name(each) for each in cells}
    return bool(names & {"id", "title"}) and len(names & _TELLING) >= _FEWEST_TELLING


def read_header(cells: list[str]) -> Columns:
    """Find every column of a stories CSV."""
    positions: dict[str, list[int]] = {}
    for position, cell in enumerate(cells):
        positions.setdefault(column_name(cell), []).append(position)
    columns = Columns(tuple(cells))
    for name in SINGLE:
        if found := sorted(positions.pop(name, []), key=lambda each: _strangeness(cells[each])):
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
