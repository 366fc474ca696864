"""The activities since the versions that the warehouse holds.

The workspace's own list (`/my/activity`) tells of all projects at once and is read anyway, so it is
asked first. It may leave projects out: whatever is not there without a gap, version by version, is
asked of the project (`/projects/{id}/activity?since_version=`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ingest.api.http.answers import Answer
from ingest.api.http.errors import InvalidParameter, NotFound
from ingest.api.http.paging import ListRequest, Pages
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import PAGE_SIZE
from ingest.api.sync.changes import Changes
from ingest.records import Record, instant_or_none
from ingest.tables import TABLES

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient

_MARGIN = timedelta(minutes=1)  # an activity may be stamped a little before it can be read


@dataclass
class Watched:
    """A project whose activities are wanted.

    Attributes:
        changes: what they tell; its `since` is the last version that is known.
        version: the project's version now.
        known_at: the instant up to which all is known; None for a project that is new.
        rows: its rows of the raw table `activity`.
        requests_count: requests that its own list took.
    """

    changes: Changes
    version: int
    known_at: datetime | None = None
    rows: list[pa.Table] = field(default_factory=list)
    requests_count: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all activities since the known version are here."""
        return self.changes.are_complete(self.version)


class WorkspaceLog:
    """The newest part of `/my/activity`.

    Attributes:
        rows: rows of the raw table `my_activity`, newest first, no key twice.
        requests_count: requests that it took.
    """

    def __init__(
        self,
        client: TrackerClient,
        path: str,
        is_wanted: Callable[[Record], bool],
        intake: Intake,
    ) -> None:
        """Prepare to read the list at `path`; of its records those that `is_wanted` are kept."""
        self.rows: list[pa.Table] = []
        self.requests_count = 0
        self._client = client
        self._path = path
        self._is_wanted = is_wanted
        self._intake = intake
        self._seen: set[object] = set()
        self._oldest_at: datetime | None = None

    def read(self, watched: dict[int, Watched]) -> None:
        """Read until all is there that is wanted of some projects, or can be.

        Args:
            watched: the projects by id; their `changes` are filled, and `rows` when complete.

        Raises:
            TrackerError: when the list could not be read.
        """
        pages = Pages(self._client, ListRequest(self._path, page_size=PAGE_SIZE))
        expected = sum(each.version - each.changes.since for each in watched.values())
        needed = -(-expected // PAGE_SIZE)
        try:
            while self._is_wanting(watched.values()):
                while (
                    pages.pages_count + pages.outstanding < needed
                    and pages.outstanding < self._client.max_in_flight
                    and pages.submit()
                ):
                    pass
                answer = pages.take()
                if answer is None:
                    break
                self._take_in(answer, watched)
        finally:
            pages.cancel()
            self.requests_count = pages.requests_count
        for project_id, each in watched.items():
            if each.is_complete:
                each.rows = self.rows_of(project_id, each.changes.since)

    def rows_of(self, project_id: int, since: int) -> list[pa.Table]:
        """The rows of one project after a version, for the raw table `activity`."""
        schema = TABLES["activity"].arrow_schema
        chosen = []
        for rows in self.rows:
            is_its = pc.equal(rows["project_id"], project_id)
            is_new = pc.greater(rows["project_version"], since)
            chosen.append(rows.filter(pc.and_kleene(is_its, is_new)).cast(schema))
        return [rows for rows in chosen if rows.num_rows]

    def _take_in(self, answer: Answer, watched: dict[int, Watched]) -> None:
        taken = self._intake.take("my_activity", answer, is_wanted=self._is_new)
        for record in taken.records:
            each = watched.get(record["project_id"])
            if each is not None:
                each.changes.note(record)
        self.rows.append(taken.rows)
        last = answer.data[-1]
        oldest = last.get("occurred_at") if isinstance(last, dict) else None
        self._oldest_at = instant_or_none(oldest)

    def _is_new(self, record: Record) -> bool:
        if record["guid"] in self._seen or not self._is_wanted(record):
            return False
        self._seen.add(record["guid"])
        return True

    def _is_wanting(self, watched: Iterable[Watched]) -> bool:
        """Whether older activities may still tell something that is wanted."""
        wanting = [each for each in watched if not each.is_complete]
        if not wanting or self._oldest_at is None or any(not each.known_at for each in wanting):
            return bool(wanting)
        return self._oldest_at >= min(each.known_at for each in wanting if each.known_at) - _MARGIN


def read_project_log(
    client: TrackerClient, path: str, project_id: int, each: Watched, intake: Intake
) -> None:
    """Read a project's own activities back to the known version, into `each`.

    Raises:
        TrackerError: when the project cannot be read.
    """
    for params in ({"since_version": each.changes.since}, None):
        pages = Pages(client, ListRequest(path, params or {}, PAGE_SIZE))
        try:
            _read_back(pages, project_id, each, intake)
        except InvalidParameter:
            continue  # no since_version here; the newest activities come first all the same
        except NotFound:
            pass
        finally:
            pages.cancel()
            each.requests_count += max(pages.requests_count, 1)
        return


def _read_back(pages: Pages, project_id: int, each: Watched, intake: Intake) -> None:
    since, changes, given = each.changes.since, each.changes, set()

    def is_new(record: Record) -> bool:
        version = record["project_version"]
        changes.note(record)
        if version <= since or version in given:
            return False
        given.add(version)
        return True

    while (answer := pages.take()) is not None:
        taken = intake.take("activity", answer, project_id, is_wanted=is_new)
        each.rows.append(taken.rows)
        # The last one, not any: a host may give the known version, too, and the oldest first.
        last = answer.data[-1]
        version = last.get("project_version") if isinstance(last, dict) else None
        if each.is_complete or (type(version) is int and version <= since):
            return
