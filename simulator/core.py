"""The basis of all commands: the tables, the clock, ids and the activity log."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Protocol, TypeVar

from simulator.activities import Activity, Change
from simulator.entities import (
    Account,
    Epic,
    Label,
    Membership,
    Person,
    Project,
    Reference,
    Story,
    Transition,
)
from simulator.instants import iso, to_instant

# Ids as large as Tracker's were in its last years.
_FIRST_IDS = {
    "story": 186_000_001,
    "comment": 231_000_001,
    "task": 84_000_001,
    "blocker": 4_100_001,
    "review": 2_300_001,
    "review_type": 6_400_001,
    "label": 25_000_001,
    "epic": 5_000_001,
    "membership": 12_000_001,
    "project": 2_600_001,
    "person": 3_400_001,
    "account": 1_200_001,
}

Command = TypeVar("Command", bound=Callable[..., object])


class Dated(Protocol):
    """An entity with a time of its last change."""

    updated_at: int


class CommandError(ValueError):
    """A command that Tracker would refuse; the workspace is unchanged."""


def command(method: Command) -> Command:
    """Turn a method into a command, which runs under the lock, at a time and by a person.

    The method receives `at` as an instant (default: the workspace clock, which is advanced to it)
    and `by` as a person id (default: the owner of the API token).
    """

    @wraps(method)
    def run(
        self: WorkspaceCore,
        *args: object,
        at: object = None,
        by: int | None = None,
        **options: object,
    ) -> object:
        with self.lock:
            moment = self.now if at is None else to_instant(at)
            if moment < self.now:
                raise CommandError(f"{iso(moment)} is before the workspace clock {iso(self.now)}")
            person_id = self.me_id if by is None else by
            if person_id not in self.people:
                raise CommandError(f"nobody has the id {person_id}")
            return method(self, *args, at=moment, by=person_id, **options)

    return run  # type: ignore[return-value]


class WorkspaceCore:
    """Tables of one simulated Tracker, its clock and its log.

    Attributes:
        now: the workspace clock; commands only move it forward.
        revision: incremented by every command or clock change in any project; a cache key.
        activities: every activity of every project, in chronological order.
        transitions: every state transition, in the same order.
        stories: the existing stories; `deleted_stories` has the last version of deleted ones.
        me_id: the owner of the API token.
    """

    def __init__(self, now: object = "2023-11-01T00:00:00Z") -> None:
        """Create an empty workspace, with its clock at an instant."""
        self.lock = threading.RLock()
        self.now = to_instant(now)
        self.revision = 0
        self.me_id = 0
        self.accounts: dict[int, Account] = {}
        self.people: dict[int, Person] = {}
        self.projects: dict[int, Project] = {}
        self.stories: dict[int, Story] = {}
        self.deleted_stories: dict[int, Story] = {}
        self.epics: dict[int, Epic] = {}
        self.label_names: dict[int, str] = {}
        self.epic_names: dict[int, str] = {}
        self.activities: list[Activity] = []
        self.transitions: list[Transition] = []
        self._ids = dict(_FIRST_IDS)

    def advance_to(self, at: object) -> None:
        """Advance the workspace clock to an instant.

        Raises:
            CommandError: if the instant is before the workspace's current time.
        """
        with self.lock:
            moment = to_instant(at)
            if moment < self.now:
                raise CommandError(f"{iso(moment)} is before the workspace clock {iso(self.now)}")
            self.now = moment
            self.revision += 1

    def project(self, project_id: int) -> Project:
        """Return a project, or raise `CommandError`."""
        if project_id not in self.projects:
            raise CommandError(f"no project {project_id}")
        return self.projects[project_id]

    def story(self, story_id: int) -> Story:
        """Return a story that exists, or raise `CommandError`."""
        if story_id not in self.stories:
            raise CommandError(f"no story {story_id}")
        return self.stories[story_id]

    def epic(self, epic_id: int) -> Epic:
        """Return an epic that exists, or raise `CommandError`."""
        if epic_id not in self.epics:
            raise CommandError(f"no epic {epic_id}")
        return self.epics[epic_id]

    def _next_id(self, kind: str) -> int:
        number = self._ids[kind]
        self._ids[kind] = number + 1
        return number

    def _log(
        self,
        entity: Project | Story | Epic | Label | Membership,
        kind: str,
        wording: str,
        highlight: str,
        changes: Iterable[Change],
        at: int,
        by: int,
        *,
        quoted: str | None = None,
        primary: Reference = (),
    ) -> Activity:
        """Log one activity, increment the project's version and advance the clock.

        Args:
            entity: what the activity is about; its project is that of the activity.
            kind: Tracker's kind of activity, without `_activity`.
            wording: the message without the person's name and the quoted text.
            highlight: the highlighted words of the message.
            changes: the changed resources.
            at: when it happened.
            by: who did it.
            quoted: the text that the message quotes.
            primary: the primary resources, if they are not the entity.
        """
        project = self.projects[entity.project_id]
        primary = primary or entity.reference
        project.version += 1
        self.revision += 1
        self.now = at
        activity = Activity(
            sys.intern(f"{kind}_activity"),  # few distinct texts, repeated a million times
            project.id,
            project.version,
            sys.intern(wording),
            quoted,
            highlight,
            tuple(changes),
            primary,
            by,
            at,
        )
        project.activities.append(activity)
        self.activities.append(activity)
        for resource, number in primary:
            if resource == "story":
                story = self.stories.get(number)
                if story is not None:
                    story.activities.append(activity)
        return activity


def note_update(
    entity: Dated, original: dict[str, object], new: dict[str, object], at: int
) -> None:
    """Set `updated_at` and report the change, unless it already has this value."""
    if entity.updated_at != at:
        original["updated_at"], new["updated_at"] = entity.updated_at, at
        entity.updated_at = at


def changed_values(
    entity: object, values: dict[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """Set the attributes that differ, and return their original and new values."""
    original: dict[str, object] = {}
    new: dict[str, object] = {}
    for key, value in values.items():
        old = getattr(entity, key)
        if old != value:
            original[key] = old
            new[key] = value
            setattr(entity, key, value)
    return original, new


def created_values(entity: object, keys: Iterable[str]) -> dict[str, object]:
    """Return an entity's values for its create activity, without empty ones."""
    values = {key: getattr(entity, key) for key in (*keys, "created_at", "updated_at")}
    return {key: value for key, value in values.items() if value is not None}
