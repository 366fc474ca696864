"""Dates and times as people's files write them, and whether the day or the month comes first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_YEARS = range(1990, 2101)
_PIVOT = 70  # a year of two digits from here on is of the 20th century
# How a text may begin, and which parts of its day stand where: d(ay), b (month by name), m(onth),
# Y(ear); a and b with slashes or hyphens are day and month in either order.
_DATES = (
    (re.compile(r"([A-Za-z]{3})[a-z]*\.? +(\d{1,2}),? +(\d{4})"), "bdY"),
    (re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"), "Y-md"),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})"), "dmY"),
    (re.compile(r"(\d{1,2})[- /]([A-Za-z]{3})[a-z]*\.?[- /,]+(\d{4}|\d{2})"), "dbY"),
)
_EITHER_ORDER = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_CLOCK = re.compile(
    r"(?:[T, ] *(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?: *(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: *(?P<zone>Z|UTC|GMT|[ECMP][SD]T|(?:UTC|GMT)?[+-]\d{2}:?(?:\d{2})?))?)?"
)
# The zones that RFC 2822 names, as Tracker's oldest exports do.
_NAMED_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7,
    "PDT": -7, "PST": -8,
}  # fmt: skip
_MILLISECONDS = re.compile(r"\d{12,13}")


class Moment(NamedTuple):
    """What one cell says of when something happened.

    Attributes:
        day: the day in the project's time zone.
        at: the instant, in UTC; of a day alone its local midnight.
        is_day: whether the cell gave a day without a time.
    """

    day: date
    at: datetime
    is_day: bool

    @property
    def text(self) -> str:
        """The instant as ISO 8601, as the API writes it."""
        return iso(self.at)


def iso(instant: datetime) -> str:
    """An instant of UTC as ISO 8601, with a fraction only where there is one."""
    return instant.isoformat().replace("+00:00", "Z")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins in a zone, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def parse_moment(text: str, zone: ZoneInfo, is_day_first: bool = False) -> Moment:
    """Read a date, with or without a time and an offset.

    Args:
        text: the cell, such as `Nov 22, 2014`, `11/22/2014`, `22.11.2014`, `22-Nov-14`,
            `2014-11-22T10:00:00Z` or `2014/11/22 10:00:00 -0300`.
        zone: the time zone of the project, for a day and for a time without an offset.
        is_day_first: whether `02/11/2014` is the second of November.

    Raises:
        ValueError: when there is no such day or time, or none that a story can have.
    """
    text = text.strip()
    if _MILLISECONDS.fullmatch(text):
        instant = datetime.fromtimestamp(int(text) / 1000, UTC)
        _check(instant.date())
        return _of_instant(instant, zone)
    day, end = _leading_day(text, is_day_first)
    clock = _CLOCK.fullmatch(text, end)
    if clock is None:
        raise ValueError("no date")
    _check(day)
    if clock["hour"] is None:
        return Moment(day, midnight(day, zone), True)
    hour = int(clock["hour"])
    if clock["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a clock of twelve hours")
        hour = hour % 12 + (12 if clock["half"] in "Pp" else 0)
    microsecond = int((clock["part"] or "").ljust(6, "0")[:6])
    clock_time = time(hour, int(clock["minute"]), int(clock["second"] or 0), microsecond)
    offset = _offset(clock["zone"])
    return _of_instant(datetime.combine(day, clock_time, zone if offset is None else offset), zone)


def _check(day: date) -> None:
    if day.year not in _YEARS:
        raise ValueError("a year that no story can be of")


def _of_instant(instant: datetime, zone: ZoneInfo) -> Moment:
    local = instant.astimezone(zone)
    return Moment(local.date(), instant.astimezone(UTC), False)


def _leading_day(text: str, is_day_first: bool) -> tuple[date, int]:
    """The day with which a text begins, and where the rest begins."""
    if found := _EITHER_ORDER.match(text):
        first, _, second, year = found.groups()
        day, month = (first, second) if is_day_first else (second, first)
        return date(_year(year), int(month), int(day)), found.end()
    for pattern, order in _DATES:
        if found := pattern.match(text):
            parts = dict(zip(order, found.groups(), strict=True))
            month = _MONTHS.get(parts["b"].lower(), 0) if "b" in parts else int(parts["m"])
            return date(_year(parts["Y"]), month, int(parts["d"])), found.end()
    raise ValueError("no date")


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= _PIVOT else 2000)


def _offset(name: str | None) -> timezone | None:
    if not name:
        return None
    if name in _NAMED_ZONES:
        return timezone(timedelta(hours=_NAMED_ZONES[name]))
    digits = name.removeprefix("UTC").removeprefix("GMT").replace(":", "")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5] or 0)
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


class Moments(dict[str, Moment | None]):
    """Cell -> moment, each distinct cell read once; None for an empty one.

    What cannot be read raises ValueError.
    """

    def __init__(self, zone: ZoneInfo, is_day_first: bool = False) -> None:
        """Read cells of a project of this zone; see `parse_moment`."""
        super().__init__()
        self._zone = zone
        self._is_day_first = is_day_first

    def __missing__(self, text: str) -> Moment | None:
        """Read a cell for the first time."""
        blank = not text.strip()
        moment = None if blank else parse_moment(text, self._zone, self._is_day_first)
        self[text] = moment
        return moment


class DayOrders:
    """What the dates of each column of a file prove about the order of day and month.

    `31/12/2019` proves that the day comes first, `12/31/2019` that the month does, and
    `01/02/2019` nothing. A column without proof follows the other columns of its file.
    """

    def __init__(self) -> None:
        """Know of no date yet."""
        self._counts: dict[str, Counter[str]] = {}

    def see(self, column: str, text: str) -> None:
        """Take note of a cell."""
        if found := _EITHER_ORDER.match(text.strip()):
            first, second = int(found[1]), int(found[3])
            order = "day" if first > 12 >= second else "month" if second > 12 >= first else "either"
            self._counts.setdefault(column, Counter())[order] += 1

    def __bool__(self) -> bool:
        """Whether any date was seen that can be read in two orders."""
        return bool(self._counts)

    def day_first(self, default: bool) -> Mapping[str, bool]:
        """Column -> whether its days come first, for each column that has such dates.

        Args:
            default: what holds for a file that proves nothing.
        """
        proof = sum(self._counts.values(), Counter())
        of_file = default if proof["day"] == proof["month"] else proof["day"] > proof["month"]
        return {
            column: of_file if counts["day"] == counts["month"] else counts["day"] > counts["month"]
            for column, counts in self._counts.items()
        }

    @cached_property
    def is_proven(self) -> bool:
        """Whether some date of the file shows the order."""
        proof = sum(self._counts.values(), Counter())
        return proof["day"] != proof["month"]
