"""Reads a Tracker workspace through its API, table by table, as rows of the raw tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.paging import FieldChoices, ReadAhead
from ingest.api.intake import RECORD_SOURCE, Intake
from ingest.api.lists.catalogue import GROWING_TABLES, ApiOptions, TrackerList, chosen_lists
from ingest.api.lists.cycle_times import CycleTimes
from ingest.api.lists.jobs import GivenRows, Job, full_jobs, list_job
from ingest.api.lists.list_reader import ListReader
from ingest.api.lists.listed_keys import Key, ListedKeys
from ingest.api.lists.own_activity import KnownActivities
from ingest.api.lists.refusals import Refusals
from ingest.api.lists.workspace import Workspace, open_workspace
from ingest.api.sync.deleted_stories import DeletedStories
from ingest.api.sync.planner import Planner
from ingest.api.sync.project_plans import ProjectPlan, sentences
from ingest.records import Drift, Record, removal_rows, to_arrow
from ingest.tables import TABLES, Table
from ingest.warehouses.stored import Stored

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient
    from ingest.api.progress import ReportProgress

_NAMING_THEIR_PROJECT = frozenset({"my_activity", "notifications"})


class ApiReader:
    """Everything that a token may see of a workspace, as rows of the raw tables.

    Nothing is asked before the first table is read, or `as_of` or `project_ids` is looked at.
    Tables are read one after the other, in the order of `tables()`, from one thread; pages of the
    lists that come next are fetched meanwhile.

    When it is told what the warehouse holds (`continue_from`), only what has changed since is read.

    Attributes:
        drift: what did not fit the declared tables.
    """

    def __init__(
        self,
        client: TrackerClient,
        project_ids: list[int] | None = None,
        options: ApiOptions | None = None,
        drift: Drift | None = None,
        progress: ReportProgress | None = None,
        is_full: bool = False,
        is_selected: Callable[[str], bool] | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            client: the session.
            project_ids: the projects to read; None for all that the token lists.
            options: what is read beyond the usual.
            drift: collects what does not fit the declared tables.
            progress: told of every page.
            is_full: everything is read again, whatever the warehouse holds.
            is_selected: whether a table will be read, asked while reading; None when all will be.
        """
        self.drift = drift if drift is not None else Drift()
        self._client = client
        self._wanted_ids = project_ids
        self._progress = progress or _report_nothing
        self._stored = Stored(None)
        self._can_copy_tables = False
        self._known_activities = KnownActivities()
        self._options = options or ApiOptions()
        self._is_full = is_full
        self._is_selected = is_selected or (lambda _: True)
        self._lists = chosen_lists(self._options)
        self._intake = Intake(self.drift)
        self._refusals = Refusals()
        self._keys = ListedKeys()
        self._table_being_read = ""

    def continue_from(self, stored: Stored, can_copy_tables: bool = False) -> None:
        """Read what has changed since the warehouse was loaded; to be called before reading."""
        self._stored = stored
        self._can_copy_tables = can_copy_tables

    @property
    def extract_mode(self) -> str:
        """Whether everything was read (`full`) or what had changed (`incremental`)."""
        is_incremental = any(plan.mode != "full" for plan in self._plans.values())
        return "incremental" if is_incremental else "full"

    @property
    def notes(self) -> list[str]:
        """How the projects were read, one sentence each, and whether the clock is believed."""
        plans = sentences(self._plans.values(), self._workspace.names) if self._plans else []
        fault = self._intake.clock_fault
        return [*plans, *([f"{fault}: `as_of` is this machine's time"] if fault else [])]

    def tables(self) -> list[str]:
        """Names of the raw tables that this reader fills, in reading order."""
        return ["projects", *(each.table for each in self._lists)]

    @property
    def as_of(self) -> datetime:
        """The instant of the data: the host's clock when reading began, if it can be believed."""
        workspace = self._workspace
        if workspace.served_at is None or self._intake.clock_fault:
            return workspace.began_at
        return workspace.served_at

    @property
    def project_ids(self) -> list[int]:
        """The projects that are read, without those that turned out to be closed."""
        return [each for each in self._workspace.names if each not in self.failed_project_ids]

    @property
    def skipped(self) -> list[str]:
        """What could not be read, one sentence each."""
        return [*self._refusals.skipped, *self._intake.sentences()]

    @property
    def failed_project_ids(self) -> list[int]:
        """Projects that should have been read and were not."""
        return self._refusals.failed_project_ids

    @property
    def requests_count(self) -> int:
        """HTTP requests made so far, retries included."""
        return self._client.requests_count

    def keys_listed(self, table_name: str, project_id: int) -> set[Key] | None:
        """The keys of a project's rows, when it is known which there are; else None.

        Known once the table has been read, for the tables with a scope and for `stories`.
        """
        return self._keys.whole(table_name, project_id)

    def failure(self, rows: Mapping[str, int]) -> str | None:
        """Which list of the workspace should have been read and was not; None when all were.

        Projects that could not be read are in `failed_project_ids`.
        """
        return self._refusals.failure

    @property
    def copied_tables(self) -> dict[str, str]:
        """Tables that also have all rows of another one; known once they have been read."""
        return {"my_activity": "activity"} if self._known_activities.is_all_of_own else {}

    def as_of_files(self) -> dict[str | None, str | None]:
        """Nothing: no file is read."""
        return {}

    def read(self, table_name: str) -> Iterator[pa.Table]:
        """Rows of one raw table, with exactly its Arrow schema, no key twice.

        Raises:
            TrackerError: when the workspace cannot be read; a project that is closed to the token,
                or a list that the host does not have, is noted in `skipped` instead.
        """
        table = TABLES[table_name]
        if table_name == "projects":
            yield self._project_rows()
            return
        undone = self._undone_keys(table)
        read = self._read_own_activity if self._copies(table_name) else self._read_jobs
        for rows in read(table):
            if table_name == "activity" and self._copies("my_activity"):
                self._known_activities.add(rows)
            if undone:
                undone -= set(zip(*(rows[name].to_pylist() for name in table.key), strict=True))
            yield rows
        if undone:
            yield removal_rows(table, sorted(undone))
        if table_name == "stories":
            deleted = DeletedStories(self._context, self.as_of, self._plans)
            for project_id in self.project_ids:
                yield from deleted.rows(project_id)
        if table_name == "cycle_time_details":
            yield from self._cycle_times.removed(self.project_ids)

    def _copies(self, table_name: str) -> bool:
        """Whether a table may have the rows of `activity`: when those are all read."""
        is_own = table_name == "my_activity"
        return is_own and self._can_copy_tables and self._planner is None

    def _read_own_activity(self, table: Table) -> Iterator[pa.Table]:
        """Read the token owner's activities as far as those of the projects are not the same."""
        self._table_being_read = table.name
        each = next(each for each in self._lists if each.table == table.name)
        job = list_job(self._client, each, None, FieldChoices(*each.fields))
        ahead = ReadAhead[Job](iter([job]), window=1)  # the first page may be enough
        ahead.next_job()
        yield from ListReader(table, self._context).read(job, ahead, self._known_activities)

    def _read_jobs(self, table: Table) -> Iterator[pa.Table]:
        table_name = table.name
        ahead = self._ahead_of_iterations if table_name == "cycle_time_details" else self._ahead
        lists = ListReader(table, self._context)
        self._table_being_read = table_name
        while True:
            job = ahead.next_job()
            if self._table_being_read != table_name:
                raise RuntimeError(
                    f"{self._table_being_read} was begun while {table_name} was read"
                )
            if job is None or self._position(job.table) > self._position(table_name):
                return
            if job.table != table_name or self._refusals.is_given_up(job):
                ahead.drop(job)
            elif isinstance(job, GivenRows):
                ahead.drop(job)
                yield from lists.give(job)
            else:
                yield from lists.read(job, ahead)

    @cached_property
    def _context(self) -> ReadContext:
        return ReadContext(
            client=self._client,
            workspace=self._workspace,
            options=self._options,
            stored=self._stored,
            intake=self._intake,
            is_wanted=self._is_wanted,
            keys=self._keys,
            refusals=self._refusals,
            progress=self._progress,
        )

    @cached_property
    def _workspace(self) -> Workspace:
        workspace = open_workspace(self._client, self._intake, self._wanted_ids)
        for project_id, error in workspace.refused.items():
            self._refusals.give_up_project(project_id, str(project_id), error)
        if self._wanted_ids is None:
            self._refusals.note_unlisted_projects(workspace, self._stored)
        return workspace

    @cached_property
    def _plans(self) -> dict[int, ProjectPlan]:
        return self._planner.plans if self._planner else {}

    @cached_property
    def _planner(self) -> Planner | None:
        """What has changed, found out; None when everything is read."""
        if self._is_full or not self._stored.projects:
            return None
        planner = Planner(self._context, self._usual_lists)
        planner.make()
        return planner

    @property
    def _usual_lists(self) -> list[TrackerList]:
        return [
            each
            for each in self._lists
            if each.table != "cycle_time_details" and self._is_selected(each.table)
        ]

    @property
    def _listed_anyway(self) -> list[TrackerList]:
        return [each for each in self._usual_lists if not self._copies(each.table)]

    @cached_property
    def _ahead(self) -> ReadAhead[Job]:
        jobs = (
            self._planner.jobs()
            if self._planner
            else full_jobs(self._client, self._listed_anyway, list(self._workspace.names))
        )
        return self._read_ahead(jobs)

    @cached_property
    def _ahead_of_iterations(self) -> ReadAhead[Job]:
        """Begun only when the iterations have been read."""
        details = next(each for each in self._lists if each.table == "cycle_time_details")
        return self._read_ahead(self._cycle_times.jobs(details))

    @cached_property
    def _cycle_times(self) -> CycleTimes:
        return CycleTimes(self._context, is_sync=self._planner is not None)

    def _read_ahead(self, jobs: Iterator[Job]) -> ReadAhead[Job]:
        wanted = (job for job in jobs if not self._refusals.is_given_up(job))
        return ReadAhead(wanted, self._client.pages_ahead)

    def _project_rows(self) -> pa.Table:
        workspace = self._workspace
        count = len(workspace.projects)
        self._progress("projects", workspace.name(None), workspace.requests_count, count)
        return to_arrow(TABLES["projects"], workspace.projects, RECORD_SOURCE, Drift())

    def _undone_keys(self, table: Table) -> set[Key]:
        """The keys of stored rows that are newer than their project, which was set back."""
        undone: set[Key] = set()
        if table.name in GROWING_TABLES:
            for project_id, plan in self._plans.items():
                if plan.undone_after is not None:
                    undone |= self._stored.keys_after(table.name, project_id, plan.undone_after)
        return undone

    def _is_wanted(self, table_name: str, record: Record) -> bool:
        """Leave out what the workspace's own lists tell of projects that were not asked for."""
        if self._wanted_ids is None or table_name not in _NAMING_THEIR_PROJECT:
            return True
        project = record.get("project")
        return isinstance(project, dict) and project.get("id") in self._workspace.names

    def _position(self, table_name: str) -> int:
        return self.tables().index(table_name)


def _report_nothing(table: str, project: str, requests: int = 0, records: int = 0) -> None:
    """Nobody wants to know."""
