"""The raw contract: every raw table, declared once.

An API answer leaves out what is empty, so a schema inferred from data would make columns come and
go. Columns are therefore declared here, under Tracker's own names. Lists and objects inside a
record stay with it as JSON text, so that a record and its lists are replaced together.

Every table also has the columns of `ROW_COLUMNS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

ColumnType = Literal["bigint", "decimal", "double", "text", "bool", "timestamp", "date", "json"]

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bigint": pa.int64(),
    "decimal": pa.decimal128(18, 4),  # points: a custom scale may hold fractions
    "double": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),  # text, so that every destination stores the same bytes
}

_DLT_TYPES: dict[ColumnType, dict[str, Any]] = {
    "bigint": {"data_type": "bigint"},
    "decimal": {"data_type": "decimal", "precision": 18, "scale": 4},
    "double": {"data_type": "double"},
    "text": {"data_type": "text"},
    "bool": {"data_type": "bool"},
    "timestamp": {"data_type": "timestamp", "precision": 6},
    "date": {"data_type": "date"},
    "json": {"data_type": "text"},
}

ROW_COLUMNS: dict[str, ColumnType] = {
    # Fields that nobody declared, and values that did not fit their declared type, as one object.
    "extra_fields": "json",
    # Where the row was read from: api, stories_csv, history_csv, json, or activity (a story that
    # only its activities still tell of).
    "record_source": "text",
    # Archives only: the file, as it was named to the run, and the line that the row begins on.
    "source_file": "text",
    "source_line": "bigint",
    # True when the file gave days, so that the instants are local midnights of the project's zone.
    "is_date_only": "bool",
    # True orders dlt to delete the row with this key; no such row is ever stored.
    "is_removed": "bool",
}


@dataclass(frozen=True)
class Table:
    """One raw table.

    Attributes:
        name: the table's name in the dataset `pivotal_tracker_data`.
        description: what one row is, and the API path it comes from.
        key: the columns that identify a row; rows are merged on them.
        columns: declared columns and their types, in order, without `ROW_COLUMNS`.
        ignored: fields that are dropped on purpose, with the reason in a comment where declared.
        scope: the column within which one listing is whole: rows of the same scope that a whole
            listing no longer holds are removed. None: rows are never removed.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, ColumnType]
    ignored: frozenset[str] = frozenset({"kind"})
    scope: str | None = None

    @property
    def all_columns(self) -> dict[str, ColumnType]:
        """Declared columns followed by those that every raw table has."""
        return {**self.columns, **ROW_COLUMNS}

    @property
    def arrow_schema(self) -> pa.Schema:
        """The schema of every Arrow table that is handed to dlt for this table."""
        return pa.schema(
            pa.field(name, ARROW_TYPES[kind], nullable=name not in self.key)
            for name, kind in self.all_columns.items()
        )

    @property
    def dlt_columns(self) -> dict[str, dict[str, Any]]:
        """Column hints for dlt: types, nullability, and the column that orders a deletion."""
        hints: dict[str, dict[str, Any]] = {}
        for name, kind in self.all_columns.items():
            hints[name] = {**_DLT_TYPES[kind], "nullable": name not in self.key}
        hints["is_removed"]["hard_delete"] = True
        return hints


_PROJECTS = Table(
    name="projects",
    description="One row per project with its settings (`/projects`, `/projects/{id}`).",
    key=("id",),
    columns={
        "id": "bigint",
        "name": "text",
        "version": "bigint",
        "account_id": "bigint",
        "description": "text",
        "profile_content": "text",
        "status": "text",
        "project_type": "text",
        "iteration_length": "bigint",
        "week_start_day": "text",
        "point_scale": "text",
        "velocity_averaged_over": "bigint",
        "initial_velocity": "bigint",
        "number_of_done_iterations_to_show": "bigint",
        "current_iteration_number": "bigint",
        "current_velocity": "double",
        "current_standard_deviation": "double",
        "current_volatility": "double",
        "iteration_override_numbers": "json",
        "time_zone": "json",
        # Settings that an archive does not state, but its dates and estimates show.
        "inferred_fields": "json",
        # A project of other ids with the same titles: this one was imported from it, or it from it.
        "resembles_project_id": "bigint",
        "point_scale_is_custom": "bool",
        "bugs_and_chores_are_estimatable": "bool",
        "automatic_planning": "bool",
        "public": "bool",
        "enable_tasks": "bool",
        "enable_following": "bool",
        "enable_incoming_emails": "bool",
        "atom_enabled": "bool",
        "has_google_domain": "bool",
        "show_story_priority": "bool",
        "show_priority_icon": "bool",
        "show_priority_icon_in_all_panels": "bool",
        "start_date": "date",
        "start_time": "timestamp",
        "shown_iterations_start_time": "timestamp",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
)

_STORIES = Table(
    name="stories",
    description=(
        "One row per story with its lists (`/projects/{id}/stories`). A deleted story stays, "
        "with what its activities tell of it."
    ),
    key=("id",),
    columns={
        "id": "bigint",
        "project_id": "bigint",
        "name": "text",
        "description": "text",
        "story_type": "text",
        "story_priority": "text",
        "current_state": "text",
        "url": "text",
        "external_id": "text",
        "integration_id": "bigint",
        "requested_by_id": "bigint",
        "owned_by_id": "bigint",
        "before_id": "bigint",
        "after_id": "bigint",
        # As a CSV export says; for a story that is not accepted it is a forecast, not history.
        "iteration_number": "bigint",
        "estimate": "decimal",
        "points_accepted": "decimal",
        "points_total": "decimal",
        "counts_accepted": "bigint",
        "counts_total": "bigint",
        "owner_ids": "json",
        "owners": "json",
        "labels": "json",
        "follower_ids": "json",
        "comments": "json",
        "tasks": "json",
        "blockers": "json",
        "reviews": "json",
        "transitions": "json",
        "pull_requests": "json",
        "branches": "json",
        "is_deleted": "bool",
        "delete_evidence": "text",
        "deadline": "timestamp",
        "projected_completion": "timestamp",
        "accepted_at": "timestamp",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "deleted_at": "timestamp",
    },
)

_RELEASES = Table(
    name="releases",
    description="One row per release marker with its roll-ups (`/projects/{id}/releases`).",
    key=("id",),
    scope="project_id",
    columns={
        "id": "bigint",
        "project_id": "bigint",
        "name": "text",
        "description": "text",
        "current_state": "text",
        "url": "text",
        "projected_completion_interval": "text",
        "points_accepted": "decimal",
        "points_total": "decimal",
        "counts_accepted": "bigint",
        "counts_total": "bigint",
        "labels": "json",
        "story_ids": "json",
        "deadline": "timestamp",
        "projected_completion": "timestamp",
        "accepted_at": "timestamp",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
)

_LABELS = Table(
    name="labels",
    description="One row per label of a project (`/projects/{id}/labels`).",
    key=("id",),
    scope="project_id",
    columns={
        "id": "bigint",
        "project_id": "bigint",
        "name": "text",
        "counts": "json",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
)

_EPICS = Table(
    name="epics",
    description="One row per epic with its label and comments (`/projects/{id}/epics`).",
    key=("id",),
    scope="project_id",
    columns={
        "id": "bigint",
        "project_id": "bigint",
        "label_id": "bigint",
        "name": "text",
        "description": "text",
        "url": "text",
        "before_id": "bigint",
        "after_id": "bigint",
        "past_done_story_estimates": "decimal",
        "past_done_stories_count": "bigint",
        "past_done_stories_no_point_count": "bigint",
        "label": "json",
        "comments": "json",
        "projected_completion": "timestamp",
        "completed_at": "timestamp",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
)

_ITERATIONS = Table(
    name="iterations",
    description=(
        "One row per iteration: done, current, and the backlog's predicted ones "
        "(`/projects/{id}/iterations`), without the bodies of its stories."
    ),
    key=("project_id", "number"),
    scope="project_id",
    columns={
        "project_id": "bigint",
        "number": "bigint",
        "length": "bigint",
        "team_strength": "decimal",
        "velocity": "double",
        "points": "decimal",
        "accepted_points": "decimal",
        "effective_points": "double",
        "story_ids": "json",
        "analytics": "json",
        "planned": "bool",
        # An idle iteration between two that a CSV's accepted stories prove.
        "is_inferred": "bool",
        "start": "timestamp",
        "finish": "timestamp",
    },
)

_MEMBERSHIPS = Table(
    name="memberships",
    description="One row per person and project (`/projects/{id}/memberships`).",
    key=("id",),
    scope="project_id",
    columns={
        "id": "bigint",
        "project_id": "bigint",
        "person_id": "bigint",
        "role": "text",
        "project_color": "text",
        "person": "json",
        "favorite": "bool",
        "wants_comment_notification_emails": "bool",
        "will_receive_mention_notifications_or_emails": "bool",
        "last_viewed_at": "timestamp",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
)

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
    # How sure it is that a sentence of a project history was understood, 0 to 1; null elsewhere.
    "confidence": "double",
    "occurred_at": "timestamp",
}

_ACTIVITY = Table(
    name="activity",
    description=(
        "One row per activity, that is per project version (`/projects/{id}/activity`), with its "
        "changes as Tracker gave them."
    ),
    key=("guid",),
    columns=_ACTIVITY_COLUMNS,
    # The nested project is its id (a column of its own) and its name (in `projects`).
    ignored=frozenset({"project"}),
)

_MY_ACTIVITY = Table(
    name="my_activity",
    description="One row per activity in the token owner's projects (`/my/activity`).",
    key=("guid",),
    columns=_ACTIVITY_COLUMNS,
    ignored=_ACTIVITY.ignored,
)

_STORY_TRANSITIONS = Table(
    name="story_transitions",
    description="One row per change of a story's state (`/projects/{id}/story_transitions`).",
    key=("project_id", "project_version", "story_id"),
    columns={
        "project_id": "bigint",
        "project_version": "bigint",
        "story_id": "bigint",
        "state": "text",
        "performed_by_id": "bigint",
        "confidence": "double",  # as in `activity`
        "occurred_at": "timestamp",
    },
)

_ME = Table(
    name="me",
    description="One row per token that was used (`/me`), never the token itself.",
    key=("id",),
    columns={
        "id": "bigint",
        "name": "text",
        "initials": "text",
        "username": "text",
        "email": "text",
        "time_zone": "json",
        "projects": "json",
        "accounts": "json",
        "has_google_identity": "bool",
        "receives_in_app_notifications": "bool",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    ignored=frozenset({"kind", "api_token"}),  # a secret
)

_ACCOUNTS = Table(
    name="accounts",
    description="One row per account that the token sees (`/accounts`).",
    key=("id",),
    columns={
        "id": "bigint",
        "name": "text",
        "plan": "text",
        "status": "text",
        "days_left": "bigint",
        "project_ids": "json",
        "over_the_limit": "bool",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
)

_NOTIFICATIONS = Table(
    name="notifications",
    description="One row per notification of the token's owner (`/my/notifications`).",
    key=("id",),
    columns={
        "id": "bigint",
        "message": "text",
        "context": "text",
        "notification_type": "text",
        "action": "text",
        "comment_id": "bigint",
        "new_attachment_count": "bigint",
        "project": "json",
        "performer": "json",
        "story": "json",
        "epic": "json",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "read_at": "timestamp",
    },
)

_HISTORY_STATES = (
    "accepted",
    "delivered",
    "finished",
    "started",
    "rejected",
    "planned",
    "unstarted",
    "unscheduled",
)

_HISTORY_DAYS = Table(
    name="history_days",
    description=(
        "One row per project and day: Tracker's own end-of-day points and counts in each state "
        "(`/projects/{id}/history/days`)."
    ),
    key=("project_id", "date"),
    columns={
        "project_id": "bigint",
        "date": "date",
        **{f"points_{state}": "decimal" for state in _HISTORY_STATES},
        **{f"counts_{state}": "bigint" for state in _HISTORY_STATES},
    },
)

_CYCLE_TIME_DETAILS = Table(
    name="cycle_time_details",
    description=(
        "One row per story: Tracker's own cycle time, in milliseconds "
        "(`/projects/{id}/iterations/{n}/analytics/cycle_time_details`)."
    ),
    key=("story_id",),
    columns={
        "story_id": "bigint",
        "project_id": "bigint",
        "iteration_number": "bigint",
        "total_cycle_time": "bigint",
        "started_time": "bigint",
        "finished_time": "bigint",
        "delivered_time": "bigint",
        "rejected_time": "bigint",
        "started_count": "bigint",
        "finished_count": "bigint",
        "delivered_count": "bigint",
        "rejected_count": "bigint",
    },
)

_PEOPLE = Table(
    name="people",
    description=(
        "One row per person that an archive names outside a membership: a negative id made from "
        "the name where a file has only names."
    ),
    key=("id",),
    columns={
        "id": "bigint",
        "name": "text",
        "initials": "text",
        "username": "text",
        "email": "text",
    },
)

_ATTACHMENTS = Table(
    name="attachments",
    description="One row per file attached to a story in an export zip or a backup: no content.",
    key=("attachment_id",),
    columns={
        "attachment_id": "text",
        "project_id": "bigint",
        "story_id": "bigint",
        "comment_id": "bigint",
        "file_name": "text",
        "path": "text",  # inside the zip
        "content_type": "text",
        "sha256": "text",
        "bytes": "bigint",
        "created_at": "timestamp",
    },
)

_REJECTED_ROWS = Table(
    name="rejected_rows",
    description="One row per row or file of an archive that was not loaded, and why.",
    key=("rejection_id",),
    columns={
        "rejection_id": "text",
        "file": "text",
        "line": "bigint",  # null: the whole file
        "column_name": "text",
        "value": "text",  # at most 200 characters of it
        "reason": "text",
        "as_of": "timestamp",
    },
)

_ARCHIVE_FILES = Table(
    name="archive_files",
    description="One row per file of an archive that was read: what it is, and what became of it.",
    key=("file",),
    columns={
        "file": "text",
        "file_kind": "text",  # stories_csv, history_csv, json, sqlite
        "encoding": "text",
        "project_id": "bigint",
        "rows_count": "bigint",
        "rejected_count": "bigint",
        "bytes": "bigint",
        "is_whole": "bool",  # nothing was rejected, so that what it lacks was not there
        "as_of": "timestamp",
    },
)

_EXTRACTS = Table(
    name="extracts",
    description="One row per run of ingestion: what was read, from where, as of when.",
    key=("extract_id",),
    columns={
        "extract_id": "text",
        "source_kind": "text",  # api, demo or archive
        "source_name": "text",  # base URL, or the path of an archive
        "extract_mode": "text",  # full or incremental
        "project_ids": "json",
        "requests_count": "bigint",
        "records_count": "bigint",
        "records_by_table": "json",
        "skipped": "json",  # what could not be read, and why
        "as_of": "timestamp",
        "started_at": "timestamp",
        "ended_at": "timestamp",
    },
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _PROJECTS,
        _ME,
        _ACCOUNTS,
        _MEMBERSHIPS,
        _LABELS,
        _EPICS,
        _STORIES,
        _RELEASES,
        _ITERATIONS,
        _ACTIVITY,
        _MY_ACTIVITY,
        _STORY_TRANSITIONS,
        _NOTIFICATIONS,
        _HISTORY_DAYS,
        _CYCLE_TIME_DETAILS,
        _PEOPLE,
        _ATTACHMENTS,
        _REJECTED_ROWS,
        _ARCHIVE_FILES,
        _EXTRACTS,
    )
}
