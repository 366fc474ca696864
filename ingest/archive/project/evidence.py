"""What the files of one project show beside its stories, gathered while these stream by."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from ingest.archive.dates import Moment
from ingest.archive.project.people import stable_id
from ingest.records import Origin, Record

Told = tuple[Record, Origin]

# What a story of type release says of the release.
RELEASE_FIELDS = (
    "id", "project_id", "name", "description", "current_state", "url", "labels", "deadline",
    "accepted_at", "created_at", "updated_at",
)  # fmt: skip


@dataclass
class ProjectFacts:
    """One project, as CSV files show it.

    Attributes:
        id: its id: Tracker's, when another file tells it, else one made from its name.
        name: its name, or the slug that stands for it.
        labels: name -> id, Tracker's where another file tells it.
        epics: id -> record and origin.
        releases: id -> record and origin.
        iterations: number -> (first day, last day) -> ids of the accepted stories that say so.
        spans: (first day, last day) of every iteration seen, forecasts too -> how often.
        estimates: every estimate that a story has.
        newest: the newest instant at which something happened.
        misplaced_count: stories accepted on a day outside the iteration that the file names.
        resembles: the id of a project with the same titles under other ids.
        origin: the file that was made last.
    """

    id: int
    name: str
    labels: dict[str, int] = field(default_factory=dict)
    epics: dict[int, Told] = field(default_factory=dict)
    releases: dict[int, Told] = field(default_factory=dict)
    iterations: dict[int, dict[tuple[date, date], array[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: array("q")))
    )
    spans: Counter[tuple[date, date]] = field(default_factory=Counter)
    estimates: set[float] = field(default_factory=set)
    newest: datetime | None = None
    misplaced_count: int = 0
    resembles: int | None = None
    origin: Origin | None = None

    def label(self, name: str) -> Record:
        """A label as stories and epics carry it."""
        key = name.lower()
        identity = self.labels.get(key)
        if identity is None:
            identity = self.labels[key] = stable_id("label", self.id, key)
        return {"id": identity, "project_id": self.id, "name": key}

    def saw(self, moment: Moment | None) -> None:
        """Take note of when something happened."""
        if moment is not None and (self.newest is None or moment.at > self.newest):
            self.newest = moment.at
