"""What is read of a workspace when the warehouse holds some of it already."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.errors import ENDING_THE_RUN, TrackerError
from ingest.api.http.paging import FieldChoices
from ingest.api.lists.catalogue import TrackerList
from ingest.api.lists.jobs import GivenRows, Job, list_job
from ingest.api.lists.nested import read_nested_lists
from ingest.api.sync.activity_log import Watched, WorkspaceLog, read_project_log
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import NESTED_LISTS, ProjectPlan
from ingest.api.sync.rereading import Rereader
from ingest.records import Record


class Planner:
    """Finds out what has changed, and decides how each project is read.

    Attributes:
        plans: by project id, once `make` is done.
        my_activity: the rows of the workspace's own log; None when nothing of it was read.
    """

    def __init__(self, context: ReadContext, lists: list[TrackerList]) -> None:
        """Prepare to plan how `lists` are read."""
        self.plans: dict[int, ProjectPlan] = {}
        self.my_activity: Job | None = None
        self._context = context
        self._client = context.client
        self._stored = context.stored
        self._intake = context.intake
        self._projects = {each["id"]: each for each in context.workspace.projects}
        self._lists = {each.table: each for each in lists}
        self._refused_ids: set[int] = set()
        self._rereader = Rereader(context, self._projects, self._lists)

    def make(self) -> None:
        """Ask for what has changed; of the workspace's own log, what was asked for is kept."""
        for project_id, project in self._projects.items():
            self.plans[project_id] = self._first_plan(project_id, project)
        watched = {
            project_id: self._watched(plan)
            for project_id, plan in self.plans.items()
            if plan.mode in ("changed", "full")
        }
        if watched:
            self._read_logs(watched)
        for project_id, plan in self.plans.items():
            if project_id in self._refused_ids:
                continue
            try:
                self._rereader.complete(plan, watched.get(project_id))
            except TrackerError as error:
                self._refuse(project_id, error)
        self._read_nested()

    def jobs(self) -> Iterator[Job]:
        """What is to be read, in the order of the raw tables."""
        for table, each in self._lists.items():
            fields = FieldChoices(*each.fields)
            if table == "my_activity":
                if self.my_activity is not None:
                    yield self.my_activity
            elif not each.is_per_project:
                yield list_job(self._client, each, None, fields)
            else:
                for plan in self.plans.values():
                    yield from self._jobs_of(plan, each, fields)

    def _jobs_of(self, plan: ProjectPlan, each: TrackerList, fields: FieldChoices) -> Iterator[Job]:
        table, project_id = each.table, plan.project_id
        if table in plan.given:
            yield plan.given[table]
        if plan.mode == "full" or table in plan.lists:
            yield list_job(self._client, each, project_id, fields)
        elif table == "iterations" and plan.iterations_from is not None:
            first_offset = plan.iterations_from - 1
            yield list_job(self._client, each, project_id, fields, None, first_offset)
        elif table == "story_transitions" and plan.transitions_after is not None:
            after = plan.transitions_after.strftime("%Y-%m-%dT%H:%M:%SZ")
            yield list_job(self._client, each, project_id, fields, {"occurred_after": after})

    # ------------------------------------------------------------------ what has changed

    def _refuse(self, project_id: int, error: TrackerError) -> None:
        if project_id not in self._refused_ids:
            self._refused_ids.add(project_id)
            name = self._context.workspace.names[project_id]
            self._context.refusals.give_up_project(project_id, name, error)

    def _first_plan(self, project_id: int, project: Record) -> ProjectPlan:
        """What the list of projects and the warehouse alone tell."""
        held = self._stored.projects.get(project_id)
        if held is None:
            known = project_id in self._stored.known_ids
            reason = "the last run did not read it whole from here" if known else "it is new"
            return ProjectPlan(project_id, "full", reason=reason)
        version, number = project.get("version"), project.get("current_iteration_number")
        if version is None or number is None:
            return ProjectPlan(project_id, "full", reason="the host tells no version of it")
        if version < held.version:
            reason = f"its version went back from {held.version} to {version}"
            return ProjectPlan(project_id, "full", reason=reason, undone_after=version)
        plan = ProjectPlan(project_id, "changed" if version > held.version else "unchanged")
        if version == held.version and number != held.current_iteration_number:
            plan.mode = "clock"
        return plan

    def _watched(self, plan: ProjectPlan) -> Watched:
        held = self._stored.projects.get(plan.project_id) if plan.mode == "changed" else None
        changes = Changes(plan.project_id, held.version if held else 0)
        version = self._projects[plan.project_id].get("version") or 0
        return Watched(changes, version, held.as_of if held else None)

    def _read_logs(self, watched: dict[int, Watched]) -> None:
        each = self._lists["my_activity"]
        log = WorkspaceLog(
            self._client,
            each.path,
            lambda record: self._is_new(record) and self._context.is_wanted("my_activity", record),
            self._intake,
        )
        try:
            log.read(watched)
            self.my_activity = GivenRows("my_activity", None, log.rows, log.requests_count)
        except ENDING_THE_RUN:
            raise
        except TrackerError:
            # Asked once more in its turn, so that it is reported like any list that is missing.
            self.my_activity = list_job(self._client, each, None, FieldChoices(*each.fields))
        for project_id, wanted in watched.items():
            if self.plans[project_id].mode == "changed" and not wanted.is_complete:
                self._read_project_log(project_id, wanted)
                kept = log.rows_of(project_id, wanted.changes.since)
                wanted.rows = _without_repeats([*wanted.rows, *kept])

    def _is_new(self, activity: Record) -> bool:
        plan = self.plans.get(activity["project_id"])
        if plan is None or plan.mode == "full":
            return True
        held = self._stored.projects[plan.project_id]
        return activity["project_version"] > held.version

    def _read_project_log(self, project_id: int, wanted: Watched) -> None:
        path = self._lists["activity"].path.format(project_id=project_id)
        try:
            read_project_log(self._client, path, project_id, wanted, self._intake)
        except TrackerError as error:
            self._refuse(project_id, error)

    def _read_nested(self) -> None:
        """Labels and epics of all projects that need them, with as few requests as possible."""
        wanting = [
            plan.project_id
            for plan in self.plans.values()
            if plan.mode in ("clock", "changed") and plan.lists & set(NESTED_LISTS)
        ]
        nested = {name: self._lists[name] for name in NESTED_LISTS}
        found, requests_count = read_nested_lists(
            self._client, nested, wanting, len(self._projects), self._intake
        )
        for project_id, lists in found.items():
            plan = self.plans[project_id]
            for table, rows in lists.items():
                plan.given[table] = GivenRows(table, project_id, [rows], requests_count, True)
                plan.lists.discard(table)
                requests_count = 0


def _without_repeats(tables: list[pa.Table]) -> list[pa.Table]:
    """The same rows, of several with the same guid the first."""
    seen: set[str] = set()
    kept = []
    for rows in tables:
        mask = []
        for guid in rows["guid"].to_pylist():
            mask.append(guid not in seen)
            seen.add(guid)
        kept.append(rows.filter(pa.array(mask, pa.bool_())))
    return [rows for rows in kept if rows.num_rows]
