"""The start and end of a project's iterations (docs/tracker-api.md, Iterations).

An iteration lasts a number of whole local weeks and starts at local midnight on the project's start
day, so its length in hours varies with daylight saving time. Overriding the length of one iteration
shifts all later ones.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from simulator.entities import Number, Project
from simulator.instants import local_date, local_midnight, start_of_week


class Span(NamedTuple):
    """An iteration's bounds `[start, finish)`, its length in weeks and its team strength."""

    number: int
    start: int
    finish: int
    length: int
    team_strength: Number


@dataclass(slots=True)
class Calendar:
    """The iterations of a project from the first to the current one."""

    spans: list[Span]
    starts: list[int]
    first_day_after: date
    iteration_length: int
    zone_name: str

    @property
    def current(self) -> Span:
        """The current iteration."""
        return self.spans[-1]

    @property
    def done(self) -> list[Span]:
        """The completed iterations."""
        return self.spans[:-1]

    def index_of(self, instant: int) -> int:
        """Return the index of the iteration that contains an instant; -1 before the first."""
        return bisect_right(self.starts, instant) - 1

    def coming(self, count: int) -> list[Span]:
        """Return the iterations after the current one, all of default length and strength."""
        spans, day = [], self.first_day_after
        for number in range(self.current.number + 1, self.current.number + 1 + count):
            span, day = _span(number, day, self.iteration_length, 1, self.zone_name)
            spans.append(span)
        return spans


def first_day(project: Project) -> date:
    """Return the day on which iteration 1 starts.

    This is the start day of the week in which the project starts (its start date, or else its
    creation), or of the first acceptance if that is earlier: imported stories can be older than
    their project.
    """
    zone_name = project.time_zone
    began = local_date(project.created_at, zone_name)
    if project.start_date:
        began = date.fromisoformat(project.start_date)
    if project.accepted:
        began = min(began, local_date(project.accepted[0][0], zone_name))
    return start_of_week(began, project.week_start_day)


def calendar_of(project: Project, now: int) -> Calendar:
    """Return a project's iterations as of an instant."""
    spans: list[Span] = []
    day, number = first_day(project), 0
    while not spans or spans[-1].finish <= now:
        number += 1
        override = project.overrides.get(number)
        length = (override and override.length) or project.iteration_length
        strength = override.team_strength if override else 1
        span, day = _span(number, day, length, strength, project.time_zone)
        spans.append(span)
    starts = [span.start for span in spans]
    return Calendar(spans, starts, day, project.iteration_length, project.time_zone)


def _span(
    number: int, day: date, length: int, strength: Number, zone_name: str
) -> tuple[Span, date]:
    following = day + timedelta(weeks=length)
    start, finish = local_midnight(day, zone_name), local_midnight(following, zone_name)
    return Span(number, start, finish, length, strength), following
