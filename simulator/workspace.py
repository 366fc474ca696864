"""A simulated Tracker: people, projects, stories, their log, and Tracker's own figures.

A workspace is changed only by commands, one at a time. A command is checked first (a `CommandError`
changes nothing), then changes the tables, increments its project's `version` and logs exactly one
activity (preceded by one per label that it creates):

    workspace = Workspace("2025-01-06T09:00:00Z")
    ada = workspace.add_person("Ada Obi")
    shop = workspace.create_project("Shop", time_zone="Europe/Berlin")
    story = workspace.create_story(shop.id, "Pay by card", estimate=3, labels=["payments"])
    workspace.change_state(story.id, "started", at="2025-01-06T10:00:00Z", by=ada.id)
"""

from __future__ import annotations

from simulator.calendar import Calendar, calendar_of
from simulator.core import CommandError
from simulator.entities import Account, Person, Project, ReviewType
from simulator.instants import to_instant
from simulator.planning import Plan, plan_of
from simulator.project_commands import SETTINGS, ProjectCommands

REVIEW_TYPES = ("Test (QA)", "Design", "Code", "Security")


class Workspace(ProjectCommands):
    """A complete simulated Tracker; see the module's docstring and `core.WorkspaceCore`."""

    _plans: dict[int, tuple[tuple[int, int], Plan]]

    def __init__(self, now: object = "2023-11-01T00:00:00Z") -> None:
        """Create an empty workspace, with its clock at an instant."""
        super().__init__(now)
        self._plans = {}

    def add_person(self, name: str, username: str | None = None) -> Person:
        """Add a person; the first one is the owner of the API token."""
        with self.lock:
            number = self._next_id("person")
            username = username or f"person{number - 3_400_000}"
            initials = "".join(word[0] for word in name.split()[:3]).upper()
            person = Person(number, name, f"{username}@example.com", initials, username)
            self.people[number] = person
            self.me_id = self.me_id or number
            self.revision += 1
            return person

    def add_account(self, name: str) -> Account:
        """Create an account, owned by the owner of the API token."""
        with self.lock:
            number = self._next_id("account")
            account = Account(number, name, "Enterprise", self.me_id, self.now, self.now)
            self.accounts[number] = account
            self.revision += 1
            return account

    def create_project(
        self, name: str, *, created_at: object = None, **settings: object
    ) -> Project:
        """Create a project with the four review types; its owner is the owner of the API token.

        This logs no activity: a new project has version 0.

        Raises:
            CommandError: if a setting does not exist, or the workspace has no person yet.
        """
        if unknown := settings.keys() - SETTINGS:
            raise CommandError(f"a project has no {', '.join(sorted(unknown))}")
        with self.lock:
            if not self.people:
                raise CommandError("somebody has to create the project: add a person first")
            if not self.accounts:
                self.add_account("Demo account")
            number = self._next_id("project")
            at = self.now if created_at is None else min(to_instant(created_at), self.now)
            account_id = next(iter(self.accounts))
            project = Project(number, name, account_id, at, at, **settings)
            self.projects[number] = project
            for title in REVIEW_TYPES:
                review_type = ReviewType(self._next_id("review_type"), number, title, at)
                project.review_types.append(review_type)
            self._join(number, self.me_id, "owner", at)
            self.revision += 1
            return project

    def calendar(self, project_id: int, at: int | None = None) -> Calendar:
        """Return a project's iterations up to the one that contains an instant (default: now)."""
        return calendar_of(self.project(project_id), self.now if at is None else at)

    def plan(self, project_id: int) -> Plan:
        """Return a project's plan as of now."""
        with self.lock:
            key = (self.revision, self.now)
            cached = self._plans.get(project_id)
            if cached is None or cached[0] != key:
                cached = (key, plan_of(self.project(project_id), self.stories, self.now))
                self._plans[project_id] = cached
            return cached[1]
