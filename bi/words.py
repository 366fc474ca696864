"""How numbers, dates and column names are displayed, consistently everywhere."""

from __future__ import annotations

from datetime import date

# Headings of columns whose name with spaces would not be clear.
_LABELS = {
    "age_days": "Age",
    "arrived_count": "Started",
    "by_date": "By the end of",
    "change_count": "Changes",
    "changed_at": "When",
    "changed_by": "Who",
    "comment_count": "Comments",
    "compared_count": "Compared",
    "current_state": "State",
    "cycle_days": "Cycle time",
    "deadline_date": "Deadline",
    "decided_count": "Forecasts that are over",
    "finished_count": "Accepted",
    "finding_count": "Findings",
    "first_date": "First day",
    "first_points": "Points on entry",
    "flow_date": "Day",
    "held_share": "Came true",
    "in_state_days": "Time in this state",
    "iteration_count": "Iterations",
    "iteration_number": "Iteration",
    "label_names": "Labels",
    "last_date": "Last day",
    "last_points": "Points at the end",
    "lead_days": "Lead time",
    "likely_50_count": "At least (50 % likely)",
    "likely_85_count": "At least (85 % likely)",
    "likely_95_count": "At least (95 % likely)",
    "member_count": "Members",
    "net_count": "Started minus accepted",
    "owner_names": "Owners",
    "p50_date": "50 % likely by",
    "p50_days": "Half at most",
    "p85_date": "85 % likely by",
    "p85_days": "85 % at most",
    "p95_date": "95 % likely by",
    "plan_name": "Plan",
    "row_count": "Rows",
    "rejection_count": "Rejections",
    "rejection_rate": "Rejected",
    "rule_description": "Problem",
    "say_do_ratio": "Accepted of committed",
    "signal": "Week",
    "spent_days": "In progress for",
    "start_date": "First day",
    "story_count": "Stories",
    "story_id": "Number",
    "story_name": "Story",
    "story_state": "State",
    "story_type": "Type",
    "target_share": "Forecast probability",
    "transition_count": "State changes",
    "verdict": "Outlook",
    "week_start_date": "Week of",
    "wip_points": "Points in progress",
    "wip_story_count": "Stories in progress",
    "within_50_days": "50 % within",
    "within_85_days": "85 % within",
    "within_95_days": "95 % within",
}
_ENDINGS = ("_date", "_at", "_days", "_share", "_ratio", "_rate", "_count", "_points", "_number")


def kind(column: str) -> str:
    """The kind of a column's values, such as date, instant, days, share, count, points or text."""
    if column.startswith(("is_", "has_")):
        return "yes"
    if column == "points" or column.endswith(("_points", "estimate", "velocity")):
        return "points"
    if column.endswith(("_share", "_ratio", "_rate", "volatility", "efficiency", "_percentile")):
        return "share"
    for ending, name in (
        ("_date", "date"),
        ("_month", "month"),
        ("_at", "instant"),
        ("days", "days"),
        ("_count", "count"),
        ("_number", "whole"),
        ("percentile", "whole"),
        ("_id", "whole"),
    ):
        if column.endswith(ending):
            return name
    return "text"


def label(column: str) -> str:
    """A column's heading: `first_started_at` is 'First started', `cycle_days` is 'Cycle time'."""
    if column in _LABELS:
        return _LABELS[column]
    bare = column.removeprefix("is_").removeprefix("has_")
    for ending in _ENDINGS:
        bare = bare.removesuffix(ending)
    if column.endswith("_story_count"):
        bare = bare.removesuffix("_story") + " stories"
    if column.endswith("_points"):
        bare += " points"
    return (bare or column).replace("_", " ").strip().capitalize()


def heading(column: str) -> str:
    """The heading with its unit."""
    return f"{label(column)} (days)" if kind(column) == "days" else label(column)


def count(number: float, noun: str) -> str:
    """`1 story`, `12 stories`, `1,204 points`."""
    if number == 1:
        return f"1 {noun}"
    if noun == "person":
        return f"{number:,.0f} people"
    plural = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{number:,.10g} {plural}" if number == int(number) else f"{number:,.1f} {plural}"


def days(number: float) -> str:
    """`40 minutes`, `5 hours`, `3.4 days`, `16 days`, rounded to a useful precision."""
    if number < 1 / 24:
        return count(round(number * 1440), "minute")
    if number < 1:
        return count(round(number * 24), "hour") if number < 23.5 / 24 else "1 day"
    return count(round(number, 1 if number < 10 else 0), "day")


def share(number: float) -> str:
    """`85 %`."""
    return f"{number * 100:.0f} %"


def day(value: date) -> str:
    """`8 Apr 2025`."""
    return f"{value.day} {value:%b %Y}"


def change(now: float, before: float, unit: str) -> str:
    """How a figure changed: `up from 11 days`."""
    if now == before:
        return f"unchanged from {unit}"
    return f"{'up' if now > before else 'down'} from {unit}"
