"""Read a Tracker workspace through its API, table by table, as rows of the raw tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.paging import FieldChoices
from ingest.api.intake import RECORD_SOURCE, Intake
from ingest.api.lists.catalogue import GROWING_TABLES, ApiOptions, TrackerList, chosen_lists
from ingest.api.lists.cycle_times import CycleTimes
from ingest.api.lists.jobs import GivenRows, Job, full_jobs, list_job
from ingest.api.lists.list_reader import KnownActivities, ListReader
from ingest.api.lists.listed_keys import Key, ListedKeys
from ingest.api.lists.read_ahead import ReadAhead
from ingest.api.lists.skipped_lists import SkippedLists
from ingest.api.lists.workspace import Workspace, open_workspace
from ingest.api.sync.deleted_stories import DeletedStories
from ingest.api.sync.planner import Planner
from ingest.api.sync.project_plans import ProjectPlan, sentences
from ingest.records import Drift, Record, keys_of, removal_rows, to_arrow
from ingest.tables import TABLES, Table
from ingest.warehouses.stored import Stored

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient
    from ingest.api.progress import ReportProgress

_WITH_PROJECT = frozenset({"my_activity", "notifications"})


class ApiReader:
    """Reads everything that a token can see of a workspace (a `Reader`).

    Nothing is requested before the first table, `as_of` or `project_ids` is read. Tables must be
    read one after the other, in the order of `tables()`, from one thread; pages of the next lists
    are requested in the background. After `continue_from`, only changes are read.

    Attributes:
        drift: fields and values that did not fit the declared tables.
    """

    def __init__(
        self,
        client: TrackerClient,
        options: ApiOptions | None = None,
        drift: Drift | None = None,
        progress: ReportProgress | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            client: the HTTP client.
            options: what to read.
            drift: collects what does not fit the declared tables.
            progress: called after every page.
        """
        self.drift = drift if drift is not None else Drift()
        self._client = client
        self._progress = progress or _report_nothing
        self._stored = Stored(None)
        self._can_copy_tables = False
        self._known_activities = KnownActivities()
        self._options = options or ApiOptions()
        self._lists = chosen_lists(self._options)
        self._intake = Intake(self.drift)
        self._skipped_lists = SkippedLists()
        self._keys = ListedKeys()
        self._table_being_read = ""

    def continue_from(self, stored: Stored, can_copy_tables: bool = False) -> None:
        """Read only what differs from the stored rows; call this before reading."""
        self._stored = stored
        self._can_copy_tables = can_copy_tables

    @property
    def extract_mode(self) -> str:
        """Whether everything was read (`full`), or only what changed (`incremental`)."""
        is_incremental = any(plan.mode != "full" for plan in self._plans.values())
        return "incremental" if is_incremental else "full"

    @property
    def notes(self) -> list[str]:
        """How the projects were read, one sentence each, and if the host's clock is wrong."""
        plans = sentences(self._plans.values(), self._workspace.names) if self._plans else []
        fault = self._intake.clock_fault
        return [*plans, *([f"{fault}: `as_of` is this machine's time"] if fault else [])]

    def tables(self) -> list[str]:
        """Names of the raw tables that this reader fills, in reading order."""
        return ["projects", *(each.table for each in self._lists)]

    @property
    def as_of(self) -> datetime:
        """The start of reading, by the host's clock, or by the local clock if that is wrong."""
        workspace = self._workspace
        if workspace.served_at is None or self._intake.clock_fault:
            return workspace.began_at
        return workspace.served_at

    @property
    def project_ids(self) -> list[int]:
        """The projects that are read, without those that could not be read."""
        return [each for each in self._workspace.names if each not in self.failed_project_ids]

    @property
    def skipped(self) -> list[str]:
        """What could not be read, one sentence each."""
        return [*self._skipped_lists.sentences, *self._intake.sentences()]

    @property
    def failed_project_ids(self) -> list[int]:
        """Projects that should have been read but were not."""
        return self._skipped_lists.failed_project_ids

    @property
    def requests_count(self) -> int:
        """HTTP requests made so far, including retries."""
        return self._client.requests_count

    def keys_listed(self, table_name: str, project_id: int) -> set[Key] | None:
        """The keys of all rows of a project, if a complete list was read; otherwise None.

        Available after the table was read, for tables with a scope and for `stories`.
        """
        return self._keys.all_keys(table_name, project_id)

    def failure(self, rows: Mapping[str, int]) -> str | None:
        """The list of the workspace that could not be read, and why; None if there is none.

        Projects that could not be read are in `failed_project_ids`.
        """
        return self._skipped_lists.failure

    @property
    def copied_tables(self) -> dict[str, str]:
        """Tables that also have all rows of another one; available after they were read."""
        return {"my_activity": "activity"} if self._known_activities.is_all_of_own else {}

    def as_of_files(self) -> dict[str | None, str | None]:
        """Empty, because no files are read."""
        return {}

    def close(self) -> None:
        """Close the client; nothing can be read afterwards."""
        self._client.close()

    def read(self, table_name: str) -> Iterator[pa.Table]:
        """Read the rows of one raw table, with exactly its Arrow schema, without duplicate keys.

        Raises:
            TrackerError: if the workspace cannot be read. Projects without access, and lists that
                the host does not have, are added to `skipped` instead.
        """
        table = TABLES[table_name]
        if table_name == "projects":
            yield self._project_rows()
            return
        outdated = self._outdated_keys(table)
        read = self._read_own_activity if self._copies(table_name) else self._read_jobs
        for rows in read(table):
            if table_name == "activity" and self._copies("my_activity"):
                self._known_activities.add(rows)
            if outdated:
                outdated -= set(keys_of(table, rows))
            yield rows
        if outdated:
            yield removal_rows(table, sorted(outdated))
        if table_name == "stories":
            deleted = DeletedStories(self._context, self.as_of, self._plans)
            for project_id in self.project_ids:
                yield from deleted.rows(project_id)
        if table_name == "cycle_time_details":
            yield from self._cycle_times.removed(self.project_ids)

    def _copies(self, table_name: str) -> bool:
        """Whether a table's rows can be copied from `activity`, because all of those are read."""
        is_own = table_name == "my_activity"
        return is_own and self._can_copy_tables and self._planner is None

    def _read_own_activity(self, table: Table) -> Iterator[pa.Table]:
        """Read the token owner's activities, unless all of them were read from the projects."""
        self._table_being_read = table.name
        each = next(each for each in self._lists if each.table == table.name)
        job = list_job(self._client, each, None, FieldChoices(*each.fields))
        ahead = ReadAhead(iter([job]), window=1)  # the first page may be enough
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
                    f"{self._table_being_read} was started while {table_name} was read"
                )
            if job is None or self._position(job.table) > self._position(table_name):
                return
            if job.table != table_name or self._skipped_lists.is_given_up(job):
                ahead.drop(job)
            elif isinstance(job, GivenRows):
                ahead.drop(job)
                yield from lists.pass_on(job)
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
            skipped_lists=self._skipped_lists,
            progress=self._progress,
        )

    @cached_property
    def _workspace(self) -> Workspace:
        workspace = open_workspace(self._client, self._intake, self._options.project_ids)
        for project_id, error in workspace.refused.items():
            self._skipped_lists.give_up_project(project_id, str(project_id), error)
        if self._options.project_ids is None:
            self._skipped_lists.note_unlisted_projects(workspace, self._stored)
        return workspace

    @cached_property
    def _plans(self) -> dict[int, ProjectPlan]:
        return self._planner.plans if self._planner else {}

    @cached_property
    def _planner(self) -> Planner | None:
        """The plan for reading only changes; None if everything is read."""
        if self._options.is_full or not self._stored.projects:
            return None
        planner = Planner(self._context, self._selected_lists)
        planner.make()
        return planner

    @property
    def _selected_lists(self) -> list[TrackerList]:
        """The lists to read, without cycle times, which are read per iteration."""
        return [
            each
            for each in self._lists
            if each.table != "cycle_time_details" and self._options.is_selected(each.table)
        ]

    @cached_property
    def _ahead(self) -> ReadAhead:
        if self._planner:
            return self._read_ahead(self._planner.jobs())
        lists = [each for each in self._selected_lists if not self._copies(each.table)]
        return self._read_ahead(full_jobs(self._client, lists, list(self._workspace.names)))

    @cached_property
    def _ahead_of_iterations(self) -> ReadAhead:
        """The jobs for cycle times, which are known after the iterations were read."""
        details = next(each for each in self._lists if each.table == "cycle_time_details")
        return self._read_ahead(self._cycle_times.jobs(details))

    @cached_property
    def _cycle_times(self) -> CycleTimes:
        return CycleTimes(self._context, is_sync=self._planner is not None)

    def _read_ahead(self, jobs: Iterator[Job]) -> ReadAhead:
        wanted = (job for job in jobs if not self._skipped_lists.is_given_up(job))
        return ReadAhead(wanted, self._client.pages_ahead)

    def _project_rows(self) -> pa.Table:
        workspace = self._workspace
        count = len(workspace.projects)
        self._progress("projects", workspace.name(None), workspace.requests_count, count)
        return to_arrow(TABLES["projects"], workspace.projects, RECORD_SOURCE, Drift())

    def _outdated_keys(self, table: Table) -> set[Key]:
        """The keys of stored rows with later versions than their project, which was reset."""
        outdated: set[Key] = set()
        if table.name in GROWING_TABLES:
            for project_id, plan in self._plans.items():
                if plan.reset_to is not None:
                    outdated |= self._stored.keys_after(table.name, project_id, plan.reset_to)
        return outdated

    def _is_wanted(self, table_name: str, record: Record) -> bool:
        """Whether a record of a workspace's list belongs to one of the requested projects."""
        if self._options.project_ids is None or table_name not in _WITH_PROJECT:
            return True
        project = record.get("project")
        return isinstance(project, dict) and project.get("id") in self._workspace.names

    def _position(self, table_name: str) -> int:
        return self.tables().index(table_name)


def _report_nothing(table: str, project: str, requests: int = 0, records: int = 0) -> None:
    """Report nothing."""
