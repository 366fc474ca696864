"""Stories and their state transitions, labels, epics and release markers."""

from __future__ import annotations

from ingest.tables.table import Table

STORIES = Table(
    name="stories",
    description=(
        "One row per story with its comments, tasks, blockers, reviews, owners, labels and "
        "transitions as lists (`/projects/{id}/stories`). A deleted story is kept, with what "
        "its activities contain."
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
        # From CSV exports; for a story that is not accepted it is Tracker's prediction.
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

STORY_TRANSITIONS = Table(
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

LABELS = Table(
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

EPICS = Table(
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

RELEASES = Table(
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
