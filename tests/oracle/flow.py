"""The flow marts, recomputed from the event log by their stated rules: loops, no SQL."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from ingest.demo.instants import DAY, local_date, start_of_week

WINDOWS = {"all_time": None, "last_180_days": 180, "last_90_days": 90}
TYPES = ("feature", "bug", "chore")


def accepted(stories):
    """The rows of `story_cycle_time` that are accepted now."""
    return [row for row in stories.values() if row["is_accepted"] and not row["is_deleted"]]


def throughput(workspace, starts, stories, as_of):
    """Rows of `fct_throughput` by key. starts: each project's `start_time`, in seconds."""
    rows = {}
    for project in workspace.projects.values():
        today = local_date(as_of, project.time_zone)
        week = start_of_week(
            local_date(starts[project.id], project.time_zone), project.week_start_day
        )
        while week <= today:
            for kind in TYPES:
                rows[project.id, kind, week] = {
                    "story_count": 0,
                    "unestimated_story_count": 0,
                    "points": Fraction(0),
                    "is_complete": week + timedelta(days=6) < today,
                }
            week += timedelta(days=7)
    for story in accepted(stories):
        project = workspace.projects[story["project_id"]]
        day = local_date(story["accepted_at"], project.time_zone)
        row = rows[project.id, story["story_type"], start_of_week(day, project.week_start_day)]
        row["story_count"] += 1
        row["unestimated_story_count"] += story["estimate"] is None
        row["points"] += story["estimate"] or 0
    return rows


def percentile(values, percent):
    """The smallest value that at least so many per cent do not exceed; None of fewer than five."""
    if len(values) < 5:
        return None
    return min(
        value
        for value in values
        if sum(other <= value for other in values) * 100 >= percent * len(values)
    )


def cycle_time_percentiles(workspace, stories, as_of):
    """Rows of `fct_cycle_time_percentile` by key."""
    rows = {}
    for project_id in workspace.projects:
        for kind in ("all", *TYPES):
            for window, days in WINDOWS.items():
                times = [
                    row["cycle_time_seconds"]
                    for row in accepted(stories)
                    if row["project_id"] == project_id
                    and kind in ("all", row["story_type"])
                    and row["cycle_time_seconds"] is not None
                    and (days is None or as_of - row["accepted_at"] < days * DAY)
                ]
                rows[project_id, kind, window] = {
                    "window_days": days,
                    "story_count": len(times),
                    **{f"p{each}_seconds": percentile(times, each) for each in (50, 70, 85, 95)},
                }
    return rows
