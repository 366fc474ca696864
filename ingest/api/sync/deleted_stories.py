"""Handle stored stories that their project no longer has.

If an activity records the deletion, the stored row is not changed: the dbt models use the activity.
A story that was moved to a project that is not read is removed, as if it had never been loaded. Any
other missing story is marked as deleted, with the list of stories as the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.errors import UnauthorizedOperation
from ingest.api.sync.activity_log import ProjectLog, read_project_log
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import ProjectPlan
from ingest.records import marked_deleted, removal_rows
from ingest.tables import TABLES


class DeletedStories:
    """Finds out why projects no longer have stored stories."""

    def __init__(
        self, context: ReadContext, as_of: datetime, plans: dict[int, ProjectPlan]
    ) -> None:
        """Prepare to find out.

        Args:
            context: for reading activities, if they are needed.
            as_of: the time at which the stories were listed.
            plans: how the projects were read; empty if everything was read.
        """
        self._client = context.client
        self._stored = context.stored
        self._intake = context.intake
        self._keys = context.keys
        self._project_ids = set(context.workspace.names)
        self._as_of = as_of
        self._plans = plans
        deleted = [plan.changes.deleted_ids for plan in plans.values() if plan.changes]
        self._deleted_by_activities: set[int] = set().union(*deleted)
        self._read_ids = {story_id for (story_id,) in context.keys.read_anywhere("stories")}

    def rows(self, project_id: int) -> Iterator[pa.Table]:
        """Rows of `stories` for stored stories that a project no longer has."""
        plan = self._plans.get(project_id)
        missing = set(plan.missing_ids) if plan else set()
        listed = self._keys.all_keys("stories", project_id)
        if listed is not None and project_id in self._stored.known_ids:
            missing |= self._stored.story_ids(project_id) - {story_id for (story_id,) in listed}
        missing -= self._read_ids | self._deleted_by_activities
        if missing:
            missing -= self._stored.deleted_by_activities(missing)
        changes = plan.changes if plan else None
        if missing and changes is None:
            changes = self._changes(project_id)
            missing -= changes.deleted_ids
        moves = changes.moved_away() if changes else {}
        left = {key for key in missing & moves.keys() if moves[key] not in self._project_ids}
        if left:
            yield removal_rows(TABLES["stories"], sorted((key,) for key in left))
        unexplained = missing - moves.keys()
        if unexplained:
            yield marked_deleted(self._stored.story_rows(unexplained), "listing", self._as_of)

    def _changes(self, project_id: int) -> Changes:
        """The changes in the project's activities since the last sync, as far as available."""
        stored = self._stored.projects.get(project_id)
        log = ProjectLog(Changes(project_id, stored.version if stored else 0), 0)
        if stored:
            path = f"/projects/{project_id}/activity"
            with suppress(UnauthorizedOperation):
                read_project_log(self._client, path, project_id, log, self._intake)
        return log.changes
