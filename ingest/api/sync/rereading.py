"""Decide which stories, lists and iterations of a changed project are read again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

from ingest.api.context import ReadContext
from ingest.api.http.errors import IncompleteList, InvalidParameter, NotFound
from ingest.api.lists.catalogue import TrackerList
from ingest.api.sync.activity_log import ProjectLog
from ingest.api.sync.changed_stories import BulkNotSupported, StoryBatch, StoryReader
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import NESTED_LISTS, ProjectPlan
from ingest.records import Record
from ingest.warehouses.stored import StoredProject, plan_settings

_MARGIN = timedelta(minutes=1)  # a record may be visible only some time after its timestamp
_FEW = 500  # up to this number, stories are read by id even if they are most of the project


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

    def complete(self, plan: ProjectPlan, log: ProjectLog | None) -> None:
        """Decide what is read again, and read the changed stories.

        Args:
            plan: the project's plan, which is completed.
            log: its activities, if they were read.

        Raises:
            TrackerError: if the project cannot be read.
        """
        stored = self._stored.projects.get(plan.project_id)
        if stored is None:
            return
        if plan.mode == "changed" and log is not None:
            plan.changes = log.changes
            self._plan_changed(plan, stored, log)
        elif plan.mode == "clock":
            plan.iterations_from = stored.current_iteration_number
            self._add_projected(plan, stored)
        if plan.mode != "full":
            self._add_optional(plan, stored)

    def _plan_changed(self, plan: ProjectPlan, stored: StoredProject, log: ProjectLog) -> None:
        plan.add_rows("activity", log.rows, log.requests_count)
        if log.changes.unclear:
            plan.reason = f"{log.changes.unclear} does not say what it changed"
        elif log.is_complete:
            self._plan_stories(plan, stored, log.changes)
            return
        else:
            plan.reason = f"the activities since version {stored.version} are incomplete"
            if self._plan_listed(plan, stored, log.changes):
                return
        plan.mode = "full"
        plan.given.clear()

    def _plan_stories(self, plan: ProjectPlan, stored: StoredProject, changes: Changes) -> None:
        project_id = plan.project_id
        changed_ids = self._changed_ids(changes)
        stored_ids = self._stored.story_ids(project_id)
        batch = StoryBatch()
        reads_all = len(changed_ids) > max(_FEW, len(stored_ids) // 2)
        try:
            if not reads_all:
                batch = self._stories.read(project_id, changed_ids)
        except BulkNotSupported:
            reads_all = True
        if reads_all:
            plan.lists |= {"stories", "releases"}
            plan.iterations_from = 1
        else:
            missing = changed_ids - batch.ids - changes.moved_away().keys()
            # If the version is the same, nothing has happened since: the stories were deleted.
            if batch.version in (None, changes.newest) and not batch.refused_count:
                plan.missing_ids = missing & stored_ids
            plan.missing_ids |= changes.moved_away().keys() & stored_ids
        plan.add_rows("stories", batch.rows, batch.requests_count)
        self._plan_transitions(plan, stored, changes, batch)
        self._plan_iterations(plan, stored, changes, batch)
        self._plan_lists(plan, stored, changes, batch, changed_ids)

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
        self, plan: ProjectPlan, stored: StoredProject, changes: Changes, batch: StoryBatch
    ) -> None:
        """Use the transitions in the changed stories, or else read the list of transitions.

        Transitions are not nested in lists of stories. A story that was moved to another project
        may not be read there, but its transitions remain in this project.
        """
        left = changes.moved_away().keys()
        is_listed = "stories" in plan.lists or not batch.has_transitions
        if is_listed or left & changes.state_changed_ids:
            plan.transitions_after = (changes.earliest_at or stored.known_at) - _MARGIN
        elif batch.transition_rows:
            plan.add_rows("story_transitions", batch.transition_rows)

    def _plan_iterations(
        self, plan: ProjectPlan, stored: StoredProject, changes: Changes, batch: StoryBatch
    ) -> None:
        project = self._projects[plan.project_id]
        current = project.get("current_iteration_number")
        has_new_plan = (
            bool(changes.plan_ids)
            or changes.are_all_iterations_moved
            or changes.iterations_from is not None
            or current != stored.current_iteration_number
        )
        if plan_settings(project) != stored.plan_settings or changes.are_all_iterations_moved:
            plan.iterations_from = 1
        elif has_new_plan and plan.iterations_from is None:
            instants = {*changes.accepted_at, *self._stored.accepted_at(changes.plan_ids).values()}
            instants |= {at for key, at in batch.accepted_at.items() if key in changes.plan_ids}
            plan.iterations_from = _first_affected(stored, instants, changes.iterations_from)
        if self._options.iteration_analytics and has_new_plan:
            plan.iterations_from = 1

    def _plan_lists(
        self,
        plan: ProjectPlan,
        stored: StoredProject,
        changes: Changes,
        batch: StoryBatch,
        changed_ids: set[int],
    ) -> None:
        plan.lists |= changes.lists & {"memberships", *NESTED_LISTS}
        has_releases = bool(stored.rows_count["releases"] or batch.release_ids)
        if plan.iterations_from is not None:
            self._add_projected(plan, stored)
            plan.lists |= {"labels", "releases"} if has_releases else {"labels"}
        is_relabelled = bool(changes.label_ids) and has_releases
        is_of_release = bool(
            batch.release_ids or self._stored.releases_among(changed_ids | changes.deleted_ids)
        )
        if "releases" in changes.lists or is_relabelled or is_of_release:
            plan.lists.add("releases")

    def _add_projected(self, plan: ProjectPlan, stored: StoredProject) -> None:
        """Read epics and releases again: their projections depend on iterations."""
        plan.lists |= {name for name in ("epics", "releases") if stored.rows_count[name]}

    def _add_optional(self, plan: ProjectPlan, stored: StoredProject) -> None:
        if "history_days" in self._lists:
            plan.lists.add("history_days")  # a day ends without a new version
        if self._options.iteration_analytics and not stored.analytics_count:
            plan.iterations_from = 1

    def _plan_listed(self, plan: ProjectPlan, stored: StoredProject, changes: Changes) -> bool:
        """Read the stories updated since, and list all ids; False if the host does not allow it."""
        project_id = plan.project_id
        after = (stored.known_at - _MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
        stored_ids = self._stored.story_ids(project_id)
        try:
            batch = self._stories.listed(project_id, {"updated_after": after})
            listed, requests_count = self._stories.ids(project_id)
            batch.requests_count += requests_count
            unread = (listed - stored_ids) | self._relabelled(plan)
            unread |= self._changed_ids(changes)
            self._stories.read(project_id, (unread & listed) - batch.ids, batch)
        except (BulkNotSupported, NotFound, InvalidParameter, IncompleteList):
            return False
        plan.mode = "listed"
        plan.missing_ids = stored_ids - listed - batch.ids
        plan.add_rows("stories", batch.rows, batch.requests_count)
        plan.transitions_after = stored.known_at - _MARGIN
        plan.lists |= {"memberships", "labels", "epics", "releases", "iterations"}
        return True

    def _relabelled(self, plan: ProjectPlan) -> set[int]:
        """Stories with a label that was renamed or deleted, which does not update the stories."""
        path = self._lists["labels"].path.format(project_id=plan.project_id)
        labels = self._intake.take("labels", self._client.get(path), plan.project_id)
        names = {each["id"]: each.get("name") for each in labels.records}
        stored_names = self._stored.label_names(plan.project_id)
        changed = [key for key, name in stored_names.items() if names.get(key) != name]
        return self._stored.stories_that_list(plan.project_id, "labels", changed)


def _first_affected(stored: StoredProject, instants: Iterable[datetime], named: int | None) -> int:
    """The number of the first iteration that may have changed."""
    starts = [start for _, start, _ in stored.iterations]
    numbers = [stored.current_iteration_number, *([named] if named is not None else [])]
    for instant in instants:
        index = bisect_right(starts, instant) - 1
        numbers.append(stored.iterations[index][0] if index >= 0 else 1)
    return max(1, min(numbers))
