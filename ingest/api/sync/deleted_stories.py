"""Stories that the warehouse holds and their project no longer has.

What an activity tells to be deleted is left as it is: dbt learns it from there. A story that moved
to a project that is not read is removed, as a first load would not know it. What just is no longer
there is kept, as deleted, with the listing as the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.http.errors import UnauthorizedOperation
from ingest.api.intake import Intake
from ingest.api.lists.listed_keys import ListedKeys
from ingest.api.sync.activity_log import Watched, read_project_log
from ingest.api.sync.changes import Changes
from ingest.api.sync.project_plans import ProjectPlan
from ingest.records import removal_rows
from ingest.tables import TABLES
from ingest.warehouses.stored import Stored

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient


class GoneStories:
    """Says what becomes of stories that are gone from projects."""

    def __init__(
        self,
        client: TrackerClient,
        stored: Stored,
        as_of: datetime,
        intake: Intake,
        keys: ListedKeys,
        plans: dict[int, ProjectPlan],
        project_ids: set[int],
    ) -> None:
        """Prepare to tell.

        Args:
            client: asked for activities when nothing else says where a story went.
            stored: what the warehouse holds.
            as_of: the instant of the listing.
            intake: takes in records.
            keys: which stories were read in this run.
            plans: how the projects were read; none when everything was.
            project_ids: the projects that are read.
        """
        self._client = client
        self._stored = stored
        self._as_of = as_of
        self._intake = intake
        self._keys = keys
        self._plans = plans
        self._project_ids = project_ids
        told = [plan.changes.deleted_ids for plan in plans.values() if plan.changes]
        self._told_deleted: set[int] = set().union(*told)
        self._here = {story_id for (story_id,) in keys.read_anywhere("stories")}

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
        gone = gone_ids - self._here - self._told_deleted
        if gone:
            gone -= self._stored.told_deleted(gone)
        if gone and changes is None:
            changes = self._changes(project_id)
            gone -= changes.deleted_ids
        moves = changes.moved_away() if changes else {}
        left = {key for key in gone & moves.keys() if moves[key] not in self._project_ids}
        if left:
            yield removal_rows(TABLES["stories"], sorted((key,) for key in left))
        unexplained = gone - moves.keys()
        if unexplained:
            yield _deleted(self._stored.story_rows(unexplained), self._as_of)

    def _changes(self, project_id: int) -> Changes:
        """What the project's activities since the last sync tell, as far as they reach back."""
        held = self._stored.projects.get(project_id)
        watched = Watched(Changes(project_id, held.version if held else 0), 0)
        if held:
            path = f"/projects/{project_id}/activity"
            with suppress(UnauthorizedOperation):
                read_project_log(self._client, path, project_id, watched, self._intake)
        return watched.changes


def _deleted(rows: pa.Table, as_of: datetime) -> pa.Table:
    values = {"is_deleted": True, "delete_evidence": "listing", "deleted_at": as_of}
    for name, value in values.items():
        index = rows.schema.get_field_index(name)
        column = pa.array([value] * rows.num_rows, rows.schema.field(index).type)
        rows = rows.set_column(index, rows.schema.field(index), column)
    return rows
