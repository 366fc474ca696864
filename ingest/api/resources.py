"""Reads a Tracker workspace through its API, table by table, as rows of the raw tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa

from ingest.api.client import TrackerClient
from ingest.api.errors import (
    InvalidParameter,
    NotFound,
    RouteNotFound,
    TrackerError,
    UnauthorizedOperation,
    UnexpectedAnswer,
)
from ingest.api.jobs import ListJob, full_jobs, iteration_jobs
from ingest.api.lists import ApiOptions, chosen_lists
from ingest.api.paging import ReadAhead
from ingest.api.settling import HeldRows, SeenKeys, StoryCheck
from ingest.api.workspace import Workspace, open_workspace
from ingest.records import Drift, Record, to_arrow
from ingest.tables import TABLES, Table

__all__ = ["ApiOptions", "ApiReader", "ReportProgress"]

_RECORD_SOURCE = "api"
_WORKSPACE = "workspace"  # what progress reports call a list that belongs to no project
_LATEST_KEYS = 100_000  # far more than arrives while one list is read; see SeenKeys
_GROWING_TABLES = frozenset({"activity", "my_activity", "story_transitions"})
_NAMING_THEIR_PROJECT = frozenset({"my_activity", "notifications"})

Key = tuple[Any, ...]


class ReportProgress(Protocol):
    """Takes note of what was just read for a table, of a project or of the workspace."""

    def __call__(self, table: str, project: str, requests: int = 0, records: int = 0) -> None:
        """Add to the counts of `table` and `project`."""


class ApiReader:
    """Everything that a token may see of a workspace, as rows of the raw tables.

    Nothing is asked before the first table is read, or `as_of` or `project_ids` is looked at.
    Tables are read one after the other, in the order of `tables()`, from one thread; pages of the
    lists that come next are fetched meanwhile.

    Attributes:
        drift: what did not fit the declared tables.
        skipped: what could not be read, one sentence each.
        failed_project_ids: projects that should have been read and were not.
    """

    def __init__(
        self,
        client: TrackerClient,
        project_ids: list[int] | None = None,
        options: ApiOptions | None = None,
        drift: Drift | None = None,
        progress: ReportProgress | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            client: the session.
            project_ids: the projects to read; None for all that the token lists.
            options: what is read beyond the usual.
            drift: collects what does not fit the declared tables.
            progress: told of every page.
        """
        self.drift = drift if drift is not None else Drift()
        self.skipped: list[str] = []
        self.failed_project_ids: list[int] = []
        self._client = client
        self._wanted_ids = project_ids
        self._progress = progress or _report_nothing
        self._lists = chosen_lists(options or ApiOptions())
        self._absent_tables: set[str] = set()
        self._keys: dict[tuple[str, int | None], set[Key]] = defaultdict(set)
        self._listed: set[tuple[str, int | None]] = set()
        self._table_being_read = ""

    def tables(self) -> list[str]:
        """Names of the raw tables that this reader fills, in reading order."""
        return ["projects", *(each.table for each in self._lists)]

    @property
    def as_of(self) -> datetime:
        """The instant that the data speaks for: the server's clock when reading began."""
        return self._workspace.as_of

    @property
    def project_ids(self) -> list[int]:
        """The projects that are read, without those that turned out to be closed."""
        return [each for each in self._workspace.names if each not in self.failed_project_ids]

    @property
    def requests_count(self) -> int:
        """HTTP requests made so far, retries included."""
        return self._client.requests_count

    def keys_listed(self, table_name: str, project_id: int) -> set[Key] | None:
        """The keys of a project's rows, when its listing was read whole; else None.

        Known once the table has been read, for the tables with a scope and for `stories`.
        """
        if (table_name, project_id) not in self._listed:
            return None
        return self._keys[table_name, project_id]

    def read(self, table_name: str) -> Iterator[pa.Table]:
        """Rows of one raw table, with exactly its Arrow schema, no key twice.

        Raises:
            TrackerError: when the workspace cannot be read; a project that is closed to the token,
                or a list that the host does not have, is noted in `skipped` instead.
        """
        table = TABLES[table_name]
        if table_name == "projects":
            yield self._project_rows(table)
            return
        ahead = self._ahead_of_iterations if table_name == "cycle_time_details" else self._ahead
        seen = SeenKeys(_LATEST_KEYS if table_name in _GROWING_TABLES else None)
        self._table_being_read = table_name
        while True:
            job = ahead.next_job()
            if self._table_being_read != table_name:
                raise RuntimeError(
                    f"{self._table_being_read} was begun while {table_name} was read"
                )
            if job is None or self._position(job.table) > self._position(table_name):
                return
            if job.table != table_name or self._is_given_up(job):
                ahead.drop(job)
            else:
                yield from self._read_list(table, job, ahead, seen)

    @cached_property
    def _workspace(self) -> Workspace:
        workspace = open_workspace(self._client, self._wanted_ids)
        for project_id, error in workspace.refused.items():
            self._give_up_project(project_id, str(project_id), error)
        return workspace

    @cached_property
    def _ahead(self) -> ReadAhead[ListJob]:
        usual = [each for each in self._lists if each.table != "cycle_time_details"]
        jobs = full_jobs(self._client, usual, list(self._workspace.names))
        return self._read_ahead(job for job in jobs if not self._is_given_up(job))

    @cached_property
    def _ahead_of_iterations(self) -> ReadAhead[ListJob]:
        """Begun only when the iterations have been read; predicted ones have no cycle times yet."""
        details = next(each for each in self._lists if each.table == "cycle_time_details")
        begun = [
            (project["id"], number)
            for project in self._workspace.projects
            for _, number in sorted(self._keys["iterations", project["id"]])
            if number <= (project.get("current_iteration_number") or 0)
        ]
        return self._read_ahead(iteration_jobs(self._client, details, begun))

    def _read_ahead(self, jobs: Iterator[ListJob]) -> ReadAhead[ListJob]:
        # Half as many again as may be in flight: while one page is made into rows, none idles.
        return ReadAhead(jobs, self._client.max_in_flight * 3 // 2)

    def _project_rows(self, table: Table) -> pa.Table:
        projects = self._workspace.projects
        self._progress("projects", _WORKSPACE, self._workspace.requests_count, len(projects))
        return to_arrow(table, projects, _RECORD_SOURCE, self.drift)

    def _read_list(
        self, table: Table, job: ListJob, ahead: ReadAhead[ListJob], seen: SeenKeys
    ) -> Iterator[pa.Table]:
        held, later_copies, counted = HeldRows(), [], 0
        try:
            for answer in ahead.answers(job):
                records = self._wanted(job, job.records(answer.data))
                fresh, again = self._split(table, job, records, seen)
                rows = self._rows(table, job, fresh, answer.requests_count)
                counted += answer.requests_count
                if "updated_at" in table.columns:
                    later_copies += again
                    yield from held.add(rows)
                else:
                    yield rows
            # A page past the end of the list costs a request too.
            self._progress(table.name, self._name(job), job.pages.requests_count - counted, 0)
            yield from held.release(to_arrow(table, later_copies, _RECORD_SOURCE, self.drift))
            yield from self._settle(table, job, seen)
            self._note_fewer_fields(job)
        except (UnauthorizedOperation, NotFound, InvalidParameter) as error:
            self._note_refusal(job, error)

    def _settle(self, table: Table, job: ListJob, seen: SeenKeys) -> Iterator[pa.Table]:
        """Finish a list: find the stories that fell between its pages, note that it is whole."""
        place = (table.name, job.project_id)
        is_settled = True
        if table.name in _GROWING_TABLES and job.pages.has_shrunk:
            yield from self._read_again(table, job, seen)
        if table.name == "stories" and StoryCheck.is_needed(job.pages, len(self._keys[place])):
            check = StoryCheck(self._client, job.pages.path, job.fields)
            for stories in check.missing({story_id for (story_id,) in self._keys[place]}):
                fresh, _ = self._split(table, job, job.records(stories), seen)
                yield self._rows(table, job, fresh, check.requests_since())
            self._progress(table.name, self._name(job), check.requests_since(), 0)
            self._keys[place] = {(story_id,) for story_id in check.listed_ids}
            is_settled = check.is_settled
        if _is_listed(table) and is_settled and job.is_whole:
            self._listed.add(place)

    def _read_again(self, table: Table, job: ListJob, seen: SeenKeys) -> Iterator[pa.Table]:
        """Read a list once more, one page after the other, for what slid between its pages."""
        pages = job.pages.again()
        while (answer := pages.take()) is not None:
            fresh, _ = self._split(table, job, self._wanted(job, job.records(answer.data)), seen)
            yield self._rows(table, job, fresh, answer.requests_count)

    def _split(
        self, table: Table, job: ListJob, records: list[Record], seen: SeenKeys
    ) -> tuple[list[Record], list[Record]]:
        """Divide records into new ones and those whose key has been given already."""
        try:
            keys = [tuple([record[name] for name in table.key]) for record in records]
        except KeyError as error:
            raise UnexpectedAnswer(f"GET {job.pages.path}", f"a record without {error}") from None
        if _is_listed(table):
            self._keys[table.name, job.project_id].update(keys)
        is_new = [seen.add(key) for key in keys]
        if all(is_new):
            return records, []
        pairs = list(zip(records, is_new, strict=True))
        return [each for each, new in pairs if new], [each for each, new in pairs if not new]

    def _wanted(self, job: ListJob, records: list[Record]) -> list[Record]:
        """Leave out what the workspace's own lists tell of projects that were not asked for."""
        if self._wanted_ids is None or job.table not in _NAMING_THEIR_PROJECT:
            return records
        wanted = set(self._workspace.names)
        return [each for each in records if (each.get("project") or {}).get("id") in wanted]

    def _rows(
        self, table: Table, job: ListJob, records: list[Record], requests_count: int
    ) -> pa.Table:
        self._progress(table.name, self._name(job), requests_count, len(records))
        return to_arrow(table, records, _RECORD_SOURCE, self.drift)

    def _name(self, job: ListJob) -> str:
        return self._workspace.names.get(job.project_id, _WORKSPACE)

    def _position(self, table_name: str) -> int:
        return self.tables().index(table_name)

    def _is_given_up(self, job: ListJob) -> bool:
        return job.project_id in self.failed_project_ids or job.table in self._absent_tables

    def _note_refusal(self, job: ListJob, error: TrackerError) -> None:
        """Skip a project, or one list of it, or a list that the host does not have.

        Raises:
            TrackerError: the same, when nothing can be read without this list.
        """
        is_closed = isinstance(error, UnauthorizedOperation) and not job.tracker_list.option
        if job.tracker_list.is_required and isinstance(error, RouteNotFound | InvalidParameter):
            raise error
        if job.project_id is not None and (is_closed or job.tracker_list.is_required):
            self._give_up_project(job.project_id, self._name(job), error)
        elif not isinstance(error, RouteNotFound):
            self.skipped.append(f"{job.table} of {self._name(job)}: {error}")
        elif job.table not in self._absent_tables:
            self._absent_tables.add(job.table)
            self.skipped.append(f"{job.table}: this host has no {job.tracker_list.path}")

    def _note_fewer_fields(self, job: ListJob) -> None:
        asked = f"fields={job.fields.current}" if job.fields.current else "no fields"
        sentence = f"{job.table}: this host refused some fields, so fewer were asked for ({asked})"
        if job.fields.index and sentence not in self.skipped:
            self.skipped.append(sentence)

    def _give_up_project(self, project_id: int, name: str, error: TrackerError) -> None:
        self.failed_project_ids.append(project_id)
        self.skipped.append(f"project {project_id} ({name}): {error}")


def _is_listed(table: Table) -> bool:
    """Whether it matters which rows of a project are no longer listed."""
    return table.scope is not None or table.name == "stories"


def _report_nothing(table: str, project: str, requests: int = 0, records: int = 0) -> None:
    """Nobody wants to know."""
