"""The flow marts, recomputed in plain Python from the event log by the documented rules."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise, product

from simulator.entities import STATES
from simulator.instants import DAY, local_date, local_midnight, start_of_week
from tests.support import oracle

WINDOWS = {"all_time": None, "last_180_days": 180, "last_90_days": 90}
TYPES = ("feature", "bug", "chore")
MEASURES = ("cycle_time", "elapsed_cycle_time", "lead_time")


def accepted(stories):
    """The rows of `story_cycle_time` of stories that are accepted now."""
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
                    "started_story_count": 0,
                    "withdrawn_story_count": 0,
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
    for story in stories.values():
        project = workspace.projects[story["project_id"]]
        for column, instant in (
            ("started_story_count", story["first_in_progress_at"]),
            ("withdrawn_story_count", story["withdrawn_at"]),
        ):
            if instant is not None:
                week = start_of_week(local_date(instant, project.time_zone), project.week_start_day)
                if (project.id, story["story_type"], week) in rows:  # it may be an older project's
                    rows[project.id, story["story_type"], week][column] += 1
    for row in rows.values():
        row["net_flow_count"] = row["started_story_count"] - row["story_count"]
    return rows


def percentile(values, percent):
    """The discrete percentile of the values; None if there are fewer than five."""
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
    for project_id, measure, kind, (window, days) in product(
        workspace.projects, MEASURES, ("all", *TYPES), WINDOWS.items()
    ):
        times = [
            row[f"{measure}_seconds"]
            for row in accepted(stories)
            if row["project_id"] == project_id
            and kind in ("all", row["story_type"])
            and row[f"{measure}_seconds"] is not None
            and (days is None or as_of - row["accepted_at"] < days * DAY)
        ]
        seconds = {each: percentile(times, each) for each in (50, 70, 85, 95)}
        rows[project_id, measure, kind, window] = {
            "window_days": days,
            "story_count": len(times),
            **{f"p{each}_seconds": time for each, time in seconds.items()},
            **{
                f"p{each}_days": time if time is None else -(-time // DAY)
                for each, time in seconds.items()
            },
        }
    return rows


def cycle_times_by_estimate(stories):
    """Rows of `fct_cycle_time_by_estimate` by key."""
    times = defaultdict(list)
    for row in accepted(stories):
        if row["estimate"] is not None and row["cycle_time_seconds"] is not None:
            times[row["project_id"], row["estimate"]].append(row["cycle_time_seconds"])
    return {
        key: {
            "story_count": len(values),
            **{f"p{each}_seconds": percentile(values, each) for each in (50, 70, 85, 95)},
        }
        for key, values in times.items()
    }


def weekly_measures(workspace, stories, weeks, days):
    """The points of the XmR charts: {(project_id, measure): {week: value}}.

    weeks: rows of `throughput`; days: rows of `flow_daily`. Complete weeks only.
    """
    points = defaultdict(lambda: defaultdict(int))
    for (project_id, _, week), row in weeks.items():
        if row["is_complete"]:
            points[project_id, "throughput"][week] += row["story_count"]
    for (project_id, measure), of_weeks in list(points.items()):
        if measure == "throughput":
            for week in of_weeks:
                points[project_id, "work_in_progress"][week] = sum(
                    days[project_id, state, week + timedelta(days=6)]["story_count"]
                    for state in oracle.IN_PROGRESS
                )
    times = defaultdict(list)
    for row in accepted(stories):
        project = workspace.projects[row["project_id"]]
        day = local_date(row["accepted_at"], project.time_zone)
        week = start_of_week(day, project.week_start_day)
        if row["cycle_time_seconds"] is not None and week in points[project.id, "throughput"]:
            times[project.id, week].append(row["cycle_time_seconds"])
    for (project_id, week), values in times.items():
        points[project_id, "cycle_time"][week] = sum(values) // len(values)
    return points


def process_limits(points):
    """Rows of `fct_process_limit` by key. points: see `weekly_measures`."""
    rows = {}
    for (project_id, measure), by_week in points.items():
        weeks = sorted(by_week)
        for number, week in enumerate(weeks):
            value = by_week[week]
            before = [by_week[each] for each in weeks[:number]]
            baseline = before[-26:]
            row = {
                "measured_value": float(value),
                "moving_range": float(abs(value - before[-1])) if before else None,
                "baseline_point_count": len(baseline),
                "baseline_mean": None,
                "lower_limit": None,
                "upper_limit": None,
                "range_limit": None,
                "limit_signal": None,
                "is_range_signal": None,
            }
            if len(baseline) >= 8:
                mean = statistics.mean(baseline)
                spread = statistics.mean(abs(one - two) for one, two in pairwise(baseline))
                lower, upper = max(0, mean - 2.66 * spread), mean + 2.66 * spread
                row |= {
                    "baseline_mean": float(mean),
                    "mean_moving_range": float(spread),
                    "lower_limit": float(lower),
                    "upper_limit": float(upper),
                    "range_limit": 3.268 * spread,
                    "limit_signal": "above"
                    if value > upper
                    else "below"
                    if value < lower
                    else "none",
                    "is_range_signal": abs(value - before[-1]) > 3.268 * spread,
                }
            rows[project_id, measure, week] = row
    return rows


def age_at_last_exit(history, state):
    """Seconds in progress up to the last exit from a state; None if the story was never in it."""
    age, found = 0, None
    for each, entered, left in history.intervals():
        if each in oracle.IN_PROGRESS:
            age += left - entered
            found = age if each == state else found
    return found


def open_blockers(story):
    return [blocker for blocker in story.blockers if not blocker.resolved]


def wip_aging(workspace, stories, as_of):
    """Rows of `fct_wip_aging` by story id."""
    histories = oracle.histories(workspace, as_of)
    rows = {}
    for story_id, row in stories.items():
        if row["is_deleted"] or row["current_state"] not in oracle.IN_PROGRESS:
            continue
        history = histories[story_id]
        zone = workspace.projects[row["project_id"]].time_zone
        begun = next(e.at for e in history.events if e.state in oracle.IN_PROGRESS)
        alike = {
            other: each
            for other, each in stories.items()
            if each["is_accepted"]
            and not each["is_deleted"]
            and (each["project_id"], each["story_type"]) == (row["project_id"], row["story_type"])
        }
        times = [each["cycle_time_seconds"] for each in alike.values()]
        times = [each for each in times if each is not None]
        exits = [age_at_last_exit(histories[other], row["current_state"]) for other in alike]
        exits = [each for each in exits if each is not None]
        share = None
        if len(times) >= 5:
            share = sum(each <= row["cycle_time_seconds"] for each in times) / len(times)
        blockers = open_blockers(history.story)
        owners = sorted(workspace.people[each].name for each in history.story.owner_ids)
        rows[story_id] = {
            "project_id": row["project_id"],
            "story_name": history.story.name,
            "story_type": row["story_type"],
            "current_state": row["current_state"],
            "owner_names": ", ".join(owners) or None,
            "risk": None if share is None else risk(share),
            "estimate": row["estimate"],
            "open_age_days": (local_date(as_of, zone) - local_date(row["created_at"], zone)).days,
            "age_seconds": row["cycle_time_seconds"],
            "age_days": (local_date(as_of, zone) - local_date(begun, zone)).days + 1,
            "state_age_seconds": as_of - history.events[-1].at,
            "rejected_count": row["rejected_count"],
            "compared_story_count": len(times),
            "age_percentile": share,
            "state_compared_story_count": len(exits) or None,
            "state_p50_age_seconds": percentile(exits, 50),
            "state_p85_age_seconds": percentile(exits, 85),
            "open_blocker_count": len(blockers),
            "is_blocked": bool(blockers),
            "first_in_progress_at": begun,
            "state_entered_at": history.events[-1].at,
            "blocked_since_at": min((each.created_at for each in blockers), default=None),
        }
    return rows


def risk(share):
    return "low" if share < 0.5 else "medium" if share < 0.85 else "high"


def blocked_spans(workspace, as_of):
    """(from, until) of each blocker by story id; it ends at its last resolution or `as_of`."""
    resolved_at = {}
    for activity in workspace.activities:
        for change in activity.changes:
            if change.kind == "blocker" and change.new and change.new.get("resolved"):
                resolved_at[change.id] = activity.occurred_at
    return {
        story.id: [
            (each.created_at, resolved_at[each.id] if each.resolved else as_of)
            for each in story.blockers
        ]
        for story in workspace.stories.values()
    }


def flow_efficiency(workspace, stories, as_of):
    """Rows of `fct_flow_efficiency` by story id; time in `started` is split at blockers."""
    histories = oracle.histories(workspace, as_of)
    spans = blocked_spans(workspace, as_of)
    rows = {}
    for story_id, row in stories.items():
        if row["is_deleted"] or row["cycle_time_seconds"] is None:
            continue
        blocked = sum(
            covered(spans[story_id], entered, left)
            for state, entered, left in histories[story_id].intervals()
            if state == "started"
        )
        waits = {f"{each}_seconds": row[f"{each}_seconds"] for each in oracle.TIMED[1:]}
        active = row["started_seconds"] - blocked
        total = row["cycle_time_seconds"]
        rows[story_id] = waits | {
            "project_id": row["project_id"],
            "story_type": row["story_type"],
            "current_state": row["current_state"],
            "estimate": row["estimate"],
            "active_seconds": active,
            "waiting_seconds": total - active,
            "blocked_seconds": blocked,
            "flow_efficiency": active / total if total else None,
            "blocker_count": len(spans[story_id]),
            "undated_blocker_count": 0,
            "is_accepted": row["is_accepted"],
            "accepted_at": row["accepted_at"],
        }
    return rows


def covered(spans, begin, end):
    """The number of seconds of [begin, end) that are covered by the spans."""
    cuts = sorted({begin, end, *(cut for span in spans for cut in span if begin < cut < end)})
    return sum(
        later - cut
        for cut, later in zip(cuts, cuts[1:], strict=False)
        if any(start <= cut < stop for start, stop in spans)
    )


def age(history, at):
    """Seconds that a story had been in progress at an instant."""
    return sum(
        min(left, at) - entered
        for state, entered, left in history.intervals()
        if state in oracle.IN_PROGRESS and entered < at
    )


def flow_daily(workspace, starts, as_of):
    """Rows of `fct_flow_daily` by key, replayed from the workspace's own log of daily totals.

    The simulator logs every change of a total (`Project.flow`, the basis of `history/days`);
    releases are excluded. A story created or imported as accepted is moved to its accepted_at,
    with an estimate that it got in the same second.
    Ages are added up one by one, over the stories that the log has in the state.
    """
    rows = {}
    histories = oracle.histories(workspace, as_of)
    imported = {
        change.id: change.new["accepted_at"]
        for activity in workspace.activities
        for change in activity.changes
        if oracle.is_created_accepted(change)
    }
    booked_at = {
        id(change): imported[story.id]
        for story in [*workspace.stories.values(), *workspace.deleted_stories.values()]
        for number, change in enumerate(story.flow)
        if story.id in imported
        and change.occurred_at == story.created_at
        and (number == 0 or change.from_state == change.to_state == "accepted")
    }
    for project in workspace.projects.values():
        zone = project.time_zone
        day = local_date(starts[project.id], zone)
        today = local_date(as_of, zone)
        pending = sorted(
            (booked_at.get(id(change), change.occurred_at), number, change)
            for number, change in enumerate(project.flow)
        )
        totals = {state: [0, Fraction(0)] for state in STATES}
        states = {}
        while day <= today:
            while pending and local_date(pending[0][0], zone) <= day:
                *_, change = pending.pop(0)
                for state, sign, worth in (
                    (change.from_state, -1, change.from_points),
                    (change.to_state, 1, change.to_points),
                ):
                    if state is not None:
                        totals[state][0] += sign
                        totals[state][1] += sign * Fraction(str(worth))
                states[change.story_id] = change.to_state
            ends_at = min(local_midnight(day + timedelta(days=1), zone), as_of)
            for state, (count, worth) in totals.items():
                is_in_progress = state in oracle.IN_PROGRESS
                ages = [
                    age(histories[each], ends_at)
                    for each in (states if is_in_progress else ())
                    if states[each] == state
                ]
                rows[project.id, state, day] = {
                    "story_count": count,
                    "points": worth,
                    "aged_story_count": len(ages) if is_in_progress else None,
                    "total_age_seconds": sum(ages) if is_in_progress else None,
                    "is_complete": day < today,
                }
            day += timedelta(days=1)
    return rows
