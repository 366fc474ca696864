"""The options of reading archives."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ingest.archive.errors import ArchiveError


@dataclass(frozen=True)
class ArchiveOptions:
    """How archives are read.

    Attributes:
        project_name: the project name for all CSV files; None to use the slug in their names.
        time_zone: the Olson name of the time zone of dates in CSV files.
        iteration_length: weeks; None to infer it from iteration dates.
        week_start_day: an English weekday, capitalised; None to infer it.
        point_scale: in Tracker's format (`0,1,2,3`); None to infer it from estimates.
        date_order: `month_first` or `day_first`: how to read dates such as 02/11/2019 in a file
            without an unambiguous date such as 31/12/2019; None means `month_first`, Tracker's own
            order.
        strict: whether a single refused row or file fails the whole run.
        max_unpacked_bytes: the maximum decompressed size of all members of a zip.
        max_inflation: the maximum compression ratio of a zip member.
    """

    project_name: str | None = None
    time_zone: str | None = None
    iteration_length: int | None = None
    week_start_day: str | None = None
    point_scale: str | None = None
    date_order: str | None = None
    strict: bool = False
    max_unpacked_bytes: int = 20 * 2**30
    max_inflation: int = 250

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of dates in CSV files; UTC by default.

        Raises:
            ArchiveError: if there is no such time zone.
        """
        name = self.time_zone or "UTC"
        if not is_zone(name):
            raise ArchiveError(
                f"there is no time zone {name!r}; use an Olson name such as Europe/Paris"
            )
        return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
