"""Projects, and their accounts, memberships and people."""

from __future__ import annotations

from ingest.tables.table import Table

PROJECTS = Table(
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
        # The names of settings that were inferred from the dates and estimates in an archive.
        "inferred_fields": "json",
        # A project with the same story titles under other ids: one was imported from the other.
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

ME = Table(
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

ACCOUNTS = Table(
    name="accounts",
    description="One row per account that the token can see (`/accounts`).",
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

MEMBERSHIPS = Table(
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

NOTIFICATIONS = Table(
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

PEOPLE = Table(
    name="people",
    description=(
        "One row per person that an archive names outside a membership. The id is negative and "
        "derived from the name if the file has only names."
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
