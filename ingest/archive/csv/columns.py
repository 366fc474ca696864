"""Where a stories CSV keeps what: read from its header, by name, never by position."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SPELLINGS = {
    "story": "title",
    "name": "title",
    "story type": "type",
    "state": "current state",
    "note": "comment",
    "notes": "comment",
    "comments": "comment",
    "branch": "git branch",
    "pull requests": "pull request",
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


@dataclass(frozen=True)
class Columns:
    """The columns of one stories CSV.

    Attributes:
        header: the header's cells.
        single: name -> position, for what stands once.
        groups: name -> one tuple of positions for each repetition, the group's own first; -1
            where the n-th of a companion is missing.
        unknown: (header, position) of columns that no export is known to have.
    """

    header: tuple[str, ...]
    single: dict[str, int] = field(default_factory=dict)
    groups: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    unknown: list[tuple[str, int]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many cells a full row has."""
        return len(self.header)


def column_name(cell: str) -> str:
    """A header's cell as it is compared, under its latest spelling."""
    name = re.sub(r"[\s_]+", " ", cell.strip("\ufeff \t\r\n'\"")).lower()
    return _SPELLINGS.get(name, name)


def is_history_header(cells: list[str]) -> bool:
    """Whether these cells head a project history."""
    return {column_name(each) for each in cells} >= _HISTORY


def is_stories_header(cells: list[str]) -> bool:
    """Whether these cells head the stories of a project."""
    names = {column_name(each) for each in cells}
    return {"title", "type"} <= names and bool(names & {"current state", "url", "estimate"})


def read_header(cells: list[str]) -> Columns:
    """Find every column of a stories CSV."""
    positions: dict[str, list[int]] = {}
    for position, cell in enumerate(cells):
        positions.setdefault(column_name(cell), []).append(position)
    columns = Columns(tuple(cells))
    for name in SINGLE:
        if found := positions.pop(name, []):
            columns.single[name] = found[0]
            columns.unknown.extend((cells[each], each) for each in found[1:])
    for name, companions in _GROUPS.items():
        members = [positions.pop(each, []) for each in (name, *companions)]
        columns.groups[name] = [
            tuple(each[index] if index < len(each) else -1 for each in members)
            for index in range(max(map(len, members)))
        ]
    for name, found in positions.items():
        columns.unknown.extend((cells[each], each) for each in found if name)
    return columns
