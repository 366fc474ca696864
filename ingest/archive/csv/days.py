"""Days as one file writes them, each read once: a file repeats few of them in many rows."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from ingest.archive.csv import cells as read


class Days(dict[str, date | None]):
    """Text -> day; None for an empty cell. What is no day raises ValueError."""

    def __init__(self, is_day_first: bool) -> None:
        """Read days such as 31/12/2019 from the left when `is_day_first`."""
        super().__init__()
        self._is_day_first = is_day_first

    def __missing__(self, text: str) -> date | None:
        """Read a cell for the first time."""
        day = self[text] = read.parse_day(text, self._is_day_first) if text.strip() else None
        return day


class Midnights(dict[date, str]):
    """Day -> the instant at which it begins."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Begin days in a zone."""
        super().__init__()
        self._zone = zone

    def __missing__(self, day: date) -> str:
        """Find the instant of a day for the first time."""
        instant = self[day] = read.midnight(day, self._zone)
        return instant
