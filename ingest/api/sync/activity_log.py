"""Read the activities since the stored versions of projects.

The workspace's list (`/my/activity`) contains all projects and is needed anyway, so it is read
first. It may omit projects: if the versions of a project have a gap there, the project's own list
is read (`/projects/{id}/activity?since_version=`).
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

_MARGIN = timedelta(minutes=1)  # an activity may be visible only some time after its timestamp


@dataclass
class ProjectLog:
    """The activities of a project since its stored version.

    Attributes:
        changes: the changes in the activities; its `since` is the stored version.
        version: the current version of the project.
        known_at: the time up to which the warehouse is complete; None for a new project.
        rows: rows of the raw table `activity`.
        requests_count: the number of requests for the project's own list.
    """

    changes: Changes
    version: int
    known_at: datetime | None = None
    rows: list[pa.Table] = field(default_factory=list)
    requests_count: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all activities since the stored version were read."""
        return self.changes.are_complete(self.version)


class WorkspaceLog:
    """The newest part of `/my/activity`.

    Attributes:
        rows: rows of the raw table `my_activity`, newest first, without duplicate keys.
        requests_count: the number of requests.
    """

    def __init__(
        self,
        client: TrackerClient,
        path: str,
        is_wanted: Callable[[Record], bool],
        intake: Intake,
    ) -> None:
        """Prepare to read the list at `path`, and to keep the records for which `is_wanted`."""
        self.rows: list[pa.Table] = []
        self.requests_count = 0
        self._client = client
        self._path = path
        self._is_wanted = is_wanted
        self._intake = intake
        self._seen: set[object] = set()
        self._oldest_at: datetime | None = None

    def read(self, logs: dict[int, ProjectLog]) -> None:
        """Read until the activities of some projects are complete, or cannot be completed.

        Args:
            logs: the projects by id; this adds their `changes`, and their `rows` if complete.

        Raises:
            TrackerError: if the list cannot be read.
        """
        pages = Pages(self._client, ListRequest(self._path, page_size=PAGE_SIZE))
        expected = sum(each.version - each.changes.since for each in logs.values())
        needed = -(-expected // PAGE_SIZE)
        try:
            while self._may_complete(logs.values()):
                while (
                    pages.pages_count + pages.outstanding < needed
                    and pages.outstanding < self._client.max_in_flight
                    and pages.submit()
                ):
                    pass
                answer = pages.take()
                if answer is None:
                    break
                self._add(answer, logs)
        finally:
            pages.cancel()
            self.requests_count = pages.requests_count
        for project_id, each in logs.items():
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

    def _add(self, answer: Answer, logs: dict[int, ProjectLog]) -> None:
        taken = self._intake.take("my_activity", answer, is_wanted=self._is_new)
        for record in taken.records:
            log = logs.get(record["project_id"])
            if log is not None:
                log.changes.add(record)
        self.rows.append(taken.rows)
        last = answer.data[-1]
        oldest = last.get("occurred_at") if isinstance(last, dict) else None
        self._oldest_at = instant_or_none(oldest)

    def _is_new(self, record: Record) -> bool:
        if record["guid"] in self._seen or not self._is_wanted(record):
            return False
        self._seen.add(record["guid"])
        return True

    def _may_complete(self, logs: Iterable[ProjectLog]) -> bool:
        """Whether older activities may complete one of the projects."""
        incomplete = [each for each in logs if not each.is_complete]
        known_at = [each.known_at for each in incomplete if each.known_at]
        if self._oldest_at is None or len(known_at) < len(incomplete) or not incomplete:
            return bool(incomplete)
        return self._oldest_at >= min(known_at) - _MARGIN


def read_project_log(
    client: TrackerClient, path: str, project_id: int, log: ProjectLog, intake: Intake
) -> None:
    """Read a project's own list of activities back to the stored version, into `log`.

    Raises:
        TrackerError: if the project cannot be read.
    """
    for params in ({"since_version": log.changes.since}, None):
        pages = Pages(client, ListRequest(path, params or {}, PAGE_SIZE))
        try:
            _read_back(pages, project_id, log, intake)
        except InvalidParameter:
            continue  # the host does not know since_version; the newest activities come first
        except NotFound:
            pass
        finally:
            pages.cancel()
            log.requests_count += max(pages.requests_count, 1)
        return


def _read_back(pages: Pages, project_id: int, log: ProjectLog, intake: Intake) -> None:
    since, changes, seen = log.changes.since, log.changes, set()

    def is_new(record: Record) -> bool:
        version = record["project_version"]
        changes.add(record)
        if version <= since or version in seen:
            return False
        seen.add(version)
        return True

    while (answer := pages.take()) is not None:
        taken = intake.take("activity", answer, project_id, is_wanted=is_new)
        log.rows.append(taken.rows)
        # Check the last one: a host may include the stored version, and list the oldest first.
        last = answer.data[-1]
        version = last.get("project_version") if isinstance(last, dict) else None
        if log.is_complete or (type(version) is int and version <= since):
            return
