"""Iterations, and Tracker's own daily history and cycle times."""

from __future__ import annotations

from ingest.tables.table import Table

ITERATIONS = Table(
    name="iterations",
    description=(
        "One row per iteration: done, current, and predicted for the backlog "
        "(`/projects/{id}/iterations`). Stories are stored as ids only."
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
        # An iteration without accepted stories, inferred from those before and after it in a CSV.
        "is_inferred": "bool",
        "start": "timestamp",
        "finish": "timestamp",
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

HISTORY_DAYS = Table(
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

CYCLE_TIME_DETAILS = Table(
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
