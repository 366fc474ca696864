"""Working hours: Monday to Friday, nine hours from 9:00 in the team's time zone."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta

from simulator.instants import HOUR, local_instant

WORKDAY = 9 * HOUR
# Later than any simulated time.
NEVER = 1 << 40


class Shifts:
    """A team's working time between two days."""

    def __init__(self, zone_name: str, first: date, last: date) -> None:
        """Calculate the working days from `first` to `last`."""
        days = (first + timedelta(days=each) for each in range((last - first).days + 1))
        self._starts = [
            local_instant(day, 9 * HOUR, zone_name) for day in days if day.weekday() < 5
        ]

    @property
    def seconds(self) -> int:
        """The total working time in seconds."""
        return len(self._starts) * WORKDAY

    def at(self, seconds: int) -> int:
        """Return the instant after this much working time since the start."""
        day, rest = divmod(seconds, WORKDAY)
        return self._starts[day] + rest if day < len(self._starts) else NEVER

    def later(self, instant: int, seconds: int) -> int:
        """Return the instant that is this much working time after another one."""
        day = bisect_right(self._starts, instant) - 1
        passed = 0 if day < 0 else min(instant - self._starts[day], WORKDAY)
        return self.at(max(day, 0) * WORKDAY + passed + seconds)
