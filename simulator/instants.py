"""Instants and local days.

Within the workspace an instant is an integer, the number of seconds since 1970-01-01T00:00:00Z. It
is converted from and to text and datetimes only at the interfaces.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400
HOUR = 3_600
MINUTE = 60
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_EPOCH_DAY = date(1970, 1, 1)


def to_instant(value: int | str | datetime) -> int:
    """Convert an ISO 8601 text, an aware datetime or a number of seconds to an instant.

    Raises:
        ValueError: if the text is not an ISO 8601 timestamp with an offset.
    """
    if isinstance(value, int):
        return value
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        raise ValueError(f"instant without an offset from UTC: {value}")
    return int(moment.timestamp())


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    return (_EPOCH_DAY + timedelta(days=day)).isoformat()


def iso(instant: int) -> str:
    """Format an instant as Tracker does: UTC, whole seconds, `Z`."""
    day, second = divmod(instant, DAY)
    return f"{_day_text(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def millis(instant: int) -> int:
    """Return an instant in milliseconds, for `date_format=millis`."""
    return instant * 1000


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its Olson name."""
    return ZoneInfo(name)


def local_date(instant: int, zone_name: str) -> date:
    """Return the calendar day of an instant in a time zone."""
    return datetime.fromtimestamp(instant, zone(zone_name)).date()


@lru_cache(maxsize=65_536)
def local_midnight(day: date, zone_name: str) -> int:
    """Return the instant at which a calendar day begins in a time zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)).timestamp())


def local_instant(day: date, second_of_day: int, zone_name: str) -> int:
    """Return the instant of a local day and second of the day in a time zone."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone(zone_name))
    return int((wall + timedelta(seconds=second_of_day)).timestamp())


def utc_offset(instant: int, zone_name: str) -> str:
    """Return a time zone's offset at an instant, such as `+01:00`."""
    text = datetime.fromtimestamp(instant, zone(zone_name)).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def http_date(instant: int) -> str:
    """Return an instant as an HTTP `Date` header."""
    return datetime.fromtimestamp(instant, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def start_of_week(day: date, week_start_day: str) -> date:
    """Return the last day on or before `day` that is the given weekday."""
    return day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_start_day)) % 7)
