"""Simulate eighteen months of several teams' work: `simulate`.

Product managers, developers and housekeeping are processes (generators that yield the instant at
which they continue) in a queue. Everything that happens is a command of `Workspace`, in
chronological order, so the activity log is like Tracker's. There is one seeded random source and
no dependence on the order of sets: the same seed gives the same bytes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from heapq import heappop, heappush
from random import Random

from simulator.crew import Crew, Process
from simulator.housekeeping import housekeeping, mover
from simulator.instants import HOUR, local_date, local_instant, to_instant
from simulator.shifts import NEVER, Shifts
from simulator.teams import TEAMS, Team
from simulator.words import FIRST_NAMES, LAST_NAMES
from simulator.work import developer, importer, planner, product_manager
from simulator.workspace import Workspace

BEGIN = "2023-11-01T00:00:00Z"
END = "2025-04-30T17:00:00Z"
# With more stories than this, the company has several copies of each team.
STORIES_PER_COMPANY = 20_000


class Simulation:
    """The queue of processes that act on one workspace."""

    def __init__(self, seed: int) -> None:
        """Start with an empty workspace."""
        self.workspace = Workspace(BEGIN)
        self.rng = Random(seed)
        self.until = to_instant(END)
        self.crews: dict[int, Crew] = {}
        self._queue: list[tuple[int, int, Process]] = []
        self._spawned = 0

    @property
    def now(self) -> int:
        """The present instant."""
        return self.workspace.now

    def spawn(self, process: Process, at: int) -> None:
        """Schedule a process to start or continue at an instant."""
        if at <= self.until:
            self._spawned += 1
            heappush(self._queue, (at, self._spawned, process))

    def run(self) -> None:
        """Run all processes until the end."""
        while self._queue:
            at, _, process = heappop(self._queue)
            self.workspace.now = at
            continues_at = next(process, NEVER)
            self.spawn(process, max(continues_at, at))
        self.workspace.advance_to(self.until)
        self.crews.clear()  # they refer to the simulation: break the reference cycle


def simulate(seed: int = 7, stories: int = 2000) -> Workspace:
    """Return a workspace after eighteen months of work.

    Args:
        seed: the seed of the random source.
        stories: the number of stories to create; each leads to about fifteen activities.
    """
    simulation = Simulation(seed)
    with _without_garbage_collection():
        companies = max(1, round(stories / STORIES_PER_COMPANY))
        teams = [
            (team, f"{team.name} {number}" if number > 1 else team.name)
            for number in range(1, companies + 1)
            for team in TEAMS
        ]
        counts = _split(stories, [team.share for team, _ in teams])
        _add_people(simulation, sum(_developers(count) + 2 for count in counts))
        for position, ((team, name), count) in enumerate(zip(teams, counts, strict=True)):
            simulation.spawn(_set_up(simulation, team, name, count, position), _creation(team))
        simulation.spawn(mover(simulation), simulation.now + 24 * HOUR)
        simulation.run()
    return simulation.workspace


def _set_up(simulation: Simulation, team: Team, name: str, count: int, position: int) -> Process:
    """Create a project, add its people and start their processes."""
    workspace, rng = simulation.workspace, simulation.rng
    project = workspace.create_project(name, **team.settings)
    first = local_date(simulation.now, project.time_zone)
    last = local_date(simulation.until, project.time_zone)
    if team.ends:
        last = min(last, date.fromisoformat(team.ends))
    shifts = Shifts(project.time_zone, first, last)
    everybody = list(workspace.people)
    size = _developers(count)
    people = [everybody[(1 + position * 5 + each) % len(everybody)] for each in range(size + 2)]
    crew = Crew(simulation, project, team, shifts, rng, people[:2], people[2:], count)
    simulation.crews[project.id] = crew
    for person_id in dict.fromkeys(people):
        if person_id not in project.memberships:
            workspace.add_member(project.id, person_id)
    for title, label in team.epics:
        workspace.create_epic(
            project.id, title, label=label, by=crew.manager(), description=crew.epic_text()
        )
    simulation.spawn(product_manager(crew), simulation.now)
    for person_id in crew.developers:
        simulation.spawn(developer(crew, person_id), shifts.later(simulation.now, 4 * HOUR))
    simulation.spawn(housekeeping(crew), shifts.later(simulation.now, 30 * HOUR))
    if not project.automatic_planning:
        simulation.spawn(planner(crew), shifts.later(simulation.now, 3 * HOUR))
    if team.imports:
        simulation.spawn(importer(crew), simulation.now + HOUR)
    yield NEVER


def _creation(team: Team) -> int:
    """Return when a team's project is created: 8:00 on its first day."""
    zone_name = str(team.settings.get("time_zone", "America/Los_Angeles"))
    opening = local_instant(date.fromisoformat(team.begins), 8 * HOUR, zone_name)
    return max(opening, to_instant(BEGIN))


def _add_people(simulation: Simulation, wanted: int) -> None:
    """Add people; every third position is filled by somebody from another team."""
    count = min(max(12, wanted * 2 // 3), len(FIRST_NAMES) * len(LAST_NAMES))
    for each in range(count):
        first = FIRST_NAMES[each % len(FIRST_NAMES)]
        last = LAST_NAMES[(each * 7 + each // len(FIRST_NAMES)) % len(LAST_NAMES)]
        simulation.workspace.add_person(f"{first} {last}", f"person{each + 1}")


def _developers(stories: int) -> int:
    return min(max(round(stories / 90), 2), 60)


def _split(total: int, shares: list[float]) -> list[int]:
    """Split a total into integers in proportion to the shares."""
    scale = total / sum(shares)
    counts = [int(share * scale) for share in shares]
    counts[0] += total - sum(counts)
    return counts


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Disable the garbage collector, which would scan millions of objects repeatedly.

    A workspace contains no reference cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
