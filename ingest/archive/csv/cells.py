"""What one cell of a CSV export means: pure functions."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.archive.dates import parse_moment

STORY_TYPES = frozenset({"feature", "bug", "chore", "release"})
STATES = frozenset(
    {
        "accepted", "delivered", "finished", "started", "rejected", "planned", "unstarted",
        "unscheduled",
    }
)  # fmt: skip
PRIORITIES = frozenset({"p0", "p1", "p2", "p3", "none"})
# Tracker wrote `'=1+1` for a cell that a spreadsheet would take for a formula.
_GUARD = re.compile(r"'(?='*[=+\-@])")
_ID = re.compile(r"[\s\ufeff]*#?([0-9]{1,12})(?:\.0*)?\s*")
_NUMBER = re.compile(r"\+?[0-9]*[.,]?[0-9]+(?:[eE][+-]?[0-9]{1,2})?|[0-9]+[.,]")
_UTC = ZoneInfo("UTC")
_COMMENT_DAY = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}")


def unguarded(text: str) -> str:
    """A text without the apostrophe that keeps spreadsheets from calculating it."""
    return text[1:] if text[:1] == "'" and _GUARD.match(text) else text


def parse_id(text: str) -> int | None:
    """The id of a story or an epic, also as `#101` or, after a spreadsheet, `101.0`; else None."""
    found = _ID.fullmatch(text)
    return int(found[1]) or None if found else None


def parse_estimate(text: str) -> float | None:
    """Points; None for unestimated, which is written empty or as -1. `0,5` is a half.

    Raises:
        ValueError: when it is no number that can be an estimate.
    """
    text = text.strip()
    if text in ("", "-1", "-1.0"):
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError("no estimate")
    points = float(text.replace(",", "."))
    if not 0 <= points < 1e9:
        raise ValueError("no estimate")
    return points


def parse_priority(text: str) -> str | None:
    """`p1` of `p1 - High`; None when the cell is empty.

    Raises:
        ValueError: when it is none of Tracker's priorities.
    """
    priority = text.partition(" - ")[0].strip().lower()
    if priority and priority not in PRIORITIES:
        raise ValueError("no priority")
    return priority or None


def parse_iteration(text: str) -> int | None:
    """The number of an iteration; None when the cell is empty.

    Raises:
        ValueError: when it is none.
    """
    text = text.strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("no iteration number")
    return int(text) if text else None


def split_labels(text: str) -> list[str]:
    """The labels of a cell, in order, each once."""
    return list(dict.fromkeys(name for each in text.split(",") if (name := each.strip())))


def split_comment(cell: str) -> tuple[str, str | None, str | None]:
    """Text, author and day of a comment cell: `text (Author - Mon D, YYYY)`.

    Only the last such ending counts; an author's name may hold brackets. A cell without one is
    all text.
    """
    end = cell.rstrip()
    dash = end.rfind(" - ")
    if dash < 0 or end[-1:] != ")" or not is_comment_day(end[dash + 3 : -1]):
        return cell, None, None
    opening = cell.rfind("(", 0, dash)
    if ")" in cell[opening:dash]:
        opening = _opening_bracket(cell, dash)
    author = cell[opening + 1 : dash].strip()
    if opening < 0 or not author or "\n" in author or "\r" in author:
        return cell, None, None
    return cell[:opening].removesuffix(" "), author, end[dash + 3 : -1]


@lru_cache(maxsize=20_000)
def is_comment_day(text: str) -> bool:
    """Whether a text is a day as the ending of a comment has it: `Nov 22, 2014`."""
    if not _COMMENT_DAY.fullmatch(text):
        return False
    try:
        parse_moment(text, _UTC)
    except ValueError:
        return False
    return True


def _opening_bracket(cell: str, end: int) -> int:
    """Where the bracket opens that is still open at `end`; -1 for nowhere."""
    depth = 0
    for index in range(end - 1, -1, -1):
        if cell[index] == ")":
            depth += 1
        elif cell[index] == "(":
            if depth == 0:
                return index
            depth -= 1
    return -1
