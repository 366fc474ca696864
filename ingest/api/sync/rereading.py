"""What follows from a project's changes: which stories, lists and iterations are read again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.errors import IncompleteList, InvalidParameter, NotFound
from ingest.api.lists.catalogue import TrackerList
from ingest.api.lists.jobs import GivenRows
from ingest.api.sync.activity_log import Watched
from ingest.api.sync.changed_stories import Batch, NoBulk, StoryReader
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import NESTED_LISTS, ProjectPlan
from ingest.records import Record
from ingest.warehouses.stored import StoredProject, plan_settings

_MARGIN = timedelta(minutes=1)  # a record may be stamped a little before it can be read
_FEW = 500  # stories that are read by id whatever their share is


class Rereader:
    """Completes the plans of projects that have changed."""

    def __init__(
        self, context: ReadContext, projects: dict[int, Record], lists: dict[str, TrackerList]
    ) -> None:
        """Prepare to read projects, by id, and lists, by raw table."""
        self._client = context.client
        self._options = context.options
        self._stored = context.stored
        self._intake = context.intake
        self._projects = projects
        self._lists = lists
        self._stories = StoryReader(context.client, projects, context.intake)

    def complete(self, plan: ProjectPlan, watched: Watched | None) -> None:
        """Decide what is read again, and read the stories.

        Args:
            plan: the project's plan so far, to be completed.
            watched: its activities, when they were asked for.

        Raises:
            TrackerError: when the project cannot be read.
        """
        held = self._stored.projects.get(plan.project_id)
        if held is not None and plan.mode == "changed" and watched is not None:
            plan.changes = watched.changes
            self._plan_changed(plan, held, watched)
        elif held is not None and plan.mode == "clock":
            plan.iterations_from = held.current_iteration_number
            self._add_projected(plan, held)
        if held is not None and plan.mode != "full":
            self._add_optional(plan, held)

    def _plan_changed(self, plan: ProjectPlan, held: StoredProject, watched: Watched) -> None:
        if watched.is_complete and not watched.changes.unclear:
            plan.given["activity"] = self._given(plan, "activity", watched.rows, watched)
            self._plan_stories(plan, held, watched.changes)
            return
        if watched.changes.unclear:
            plan.reason = f"{watched.changes.unclear} does not say what it changed"
        else:
            known = f"activities since version {held.version} are not all there"
            plan.reason = known
            plan.given["activity"] = self._given(plan, "activity", watched.rows, watched)
            if self._plan_listed(plan, held, watched.changes):
                return
        plan.mode = "full"
        plan.given.clear()

    def _plan_stories(self, plan: ProjectPlan, held: StoredProject, changes: Changes) -> None:
        project_id = plan.project_id
        changed_ids = self._changed_ids(changes)
        stored_ids = self._stored.story_ids(project_id)
        batch = Batch()
        is_much = len(changed_ids) > max(_FEW, len(stored_ids) // 2)
        try:
            if not is_much:
                batch = self._stories.read(project_id, changed_ids)
        except NoBulk:
            is_much = True
        if is_much:
            plan.lists |= {"stories", "releases"}
            plan.iterations_from = 1
        else:
            missing = changed_ids - batch.ids - changes.moved_away().keys()
            # In the same version nothing can have happened to them since: they are gone.
            if batch.version in (None, changes.newest) and not batch.refused_count:
                plan.gone_ids = missing & stored_ids
            plan.gone_ids |= changes.moved_away().keys() & stored_ids
        plan.given["stories"] = self._given(plan, "stories", batch.rows, batch)
        self._plan_transitions(plan, held, changes, batch)
        self._plan_iterations(plan, held, changes, batch)
        self._plan_lists(plan, held, changes, batch, changed_ids)

    def _changed_ids(self, changes: Changes) -> set[int]:
        project_id = changes.project_id
        changed_ids = changes.story_ids | self._stored.stories_that_list(
            project_id, "labels", changes.label_ids
        )
        for column, ids in changes.part_ids.items():
            changed_ids |= self._stored.stories_that_list(project_id, column, ids)
        changed_ids |= self._stored.stories_that_list(
            project_id, "reviews", changes.review_type_ids, "review_type_id"
        )
        return changed_ids - changes.deleted_ids

    def _plan_transitions(
        self, plan: ProjectPlan, held: StoredProject, changes: Changes, batch: Batch
    ) -> None:
        """A change of state is a version, so its story is read again, with its transitions.

        Not so a story that has left: its rows stay in the project, and where it is now it may be in
        a list of stories, which brings none, or not be read at all.
        """
        left = changes.moved_away().keys()
        is_listed = "stories" in plan.lists or not batch.has_transitions
        if is_listed or left & changes.state_changed_ids:
            plan.transitions_after = (changes.earliest_at or held.known_at) - _MARGIN
        elif batch.transition_rows:
            rows = batch.transition_rows
            plan.given["story_transitions"] = GivenRows("story_transitions", plan.project_id, rows)

    def _plan_iterations(
        self, plan: ProjectPlan, held: StoredProject, changes: Changes, batch: Batch
    ) -> None:
        project = self._projects[plan.project_id]
        current = project.get("current_iteration_number")
        is_planned_anew = (
            bool(changes.plan_ids)
            or changes.are_all_iterations_moved
            or changes.iterations_from is not None
            or current != held.current_iteration_number
        )
        if plan_settings(project) != held.plan_settings or changes.are_all_iterations_moved:
            plan.iterations_from = 1
        elif is_planned_anew and plan.iterations_from is None:
            instants = set(changes.accepted_at)
            stored = self._stored.accepted_at(changes.plan_ids)
            instants |= {*stored.values()}
            instants |= {at for key, at in batch.accepted_at.items() if key in changes.plan_ids}
            plan.iterations_from = _first_affected(held, instants, changes.iterations_from)
        if self._options.iteration_analytics and is_planned_anew:
            plan.iterations_from = 1

    def _plan_lists(
        self,
        plan: ProjectPlan,
        held: StoredProject,
        changes: Changes,
        batch: Batch,
        changed_ids: set[int],
    ) -> None:
        plan.lists |= changes.lists & {"memberships", *NESTED_LISTS}
        has_releases = bool(held.rows_count["releases"] or batch.release_ids)
        if plan.iterations_from is not None:
            self._add_projected(plan, held)
            plan.lists |= {"labels", "releases"} if has_releases else {"labels"}
        is_relabelled = bool(changes.label_ids) and has_releases
        is_of_release = bool(
            batch.release_ids or self._stored.releases_among(changed_ids | changes.deleted_ids)
        )
        if "releases" in changes.lists or is_relabelled or is_of_release:
            plan.lists.add("releases")

    def _add_projected(self, plan: ProjectPlan, held: StoredProject) -> None:
        """What is projected from iterations: read again with them, where there is any."""
        plan.lists |= {name for name in ("epics", "releases") if held.rows_count[name]}

    def _add_optional(self, plan: ProjectPlan, held: StoredProject) -> None:
        if "history_days" in self._lists:
            plan.lists.add("history_days")  # a day ends without a new version
        if self._options.iteration_analytics and not held.analytics_count:
            plan.iterations_from = 1

    def _plan_listed(self, plan: ProjectPlan, held: StoredProject, changes: Changes) -> bool:
        """Read what was updated since, and list all ids; False when that cannot be had either."""
        project_id = plan.project_id
        after = (held.known_at - _MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
        stored_ids = self._stored.story_ids(project_id)
        try:
            batch = self._stories.listed(project_id, {"updated_after": after})
            listed, requests_count = self._stories.ids(project_id)
            batch.requests_count += requests_count
            unread = (listed - stored_ids) | self._relabelled(plan)
            unread |= self._changed_ids(changes)
            self._stories.read(project_id, (unread & listed) - batch.ids, batch)
        except (NoBulk, NotFound, InvalidParameter, IncompleteList):
            return False
        plan.mode = "listed"
        plan.gone_ids = stored_ids - listed - batch.ids
        plan.given["stories"] = self._given(plan, "stories", batch.rows, batch)
        plan.transitions_after = held.known_at - _MARGIN
        plan.lists |= {"memberships", "labels", "epics", "releases", "iterations"}
        return True

    def _relabelled(self, plan: ProjectPlan) -> set[int]:
        """Stories with a label that has another name by now, or is gone: no update of theirs."""
        path = self._lists["labels"].path.format(project_id=plan.project_id)
        labels = self._intake.take("labels", self._client.get(path), plan.project_id)
        names = {each["id"]: each.get("name") for each in labels.records}
        held = self._stored.label_names(plan.project_id)
        changed = [label_id for label_id, name in held.items() if names.get(label_id) != name]
        return self._stored.stories_that_list(plan.project_id, "labels", changed)

    def _given(
        self, plan: ProjectPlan, table: str, rows: list[pa.Table], cost: Watched | Batch
    ) -> GivenRows:
        return GivenRows(table, plan.project_id, rows, cost.requests_count)


def _first_affected(held: StoredProject, instants: Iterable[datetime], named: int | None) -> int:
    """The number of the first iteration that may be another one than before."""
    starts = [start for _, start, _ in held.iterations]
    numbers = [held.current_iteration_number, *([named] if named is not None else [])]
    for instant in instants:
        index = bisect_right(starts, instant) - 1
        numbers.append(held.iterations[index][0] if index >= 0 else 1)
    return max(1, min(numbers))
