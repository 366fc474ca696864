"""A simulated team: its people, its pace and its habits."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from math import exp
from random import Random
from typing import TYPE_CHECKING

from simulator import words
from simulator.entities import Number, Project, Story
from simulator.priorities import first_idle_index
from simulator.shifts import WORKDAY, Shifts
from simulator.teams import Team

if TYPE_CHECKING:
    from simulator.simulation import Simulation
    from simulator.workspace import Workspace

# Yields the instants at which it continues.
Process = Generator[int, None, None]

_SCHEDULED = 0.8  # share of all stories that eventually get into the backlog


@dataclass(slots=True)
class Crew:
    """A team in a simulation."""

    simulation: Simulation
    project: Project
    team: Team
    shifts: Shifts
    rng: Random
    managers: list[int]
    developers: list[int]
    story_count: int
    pace: float = field(init=False)
    mean_points: float = field(init=False)

    def __post_init__(self) -> None:
        """Calculate the pace (working seconds per story) that keeps the backlog stable."""
        wanted = max(self.story_count * _SCHEDULED, 1)
        pace = 1.12 * len(self.developers) * self.shifts.seconds / wanted
        # Picking up work and handing it over also take time.
        self.pace = max(pace - 0.5 * WORKDAY, 0.3 * WORKDAY)
        self.mean_points = sum(self.team.points) / len(self.team.points)

    @property
    def workspace(self) -> Workspace:
        """The workspace that commands change."""
        return self.simulation.workspace

    @property
    def now(self) -> int:
        """The present instant."""
        return self.simulation.workspace.now

    def manager(self) -> int:
        """Return a random person who writes and accepts stories."""
        return self.managers[0] if self.rng.random() < 0.8 else self.managers[-1]

    def anybody(self) -> int:
        """Return a random member of the team."""
        return self.rng.choice(self.developers) if self.rng.random() < 0.7 else self.manager()

    def chance(self, probability: float) -> bool:
        """Return true with the given probability."""
        return self.rng.random() < probability

    def later(self, mean_workdays: float) -> int:
        """Return an instant after a random (exponential) number of workdays."""
        seconds = self.rng.expovariate(1.0) * mean_workdays * WORKDAY
        return self.shifts.later(self.now, int(seconds) + 45)

    def duration(self, story: Story) -> int:
        """Return the working seconds that a story takes, which grow with its points."""
        weight = 0.5 + 0.5 * (story.points or self.mean_points * 0.6) / max(self.mean_points, 0.1)
        return int(self.pace * weight * exp(self.rng.gauss(-0.18, 0.6)))

    def has(self, story: Story) -> bool:
        """Return whether a story still exists and still belongs to this team."""
        return story.deleted_at is None and story.project_id == self.project.id

    def points(self, story_type: str) -> Number | None:
        """Return an estimate for a story; `None` if the project does not estimate its type."""
        estimated = self.project.bugs_and_chores_are_estimatable
        if story_type == "release" or (story_type != "feature" and not estimated):
            return None
        return self.rng.choice(self.team.points)

    def next_story(self) -> Story | None:
        """Return a story from the top of the backlog; estimated stories of the plan come first."""
        stories = self.workspace.stories
        planned = not self.project.automatic_planning
        fitting: list[Story] = []
        spare: list[Story] = []
        start = first_idle_index(self.project, stories)
        for story_id in self.project.active[start : start + 40]:
            story = stories[story_id]
            state = story.current_state
            if story.story_type == "release":
                continue
            if state == ("planned" if planned else "unstarted"):
                fitting.append(story)
                if len(fitting) == 3:
                    break
            elif state == "unstarted":
                spare.append(story)
        pool = fitting or spare[:2]
        return self.rng.choice(pool) if pool else None

    def label(self) -> str:
        """Return a random label, often that of an epic."""
        if self.project.epics and self.chance(0.45):
            epic = self.workspace.epics[self.rng.choice(self.project.epics)]
            return self.workspace.label_names[epic.label_id]
        return words.label(self.rng)

    def comment(self) -> str:
        """Return a comment, which sometimes mentions the owner of the API token."""
        text = words.comment(self.rng, self.team.words)
        if self.chance(0.01):
            me = self.workspace.people[self.workspace.me_id]
            return f"@{me.username} {text}"
        return text

    def epic_text(self) -> str:
        """Return a description for an epic."""
        return words.description(self.rng, self.team.words)
