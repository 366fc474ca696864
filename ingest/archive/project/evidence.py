"""What the stories of a project reveal about it, collected while they are read."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from ingest.archive.dates import Moment
from ingest.records import Origin, Record, stable_id

SourcedRecord = tuple[Record, Origin]

# The fields of a release that its story (of type release) contains.
RELEASE_FIELDS = (
    "id", "project_id", "name", "description", "current_state", "url", "labels", "deadline",
    "accepted_at", "created_at", "updated_at",
)  # fmt: skip


@dataclass
class ProjectFacts:
    """What CSV files reveal about a project.

    Attributes:
        id: Tracker's id if another file states it, else an id derived from the name.
        name: its name, or else the slug of its files.
        labels: name -> id (Tracker's if another file states it, else derived).
        epics: id -> record and origin.
        releases: id -> record and origin.
        iterations: number -> (first day, last day) -> ids of the stories with these dates; past,
            current and predicted iterations.
        estimates: all estimates of stories.
        newest: the newest timestamp.
        misplaced_count: stories accepted on a day outside the iteration that the file states.
        resembles: the id of a project with the same story titles under other ids.
        origin: the newest file.
    """

    id: int
    name: str
    labels: dict[str, int] = field(default_factory=dict)
    epics: dict[int, SourcedRecord] = field(default_factory=dict)
    releases: dict[int, SourcedRecord] = field(default_factory=dict)
    iterations: dict[int, dict[tuple[date, date], array[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: array("q")))
    )
    estimates: set[float] = field(default_factory=set)
    newest: datetime | None = None
    misplaced_count: int = 0
    resembles: int | None = None
    origin: Origin | None = None

    def label(self, name: str) -> Record:
        """A label as a nested record of stories and epics."""
        key = name.lower()
        identity = self.labels.get(key)
        if identity is None:
            identity = self.labels[key] = stable_id("label", self.id, key)
        return {"id": identity, "project_id": self.id, "name": key}

    def update_newest(self, moment: Moment | None) -> None:
        """Update `newest`."""
        if moment is not None and (self.newest is None or moment.at > self.newest):
            self.newest = moment.at
