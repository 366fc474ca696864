"""Random histories of small workspaces, as data: determined by seeds, and shrinkable.

Why not hypothesis: one check takes seconds (several syncs, a full load, two builds), almost
independently of its size. Therefore many histories, each with its own people and projects, share
one workspace. Shrinking also tries all candidates of a round in one workspace, where hypothesis
would need a separate run for each.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from simulator import CommandError, Workspace
from simulator.instants import DAY, HOUR, local_midnight, to_instant
from tests.exactness.commands import (
    BEGINNING,
    BY_NAME,
    COMMANDS,
    POINT_SCALES,
    TIME_ZONES,
    WEEK_STARTS,
    Scene,
)

HISTORIES_PER_WORKSPACE = 25
# Shortly before a change of daylight saving time in some of the time zones.
_BEGINNINGS = ("2025-03-03T08:00:00Z", "2025-10-06T08:00:00Z", "2025-08-25T08:00:00Z")


@dataclass(frozen=True)
class Cuts:
    """The start of a workspace and the times of its syncs; the last sync is the end."""

    begins_at: int
    syncs_at: tuple[int, ...]

    def bounds(self, epoch: int) -> tuple[int, int]:
        """The start and end of an epoch, which is the time between two syncs."""
        instants = (self.begins_at, *self.syncs_at)
        return instants[epoch], instants[epoch + 1]


@dataclass(frozen=True)
class Step:
    """One command: its epoch (the number of earlier syncs), instant and arguments."""

    epoch: int
    at: int
    command: str
    a: int
    b: int
    c: int


@dataclass(frozen=True)
class ProjectPlan:
    """A project: the epoch of its creation, its age then in seconds, and its settings."""

    epoch: int
    age: int
    settings: dict[str, object]


@dataclass(frozen=True)
class History:
    """A few projects and people, and everything that happens to them."""

    seed: int
    people: int
    projects: tuple[ProjectPlan, ...]
    steps: tuple[Step, ...]


@dataclass
class World:
    """A workspace with several independent histories.

    Attributes:
        counts: accepted and refused steps by command: `create`, `create refused`.
    """

    cuts: Cuts
    histories: list[History]
    workspace: Workspace = field(init=False)
    scenes: list[Scene] = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.cuts.begins_at)
        self.workspace.add_person("Token Holder")
        self.scenes = []
        for number, history in enumerate(self.histories):
            people = [
                self.workspace.add_person(f"Person {index} of {number:02d}").id
                for index in range(history.people)
            ]
            self.scenes.append(Scene(self.workspace, number, people))

    def play(self, epoch: int) -> None:
        """Run all steps of an epoch."""
        for history, scene in zip(self.histories, self.scenes, strict=True):
            for plan in history.projects:
                if plan.epoch == epoch:
                    self._make_project(scene, plan)
        steps = heapq.merge(
            *(
                [(each.at, number, index, each) for index, each in enumerate(history.steps)]
                for number, history in enumerate(self.histories)
            )
        )
        for _, number, _, step in steps:
            if step.epoch == epoch:
                self._apply(self.scenes[number], step)
        self.workspace.advance_to(self.cuts.syncs_at[epoch])

    def _make_project(self, scene: Scene, plan: ProjectPlan) -> None:
        name = f"Project {len(scene.project_ids)} of {scene.number:02d}"
        created_at = self.workspace.now - plan.age
        project = self.workspace.create_project(name, created_at=created_at, **plan.settings)
        scene.project_ids.append(project.id)

    def _apply(self, scene: Scene, step: Step) -> None:
        scene.at = step.at
        try:
            BY_NAME[step.command](scene, step.a, step.b, step.c)
        except CommandError:
            self.counts[f"{step.command} refused"] += 1
        else:
            self.counts[step.command] += 1


def cuts_of(seed: int) -> Cuts:
    """The syncs of a seed's workspace; consecutive seeds share one."""
    chance = random.Random(f"cuts {seed // HISTORIES_PER_WORKSPACE}")
    begins_at = to_instant(chance.choice(_BEGINNINGS))
    syncs_at, at = [], begins_at + chance.choice((9, 16, 30)) * DAY + chance.randrange(DAY)
    for _ in range(chance.choice((2, 3, 3, 4, 5))):
        if chance.random() < 0.2:  # exactly at the end of an iteration
            at = local_midnight(_monday_after(at), chance.choice(TIME_ZONES[:3]))
        at = max(at, *(each + 1 for each in syncs_at), begins_at + 1)
        syncs_at.append(at)
        # Mostly within an iteration: when one ends, a sync reads most lists again anyway.
        at += chance.choice((60, HOUR, DAY, DAY, 8 * DAY, 15 * DAY)) + chance.randrange(1, HOUR)
    return Cuts(begins_at, tuple(syncs_at))


def history_of(seed: int, cuts: Cuts) -> History:
    """The history of a seed."""
    chance = random.Random(seed)
    epochs = len(cuts.syncs_at)
    projects = [ProjectPlan(0, _age(chance), _settings(chance))]
    for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 3))):
        epoch = chance.choice((0, 0, 0, chance.randrange(epochs)))
        projects.append(ProjectPlan(epoch, 0 if epoch else _age(chance), _settings(chance)))
    steps = [step for epoch in range(epochs) for step in _steps(chance, cuts, epoch)]
    if seed % HISTORIES_PER_WORKSPACE == 0:
        steps = sorted([*steps, *_each_command(chance, cuts)], key=lambda step: step.at)
    return History(seed, chance.randint(2, 4), tuple(projects), tuple(steps))


def world_of(seeds: range) -> World:
    """The workspace with the histories of some consecutive seeds."""
    cuts = cuts_of(seeds[0])
    return World(cuts, [history_of(seed, cuts) for seed in seeds])


def _age(chance: random.Random) -> int:
    return chance.choice((0, 0, 3, 20)) * DAY + chance.randrange(DAY)


def _settings(chance: random.Random) -> dict[str, object]:
    return {
        "time_zone": chance.choice(TIME_ZONES),
        "week_start_day": chance.choice(WEEK_STARTS),
        "iteration_length": chance.choice((1, 1, 2)),
        "point_scale": chance.choice(POINT_SCALES),
        "bugs_and_chores_are_estimatable": chance.random() < 0.3,
        "automatic_planning": chance.random() < 0.7,
        "velocity_averaged_over": chance.randint(1, 4),
        "initial_velocity": chance.randint(1, 12),
    }


def _steps(chance: random.Random, cuts: Cuts, epoch: int) -> list[Step]:
    """The steps of one epoch: many in the first, later often so few that a missed one is noticed.

    They occur in bursts, within one second or a while, and often in the same second as a sync.
    """
    begin, end = cuts.bounds(epoch)
    wanted = chance.randint(30, 60) if epoch == 0 else chance.choice((0, 1, 1, 2, 2, 3, 4, 6, 25))
    instants: list[int] = []
    while len(instants) < wanted:
        at = _instant(chance, begin, end)
        for _ in range(min(chance.choice((1, 1, 2, 4)), wanted - len(instants))):
            instants.append(at)
            at = min(at + chance.choice((0, 0, 1, 60, HOUR)), end)
    names = [each.__name__ for each in COMMANDS]
    weights = (
        list(COMMANDS.values()) if wanted > 6 else None
    )  # for a few steps: all commands equally often
    commands = chance.choices(names, weights, k=wanted)
    if epoch == 0:
        commands[: len(BEGINNING)] = [each.__name__ for each in BEGINNING]
    return [
        Step(epoch, at, name, *(chance.randrange(1000) for _ in range(3)))
        for at, name in zip(sorted(instants), commands, strict=True)
    ]


def _each_command(chance: random.Random, cuts: Cuts) -> list[Step]:
    """Every command several times, so that each is accepted in every workspace."""
    begin, end = cuts.bounds(0)
    return [
        Step(0, at, command.__name__, *chance.choices(range(1000), k=3))
        for command in COMMANDS
        for at in (chance.randint((begin + end) // 2, end) for _ in range(12))
    ]


def _instant(chance: random.Random, begin: int, end: int) -> int:
    """An instant in an epoch: one of the syncs, a local midnight between weeks, or random."""
    share = chance.random()
    if share < 0.3:
        return begin if share < 0.15 else end
    at = chance.randrange(begin, end)
    if share < 0.4:
        at = local_midnight(_monday_after(at), chance.choice(TIME_ZONES))
    return min(max(begin, at), end)


def _monday_after(at: int) -> date:
    day = datetime.fromtimestamp(at, UTC).date()
    return day + timedelta(days=7 - day.weekday())


def spans_of(workspace: Workspace) -> dict[int, list[dict[str, object]]]:
    """Bounds of all iterations as Tracker gives them: {project_id: [iteration]}."""
    return {
        project_id: [
            {
                "number": each.span.number,
                "start": each.span.start,
                "finish": each.span.finish,
                "length": each.span.length,
                "team_strength": each.span.team_strength,
            }
            for each in workspace.plan(project_id).iterations
        ]
        for project_id in workspace.projects
    }
