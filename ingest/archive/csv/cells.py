"""What one cell of a CSV export means: pure functions."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

STORY_TYPES = frozenset({"feature", "bug", "chore", "release"})
STATES = frozenset(
    {
        "accepted", "delivered", "finished", "started", "rejected", "planned", "unstarted",
        "unscheduled",
    }
)  # fmt: skip
PRIORITIES = frozenset({"p0", "p1", "p2", "p3", "none"})
_MONTH_NAMES = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_WRITTEN_DAY = re.compile(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2}), (\d{4})")
_SLASHED_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
# Tracker wrote `'=1+1` for a cell that a spreadsheet would take for a formula.
_GUARD = re.compile(r"'(?='*[=+\-@])")
_COMMENT_DAY = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}")
_YEARS = range(1990, 2101)


def unguarded(text: str) -> str:
    """A text without the apostrophe that keeps spreadsheets from calculating it."""
    return text[1:] if text[:1] == "'" and _GUARD.match(text) else text


def day_order(text: str) -> str | None:
    """How a date such as 31/12/2019 is ordered; None for one that is written otherwise."""
    if "/" not in text or not (found := _SLASHED_DAY.fullmatch(text.strip())):
        return None
    if int(found[1]) > 12:
        return "day first"
    return "month first" if int(found[2]) > 12 else "either"


def parse_day(text: str, is_day_first: bool = False) -> date:
    """A day as exports write it: `Nov 22, 2014`, `11/22/2014` or `2014-11-22`.

    Args:
        text: the cell.
        is_day_first: whether a day with slashes is `22/11/2014`, as some spreadsheets save it.

    Raises:
        ValueError: when there is no such day, or none that a story can have.
    """
    text = text.strip()
    if found := _WRITTEN_DAY.fullmatch(text):
        month = _MONTHS.get(found[1].lower(), 0)
        day = date(int(found[3]), month, int(found[2]))
    elif found := _SLASHED_DAY.fullmatch(text):
        day_of_month, month = (1, 2) if is_day_first else (2, 1)
        day = date(int(found[3]), int(found[month]), int(found[day_of_month]))
    elif found := _ISO_DAY.fullmatch(text):
        day = date(int(found[1]), int(found[2]), int(found[3]))
    else:
        raise ValueError("no date")
    if day.year not in _YEARS:
        raise ValueError("year out of range")
    return day


def midnight(day: date, zone: ZoneInfo) -> str:
    """The instant at which a day begins in a zone, as ISO 8601 in UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_estimate(text: str) -> float | None:
    """Points; None for unestimated, which is written empty or as -1.

    Raises:
        ValueError: when it is no number that can be an estimate.
    """
    text = text.strip()
    if text in ("", "-1", "-1.0"):
        return None
    points = float(text)
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
    try:
        parse_day(text)
    except ValueError:
        return False
    return bool(_COMMENT_DAY.fullmatch(text))


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
