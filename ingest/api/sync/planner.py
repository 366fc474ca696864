"""Plan what to read of a workspace if the warehouse already contains some of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.answers import Answer
from ingest.api.http.errors import ENDING_THE_RUN, TrackerError
from ingest.api.http.paging import FieldChoices
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import TrackerList
from ingest.api.lists.jobs import GivenRows, Job, list_job
from ingest.api.sync.activity_log import ProjectLog, WorkspaceLog, read_project_log
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import NESTED_LISTS, ProjectPlan
from ingest.api.sync.rereading import Rereader
from ingest.records import Record

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient


# If at least a quarter of the projects is needed, all are requested at once.
_SHARE_OF_ALL = 4

Lists = dict[str, pa.Table]


class Planner:
    """Finds out what has changed, and decides how each project is read.

    Attributes:
        plans: project id -> plan; filled by `make`.
        my_activity: the job for the workspace's activities; None if none are needed.
    """

    def __init__(self, context: ReadContext, lists: list[TrackerList]) -> None:
        """Prepare to plan the reading of these lists."""
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
        """Read the activities, and plan how each project is read."""
        for project_id, project in self._projects.items():
            self.plans[project_id] = self._first_plan(project_id, project)
        logs = {
            project_id: self._new_log(plan)
            for project_id, plan in self.plans.items()
            if plan.mode in ("changed", "full")
        }
        if logs:
            self._read_logs(logs)
        for project_id, plan in self.plans.items():
            if project_id in self._refused_ids:
                continue
            try:
                self._rereader.complete(plan, logs.get(project_id))
            except TrackerError as error:
                self._refuse(project_id, error)
        self._read_nested()

    def jobs(self) -> Iterator[Job]:
        """The jobs, in the order of the raw tables."""
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

    def _refuse(self, project_id: int, error: TrackerError) -> None:
        if project_id not in self._refused_ids:
            self._refused_ids.add(project_id)
            name = self._context.workspace.names[project_id]
            self._context.skipped_lists.give_up_project(project_id, name, error)

    def _first_plan(self, project_id: int, project: Record) -> ProjectPlan:
        """The plan that follows from the list of projects and the warehouse alone."""
        stored = self._stored.projects.get(project_id)
        if stored is None:
            reason = "it is new"
            if project_id in self._stored.known_ids:
                reason = "the last run did not read all of it from this source"
            return ProjectPlan(project_id, "full", reason=reason)
        version, number = project.get("version"), project.get("current_iteration_number")
        if version is None or number is None:
            return ProjectPlan(project_id, "full", reason="the host does not state its version")
        if version < stored.version:
            reason = f"its version went back from {stored.version} to {version}"
            return ProjectPlan(project_id, "full", reason=reason, reset_to=version)
        plan = ProjectPlan(project_id, "changed" if version > stored.version else "unchanged")
        if version == stored.version and number != stored.current_iteration_number:
            plan.mode = "clock"
        return plan

    def _new_log(self, plan: ProjectPlan) -> ProjectLog:
        stored = self._stored.projects.get(plan.project_id) if plan.mode == "changed" else None
        changes = Changes(plan.project_id, stored.version if stored else 0)
        version = self._projects[plan.project_id].get("version") or 0
        return ProjectLog(changes, version, stored.as_of if stored else None)

    def _read_logs(self, logs: dict[int, ProjectLog]) -> None:
        each = self._lists["my_activity"]
        workspace_log = WorkspaceLog(
            self._client,
            each.path,
            lambda record: self._is_new(record) and self._context.is_wanted("my_activity", record),
            self._intake,
        )
        try:
            workspace_log.read(logs)
            rows, requests_count = workspace_log.rows, workspace_log.requests_count
            self.my_activity = GivenRows("my_activity", None, rows, requests_count)
        except ENDING_THE_RUN:
            raise
        except TrackerError:
            # Read it again later, so that the failure is reported like that of any other list.
            self.my_activity = list_job(self._client, each, None, FieldChoices(*each.fields))
        for project_id, log in logs.items():
            if self.plans[project_id].mode == "changed" and not log.is_complete:
                self._read_project_log(project_id, log)
                others = workspace_log.rows_of(project_id, log.changes.since)
                log.rows = _without_repeats([*log.rows, *others])

    def _is_new(self, activity: Record) -> bool:
        plan = self.plans.get(activity["project_id"])
        if plan is None or plan.mode == "full":
            return True
        return activity["project_version"] > self._stored.projects[plan.project_id].version

    def _read_project_log(self, project_id: int, log: ProjectLog) -> None:
        path = self._lists["activity"].path.format(project_id=project_id)
        try:
            read_project_log(self._client, path, project_id, log, self._intake)
        except TrackerError as error:
            self._refuse(project_id, error)

    def _read_nested(self) -> None:
        """Read labels and epics of the projects that need them, with few requests."""
        project_ids = [
            plan.project_id
            for plan in self.plans.values()
            if plan.mode in ("clock", "changed") and plan.lists & set(NESTED_LISTS)
        ]
        nested = {name: self._lists[name] for name in NESTED_LISTS}
        found, requests_count = _read_nested_lists(
            self._client, nested, project_ids, len(self._projects), self._intake
        )
        for project_id, lists in found.items():
            plan = self.plans[project_id]
            for table, rows in lists.items():
                plan.add_rows(table, [rows], requests_count, has_all_records=True)
                plan.lists.discard(table)
                requests_count = 0


def _without_repeats(tables: list[pa.Table]) -> list[pa.Table]:
    """Remove all but the first of several rows with the same guid."""
    seen: set[str] = set()
    kept = []
    for rows in tables:
        mask = []
        for guid in rows["guid"].to_pylist():
            mask.append(guid not in seen)
            seen.add(guid)
        kept.append(rows.filter(pa.array(mask, pa.bool_())))
    return [rows for rows in kept if rows.num_rows]


# Labels and epics nested in their project ---------------------------------------------------------
# One request instead of two per project: with `fields=`, Tracker nests them in `/projects` and
# `/projects/{id}` (recorded responses show it). If a host does not, the lists themselves are read.


def _read_nested_lists(
    client: TrackerClient,
    lists: dict[str, TrackerList],
    project_ids: list[int],
    projects_count: int,
    intake: Intake,
) -> tuple[dict[int, Lists], int]:
    """Read lists of several projects, nested in the projects.

    Args:
        client: the HTTP client.
        lists: the lists, by their name in a project.
        project_ids: the projects whose lists are needed.
        projects_count: the number of projects in the workspace.
        intake: converts the records.

    Returns:
        The rows of each list by project id, and the number of requests. Projects whose lists are
        not nested, or contain a refused record, are omitted.
    """
    if not project_ids:
        return {}, 0
    nested = ",".join(f"{name}({each.fields[0]})" for name, each in lists.items())
    params = {"fields": f"id,{nested}"}
    is_for_all = len(project_ids) > 1 and len(project_ids) * _SHARE_OF_ALL >= projects_count
    paths = ["/projects"] if is_for_all else [f"/projects/{each}" for each in project_ids]
    found: dict[int, Lists] = {}
    count = 0
    for path in paths:
        try:
            answer = client.get(path, params)
        except ENDING_THE_RUN:
            raise
        except TrackerError:
            return found, count + 1
        count += answer.requests_count
        for project in answer.data if isinstance(answer.data, list) else [answer.data]:
            project_id = project.get("id") if isinstance(project, dict) else None
            if project_id in project_ids:
                rows = _lists_of(project, project_id, lists, answer, intake)
                if rows is not None:
                    found[project_id] = rows
    return found, count


def _lists_of(
    project: Record, project_id: int, lists: dict[str, TrackerList], answer: Answer, intake: Intake
) -> Lists | None:
    found: Lists = {}
    for name in lists:
        if not isinstance(project.get(name), list):
            return None
        taken = intake.take(name, replace(answer, data=project[name]), project_id)
        if taken.refused_count:
            return None
        found[name] = taken.rows
    return found
