"""Parse the date formats that occur in archives, and find out if day or month comes first."""

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
_PIVOT = 70  # two-digit years from here on belong to the 20th century
# Date patterns and the meaning of their groups: d(ay), b (name of the month), m(onth), Y(ear).
# Numeric dates with slashes or hyphens, in either order, are matched by _EITHER_ORDER.
_DATES = (
    (re.compile(r"([A-Za-z]{3})[a-z]*\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})"), "bdY"),
    (re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"), "Y-md"),
    (re.compile(r"(\d{4})(\d\d)(\d\d)(?!\d)"), "Ymd"),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})"), "dmY"),
    (
        re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?[- /]([A-Za-z]{3})[a-z]*\.?[- /,]+(\d{4}|\d{2})"),
        "dbY",
    ),
)
# `Nov 22 10:00:00 UTC 2014`, as Unix, Java and Ruby write it.
_YEAR_LAST = re.compile(r"([A-Za-z]{3} \d{1,2}) (\d\d:\d\d:\d\d)( [A-Z]{3}| [+-]\d{4})? (\d{4})")
_WEEKDAY = re.compile(r"^\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +", re.IGNORECASE)
_EITHER_ORDER = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_CLOCK = re.compile(
    r"(?:[T, ] *(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?: *(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: *(?P<zone>Z|UTC|GMT|[ECMP][SD]T|(?:UTC|GMT)?[+-]\d{2}:?(?:\d{2})?)"
    r"(?: *\([\w ]+\))?)?)?"
)
# The time zones named in RFC 2822, which Tracker's oldest exports use.
_NAMED_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7,
    "PDT": -7, "PST": -8,
}  # fmt: skip
_MILLISECONDS = re.compile(r"\d{12,13}")
_SECONDS = re.compile(r"\d{10}")
# The days since the end of 1899, as spreadsheets count them, from 1990 to 2100.
_SERIAL = re.compile(r"[3-7]\d{4}(?:[.,]\d+)?")
_SERIAL_START = datetime(1899, 12, 30)
# Marks of the direction of writing, which Windows puts into dates, and other invisible characters.
INVISIBLE = "\u200b-\u200f\u2060\ufeff"
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


class Moment(NamedTuple):
    """A parsed date or timestamp.

    Attributes:
        day: the day in the project's time zone.
        at: the instant in UTC; local midnight if there is no time.
        is_day: whether it is a date without a time.
    """

    day: date
    at: datetime
    is_day: bool

    @property
    def text(self) -> str:
        """The instant in ISO 8601, as in the API."""
        return iso(self.at)


def iso(instant: datetime) -> str:
    """Format a UTC instant in ISO 8601; a fraction only if it is not zero."""
    return instant.isoformat().replace("+00:00", "Z")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The start of a day in a time zone, as a UTC instant."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def parse_moment(text: str, zone: ZoneInfo, is_day_first: bool = False) -> Moment:
    """Parse a date, with or without a time and an offset.

    Args:
        text: the cell, such as `Nov 22, 2014`, `Saturday, November 22, 2014`, `11/22/2014`,
            `22.11.2014`, `22-Nov-14`, `2014-11-22T10:00:00Z`, `2014/11/22 10:00:00 -0300`, or a
            spreadsheet's number of the day, 41965.
        zone: the time zone of the project, for dates and for times without an offset.
        is_day_first: whether `02/11/2014` is the second of November.

    Raises:
        ValueError: if the text is not a valid date, or its year is implausible.
    """
    text = _YEAR_LAST.sub(r"\1, \4 \2\3", _bare(text))
    if (is_seconds := _SECONDS.fullmatch(text)) or _MILLISECONDS.fullmatch(text):
        instant = datetime.fromtimestamp(int(text) / (1 if is_seconds else 1000), UTC)
        _check(instant.date())
        return _of_instant(instant, zone)
    if _SERIAL.fullmatch(text):
        return _of_serial(float(text.replace(",", ".")), zone)
    day, end = _leading_day(text, is_day_first)
    clock = _CLOCK.fullmatch(text, end)
    if clock is None:
        raise ValueError("not a date")
    _check(day)
    if clock["hour"] is None:
        return Moment(day, midnight(day, zone), True)
    hour = int(clock["hour"])
    if clock["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("invalid hour of a 12-hour clock")
        hour = hour % 12 + (12 if clock["half"] in "Pp" else 0)
    microsecond = int((clock["part"] or "").ljust(6, "0")[:6])
    clock_time = time(hour, int(clock["minute"]), int(clock["second"] or 0), microsecond)
    offset = _offset(clock["zone"])
    return _of_instant(datetime.combine(day, clock_time, zone if offset is None else offset), zone)


def _bare(text: str) -> str:
    """A date without its weekday, and with ordinary spaces."""
    return _WEEKDAY.sub("", " ".join(_INVISIBLE.sub("", text).split()))


def _of_serial(days: float, zone: ZoneInfo) -> Moment:
    seconds = round(days * 86_400)
    local = _SERIAL_START + timedelta(seconds=seconds)
    _check(local.date())
    if seconds % 86_400 == 0:
        return Moment(local.date(), midnight(local.date(), zone), True)
    return _of_instant(local.replace(tzinfo=zone), zone)


def _check(day: date) -> None:
    if day.year not in _YEARS:
        raise ValueError("implausible year")


def _of_instant(instant: datetime, zone: ZoneInfo) -> Moment:
    local = instant.astimezone(zone)
    return Moment(local.date(), instant.astimezone(UTC), False)


def _leading_day(text: str, is_day_first: bool) -> tuple[date, int]:
    """The date at the start of a text, and the index after it."""
    if found := _EITHER_ORDER.match(text):
        first, _, second, year = found.groups()
        day, month = (first, second) if is_day_first else (second, first)
        return date(_year(year), int(month), int(day)), found.end()
    for pattern, order in _DATES:
        if found := pattern.match(text):
            parts = dict(zip(order, found.groups(), strict=True))
            month = _MONTHS.get(parts["b"].lower(), 0) if "b" in parts else int(parts["m"])
            return date(_year(parts["Y"]), month, int(parts["d"])), found.end()
    raise ValueError("not a date")


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
    """A cache of parsed cells: cell -> moment, None for an empty cell.

    Looking up an invalid cell raises ValueError.
    """

    def __init__(self, zone: ZoneInfo, is_day_first: bool = False) -> None:
        """Parse with these settings; see `parse_moment`."""
        super().__init__()
        self._zone = zone
        self._is_day_first = is_day_first

    def __missing__(self, text: str) -> Moment | None:
        """Parse a cell that is not in the cache."""
        blank = not text.strip()
        moment = None if blank else parse_moment(text, self._zone, self._is_day_first)
        self[text] = moment
        return moment


class DayOrders:
    """Infers the order of day and month for each column of a file.

    `31/12/2019` proves that the day comes first, `12/31/2019` that the month does, and
    `01/02/2019` proves nothing. A column without evidence follows the rest of the file.
    """

    def __init__(self) -> None:
        """Start without evidence."""
        self._counts: dict[str, Counter[str]] = {}

    def see(self, column: str, text: str) -> None:
        """Count a cell as evidence."""
        if found := _EITHER_ORDER.match(_bare(text)):
            first, second = int(found[1]), int(found[3])
            order = "day" if first > 12 >= second else "month" if second > 12 >= first else "either"
            self._counts.setdefault(column, Counter())[order] += 1

    def __bool__(self) -> bool:
        """Whether the file has any numeric dates whose order matters."""
        return bool(self._counts)

    def day_first(self, default: bool) -> Mapping[str, bool]:
        """Column -> whether the day comes first, for each column with such dates.

        Args:
            default: the order to assume for a file without evidence.
        """
        proof = sum(self._counts.values(), Counter())
        of_file = default if proof["day"] == proof["month"] else proof["day"] > proof["month"]
        return {
            column: of_file if counts["day"] == counts["month"] else counts["day"] > counts["month"]
            for column, counts in self._counts.items()
        }

    @cached_property
    def is_proven(self) -> bool:
        """Whether the dates of the file prove an order."""
        proof = sum(self._counts.values(), Counter())
        return proof["day"] != proof["month"]
