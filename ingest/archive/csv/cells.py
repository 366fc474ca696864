"""Parse the cells of a CSV export (pure functions)."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.archive.dates import INVISIBLE, parse_moment

STORY_TYPES = frozenset({"feature", "bug", "chore", "release"})
STATES = frozenset(
    {
        "accepted", "delivered", "finished", "started", "rejected", "planned", "unstarted",
        "unscheduled",
    }
)  # fmt: skip
PRIORITIES = frozenset({"p0", "p1", "p2", "p3", "none"})
# Tracker wrote `'=1+1` for text that a spreadsheet would treat as a formula.
_GUARD = re.compile(r"'(?='*[=+\-@])")
# Spreadsheets keep digits as text in forms such as `'101`, `="101"` and `=("101")`.
_ID = re.compile(
    rf"""[\s{INVISIBLE}]*(?:=\(?)?(["'])?#?([0-9]{{1,12}})(?:\.0*)?(?(1)["']?)\)?[\s{INVISIBLE}]*"""
)
_ID_LINK = re.compile(
    r"""\s*(?:=HYPERLINK\(["'])?https?://[^\s"']+/show/([0-9]{1,12})(?![0-9]).*"""
)
# With thousands separators, at least two: a single one could also be a decimal separator.
_GROUPED_ID = re.compile(r"\s*[0-9]{1,3}(?:([,.'\u2019 \xa0\u202f])[0-9]{3})(?:\1[0-9]{3}){1,2}\s*")
_NUMBER = re.compile(r"\+?[0-9]*[.,]?[0-9]+(?:[eE][+-]?[0-9]{1,2})?|[0-9]+[.,]")
_UTC = ZoneInfo("UTC")
_COMMENT_DAY = re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}")


def unguarded(text: str) -> str:
    """Remove the apostrophe that keeps spreadsheets from treating a text as a formula."""
    return text[1:] if text[:1] == "'" and _GUARD.match(text) else text


def parse_id(text: str) -> int | None:
    """Parse an id, also as spreadsheets write it: `#101`, `101.0`, `="101"` or `1,234,567`.

    It may also be a link to the story. None if it is invalid.
    """
    if link := _ID_LINK.fullmatch(text):
        return int(link[1]) or None
    if _GROUPED_ID.fullmatch(text):
        return int(re.sub(r"\D", "", text))
    found = _ID.fullmatch(text)
    return int(found[2]) or None if found else None


def parse_estimate(text: str) -> float | None:
    """Parse points, also `0,5`; None for unestimated, which is an empty cell or -1.

    Raises:
        ValueError: if it is not a valid estimate.
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
    """Parse a priority: `p1` from `p1 - High`; None if the cell is empty.

    Raises:
        ValueError: if Tracker has no such priority.
    """
    priority = text.partition(" - ")[0].strip().lower()
    if priority and priority not in PRIORITIES:
        raise ValueError("no priority")
    return priority or None


def parse_iteration(text: str) -> int | None:
    """Parse the number of an iteration; None if the cell is empty.

    Raises:
        ValueError: if it is not a number.
    """
    text = text.strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("no iteration number")
    return int(text) if text else None


def split_labels(text: str) -> list[str]:
    """The labels in a cell, in order, without duplicates."""
    return list(dict.fromkeys(name for each in text.split(",") if (name := each.strip())))


def split_comment(cell: str) -> tuple[str, str | None, str | None]:
    """Split a comment `text (Author - Mon D, YYYY)` into text, author and day.

    Only the last such ending counts; the author's name may contain parentheses. If there is no
    such ending, the whole cell is the text.
    """
    end = cell.rstrip()
    dash = end.rfind(" - ")
    if dash < 0 or end[-1:] != ")" or not is_comment_day(end[dash + 3 : -1]):
        return cell, None, None
    opening = cell.rfind("(", 0, dash)
    if ")" in cell[opening:dash]:
        opening = _opening_parenthesis(cell, dash)
    author = cell[opening + 1 : dash].strip()
    if opening < 0 or not author or "\n" in author or "\r" in author:
        return cell, None, None
    return cell[:opening].removesuffix(" "), author, end[dash + 3 : -1]


@lru_cache(maxsize=20_000)
def is_comment_day(text: str) -> bool:
    """Whether a text is a day in the format of comments: `Nov 22, 2014`."""
    if not _COMMENT_DAY.fullmatch(text):
        return False
    try:
        parse_moment(text, _UTC)
    except ValueError:
        return False
    return True


def _opening_parenthesis(cell: str, end: int) -> int:
    """The index of the parenthesis that is still open at `end`; -1 if there is none."""
    depth = 0
    for index in range(end - 1, -1, -1):
        if cell[index] == ")":
            depth += 1
        elif cell[index] == "(":
            if depth == 0:
                return index
            depth -= 1
    return -1
