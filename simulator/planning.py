"""Velocity, and the stories of each iteration (docs/tracker-api.md, Velocity).

A done iteration contains the stories accepted in it. The current one contains the stories accepted
in it, the work in progress, and as much of the backlog as velocity allows; later iterations are
predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor, sqrt

from simulator.calendar import Calendar, Span, calendar_of
from simulator.counts import whole
from simulator.entities import IN_PROGRESS, Number, Project, Story


@dataclass(slots=True)
class Iteration:
    """An iteration with its stories (ids, in priority order) and planned velocity."""

    span: Span
    story_ids: list[int] = field(default_factory=list)
    velocity: int = 0
    points: Number = 0
    accepted_points: Number = 0

    @property
    def number(self) -> int:
        """The iteration's 1-based number."""
        return self.span.number

    def effective_points(self, iteration_length: int) -> float:
        """Return the points, scaled to a full team and the default iteration length."""
        if not self.span.team_strength:
            return 0.0
        weeks = self.span.length * self.span.team_strength
        return float(self.points * iteration_length / weeks)


@dataclass(slots=True)
class Plan:
    """Everything that Tracker computes about a project's iterations as of an instant."""

    calendar: Calendar
    iterations: list[Iteration]
    current_velocity: int
    standard_deviation: float | None
    volatility: float | None

    @property
    def current_index(self) -> int:
        """The index of the current iteration; done ones come before it, predictions after it."""
        return len(self.calendar.spans) - 1

    def iteration_of(self, story_id: int) -> Iteration | None:
        """Return the iteration of a story; `None` for stories in the icebox."""
        for iteration in reversed(self.iterations):
            if story_id in iteration.story_ids:
                return iteration
        return None


def velocity(
    done: Sequence[tuple[Number, Span]], iteration_length: int, initial_velocity: int
) -> int:
    """Return the velocity of the averaged iterations, rounded down.

    Args:
        done: accepted points and span of the averaged iterations.
        iteration_length: the project's default length in weeks.
        initial_velocity: the result if no iteration counts, or none has accepted points.
    """
    counted = [(points, span) for points, span in done if span.team_strength]
    weeks = sum(span.length for _, span in counted)
    points = sum(_exact(points) / _exact(span.team_strength) for points, span in counted)
    if not weeks or not points:
        return initial_velocity
    return floor(points / weeks * iteration_length)


def spread(
    done: Sequence[tuple[Number, Span]], iteration_length: int
) -> tuple[float | None, float | None]:
    """Return the standard deviation (points) and volatility (per cent) of averaged iterations."""
    figures = [
        float(_exact(points) / _exact(span.team_strength) / span.length * iteration_length)
        for points, span in done
        if span.team_strength
    ]
    if len(figures) < 2:
        return None, None
    mean = sum(figures) / len(figures)
    deviation = sqrt(sum((figure - mean) ** 2 for figure in figures) / len(figures))
    return deviation, 100 * deviation / mean if mean else None


def plan_of(project: Project, stories: Mapping[int, Story], now: int) -> Plan:
    """Return a project's iterations, velocity and predictions at an instant."""
    calendar = calendar_of(project, now)
    iterations = [Iteration(span) for span in calendar.spans]
    for accepted_at, story_id in project.accepted:
        iteration = iterations[min(calendar.index_of(accepted_at), len(iterations) - 1)]
        iteration.story_ids.append(story_id)
        iteration.accepted_points += stories[story_id].points
    averaged: list[tuple[Number, Span]] = []
    for iteration in iterations:
        iteration.points = iteration.accepted_points = whole(iteration.accepted_points)
        iteration.velocity = velocity(averaged, project.iteration_length, project.initial_velocity)
        if iteration.span is not calendar.current:
            averaged.append((iteration.accepted_points, iteration.span))
            averaged = averaged[-project.velocity_averaged_over :]
    speed = iterations[-1].velocity
    _pack(project, stories, calendar, iterations, speed)
    return Plan(calendar, iterations, speed, *spread(averaged, project.iteration_length))


def _pack(
    project: Project,
    stories: Mapping[int, Story],
    calendar: Calendar,
    iterations: list[Iteration],
    speed: int,
) -> None:
    """Fill the current iteration from the backlog, then predict iterations for the rest."""
    backlog = [stories[story_id] for story_id in project.active]
    current = iterations[-1]
    taken = _current_stories(project, current, backlog, speed)
    current.story_ids += [story.id for story in taken]
    current.points = whole(current.points + sum(story.points for story in taken))
    kept = {story.id for story in taken}
    batches = _predicted_batches([each for each in backlog if each.id not in kept], speed)
    for batch, span in zip(batches, calendar.coming(len(batches)), strict=True):
        points = whole(sum(story.points for story in batch))
        iterations.append(Iteration(span, [story.id for story in batch], speed, points))


def _current_stories(
    project: Project, current: Iteration, backlog: list[Story], speed: int
) -> list[Story]:
    """Return the stories of the current iteration besides the accepted ones.

    Always the work in progress. With automatic planning also the top of the backlog until velocity
    is reached (the last story may exceed it; stories without points are added until it is
    exceeded). With manual planning also the stories that users planned.
    """
    span = current.span
    room = speed * span.team_strength * span.length / project.iteration_length
    working = IN_PROGRESS if project.automatic_planning else IN_PROGRESS | {"planned"}
    total = current.points + sum(
        story.points for story in backlog if story.current_state in working
    )
    taken, open_ = [], project.automatic_planning
    for story in backlog:
        if story.current_state in working:
            taken.append(story)
        elif open_:
            open_ = total < room or (total == room and not story.points)
            if open_:
                taken.append(story)
                total += story.points
    return taken


def _predicted_batches(backlog: list[Story], speed: int) -> list[list[Story]]:
    """Split the backlog into iterations; unused points carry over to the next iteration."""
    batches: list[list[Story]] = []
    room: Number = 0
    for story in backlog:
        if not batches or (story.points and story.points > room):
            batches.append([])
            # A story larger than that gets an iteration of its own.
            room = max(room + max(speed, 1), story.points)
        batches[-1].append(story)
        room -= story.points
    return batches


def _exact(number: Number) -> Fraction:
    """Return an exact fraction, so that 9 is never rounded down as 8.999999."""
    return Fraction(str(number))
