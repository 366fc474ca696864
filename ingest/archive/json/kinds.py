"""Find the raw table of a JSON object, by its `kind` or else by its fields."""

from __future__ import annotations

from typing import Any

TABLE_OF_KIND = {
    "project": "projects",
    "story": "stories",
    "release": "releases",
    "epic": "epics",
    "label": "labels",
    "iteration": "iterations",
    "project_membership": "memberships",
    "story_transition": "story_transitions",
    "cycle_time_details": "cycle_time_details",
    "daily_history_container": "history_days",
    "notification": "notifications",
    "account": "accounts",
    "me": "me",
    "person": "people",
    "comment": "comments",
    "task": "tasks",
    "blocker": "blockers",
    "review": "reviews",
    "pull_request": "pull_requests",
    "branch": "branches",
}
# Parts of stories and epics, which are stored in their record.
PARTS = frozenset({"comments", "tasks", "blockers", "reviews", "pull_requests", "branches"})

# For responses without `kind` (because of `fields=`): the first entry whose fields all occur.
_SHAPES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(fields.split()), table)
    for fields, table in (
        ("guid changes", "activity"),
        ("changes primary_resources", "activity"),
        ("id cycle_time_details", "cycle_time_details"),
        ("story_id total_cycle_time", "cycle_time_details"),
        ("header data", "history_days"),
        ("state story_id occurred_at", "story_transitions"),
        ("number start finish", "iterations"),
        ("id story_type", "stories"),
        ("id current_state", "stories"),
        ("person role", "memberships"),
        ("person_id role", "memberships"),
        ("id notification_type", "notifications"),
        ("id text story_id", "comments"),
        ("id text epic_id", "comments"),
        ("id file_attachments", "comments"),
        ("id story_id complete", "tasks"),
        ("id story_id resolved", "blockers"),
        ("id story_id review_type_id", "reviews"),
        ("id iteration_length", "projects"),
        ("id week_start_day", "projects"),
        ("id point_scale", "projects"),
        ("id name label", "epics"),
        ("id name label_id", "epics"),
        ("id name initials", "people"),
        ("id name email", "people"),
        ("id name plan status", "accounts"),
        ("id name project_id created_at", "labels"),
    )
)


def table_of(value: dict[str, Any]) -> str | None:
    """The raw table (or kind of part) of an object; None if it is not a record."""
    kind = value.get("kind")
    if isinstance(kind, str):
        if kind.endswith("_activity"):
            return "activity"
        return TABLE_OF_KIND.get(kind)
    names = value.keys()
    return next((table for fields, table in _SHAPES if fields <= names), None)


def is_stub(record: dict[str, Any]) -> bool:
    """Whether a story is a mere reference, without the fields that every story has."""
    return "current_state" not in record or "created_at" not in record


def error_of(value: dict[str, Any]) -> str | None:
    """The code of a saved error response; None for anything else."""
    if value.get("kind") == "error" or (
        isinstance(value.get("error"), str) and isinstance(value.get("code"), str)
    ):
        return str(value.get("code") or "unknown")
    return None
