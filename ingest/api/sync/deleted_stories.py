"""Stories that the warehouse holds and their project no longer has.

What an activity tells to be deleted is left as it is: dbt learns it from there. A story that moved
to a project that is not read is removed, as a first load would not know it. What just is no longer
there is kept, as deleted, with the listing as the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import pyarrow as pa

from ingest.api.context import ReadContext
from ingest.api.http.errors import UnauthorizedOperation
from ingest.api.sync.activity_log import Watched, read_project_log
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import ProjectPlan
from ingest.records import marked_deleted, removal_rows
from ingest.tables import TABLES


class DeletedStories:
    """Finds out what became of stored stories that projects no longer have."""

    def __init__(
        self, context: ReadContext, as_of: datetime, plans: dict[int, ProjectPlan]
    ) -> None:
        """Prepare to explain.

        Args:
            context: activities are asked for when nothing else says where a story went.
            as_of: the instant of the listing.
            plans: how the projects were read; none when everything was.
        """
        self._client = context.client
        self._stored = context.stored
        self._intake = context.intake
        self._keys = context.keys
        self._project_ids = set(context.workspace.names)
        self._as_of = as_of
        self._plans = plans
        told = [plan.changes.deleted_ids for plan in plans.values() if plan.changes]
        self._deleted_by_activities: set[int] = set().union(*told)
        self._here = {story_id for (story_id,) in context.keys.read_anywhere("stories")}

    def rows(self, project_id: int) -> Iterator[pa.Table]:
        """Rows of `stories` for stored stories that `project_id` no longer has."""
        plan = self._plans.get(project_id)
        gone = set(plan.gone_ids) if plan else set()
        listed = self._keys.whole("stories", project_id)
        if listed is not None and project_id in self._stored.known_ids:
            gone |= self._stored.story_ids(project_id) - {story_id for (story_id,) in listed}
        if gone:
            yield from self._explained(project_id, gone, plan.changes if plan else None)

    def _explained(
        self, project_id: int, gone_ids: set[int], changes: Changes | None
    ) -> Iterator[pa.Table]:
        """Find out where stories went that are gone from `project_id`."""
        gone = gone_ids - self._here - self._deleted_by_activities
        if gone:
            gone -= self._stored.deleted_by_activities(gone)
        if gone and changes is None:
            changes = self._changes(project_id)
            gone -= changes.deleted_ids
        moves = changes.moved_away() if changes else {}
        left = {key for key in gone & moves.keys() if moves[key] not in self._project_ids}
        if left:
            yield removal_rows(TABLES["stories"], sorted((key,) for key in left))
        unexplained = gone - moves.keys()
        if unexplained:
            yield marked_deleted(self._stored.story_rows(unexplained), "listing", self._as_of)

    def _changes(self, project_id: int) -> Changes:
        """What the project's activities since the last sync tell, as far as they reach back."""
        held = self._stored.projects.get(project_id)
        watched = Watched(Changes(project_id, held.version if held else 0), 0)
        if held:
            path = f"/projects/{project_id}/activity"
            with suppress(UnauthorizedOperation):
                read_project_log(self._client, path, project_id, watched, self._intake)
        return watched.changes
