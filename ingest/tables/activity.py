"""The activity log of each project, and of the token's owner."""

from __future__ import annotations

from ingest.tables.table import ColumnType, Table

_ACTIVITY_COLUMNS: dict[str, ColumnType] = {
    "guid": "text",
    "project_id": "bigint",
    "project_version": "bigint",
    "kind": "text",
    "message": "text",
    "highlight": "text",
    "performed_by_id": "bigint",
    "performed_by": "json",
    "changes": "json",
    "primary_resources": "json",
    "secondary_resources": "json",
    # For sentences of a project history: how certain the interpretation is, 0 to 1. Otherwise null.
    "confidence": "double",
    "occurred_at": "timestamp",
}

ACTIVITY = Table(
    name="activity",
    description=(
        "One row per activity, that is per project version (`/projects/{id}/activity`), with "
        "its changes in Tracker's own form. Tracker kept six months of it on most plans."
    ),
    key=("guid",),
    columns=_ACTIVITY_COLUMNS,
    # The nested project has only the id (a column of its own) and the name (see `projects`).
    ignored=frozenset({"project"}),
)

MY_ACTIVITY = Table(
    name="my_activity",
    description="One row per activity in the token owner's projects (`/my/activity`).",
    key=("guid",),
    columns=_ACTIVITY_COLUMNS,
    ignored=ACTIVITY.ignored,
)
