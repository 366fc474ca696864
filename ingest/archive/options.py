"""What a run over archives is told from outside."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ingest.archive.errors import ArchiveError


@dataclass(frozen=True)
class ArchiveOptions:
    """How archives are read.

    Attributes:
        project_name: the name of the project of all CSV files; None for the slug of their names.
        time_zone: the Olson name of the zone whose days a CSV speaks of.
        iteration_length: weeks; None to infer it from iteration dates.
        week_start_day: an English weekday, capitalised; None to infer it.
        point_scale: as Tracker writes it (`0,1,2,3`); None to infer it from estimates.
        date_order: `month_first` or `day_first`: how dates such as 02/11/2019 are read in a file
            that has none such as 31/12/2019 to show it; None is `month_first`, as Tracker writes.
        strict: whether one refused row or file fails the whole run.
        max_unpacked_bytes: what the members of one zip may unpack to in all.
        max_inflation: how many times its packed size a member of a zip may have.
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
        """The zone whose days a CSV speaks of; UTC when none was named.

        Raises:
            ArchiveError: when there is no such zone.
        """
        name = self.time_zone or "UTC"
        if not is_zone(name):
            raise ArchiveError(
                f"there is no time zone {name!r}; give an Olson name such as Europe/Paris"
            )
        return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
