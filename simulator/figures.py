"""Tracker's own figures: cycle time, analytics, releases, epics, daily history.

The rules are in docs/tracker-api.md: Stories, Iterations, Velocity, History by day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from statistics import median

from simulator.counts import whole
from simulator.entities import IN_PROGRESS, FlowChange, Number, Project, Story
from simulator.instants import local_date, local_midnight
from simulator.planning import Iteration, Plan

HISTORY_STATES = (
    "accepted",
    "delivered",
    "finished",
    "started",
    "rejected",
    "planned",
    "unstarted",
    "unscheduled",
)
HISTORY_HEADER = [
    "date",
    *(f"points_{state}" for state in HISTORY_STATES),
    *(f"counts_{state}" for state in HISTORY_STATES),
]
_PROGRESS_ORDER = ("started", "finished", "delivered", "rejected")


def cycle_time_details(story: Story, now: int) -> dict[str, object]:
    """Return how long (ms) and how often a story was in each in-progress state.

    `total_cycle_time` is the sum of these times, and absent if the story was never in progress. The
    state before the first transition does not count, because Tracker has no row for it.
    """
    seconds = dict.fromkeys(_PROGRESS_ORDER, 0)
    visits = dict.fromkeys(_PROGRESS_ORDER, 0)
    rows = story.transitions
    for index, row in enumerate(rows):
        if row.state in IN_PROGRESS:
            left_at = rows[index + 1].occurred_at if index + 1 < len(rows) else now
            seconds[row.state] += left_at - row.occurred_at
            visits[row.state] += 1
    record: dict[str, object] = {"kind": "cycle_time_details"}
    if any(visits.values()):
        record["total_cycle_time"] = sum(seconds.values()) * 1000
    for state in _PROGRESS_ORDER:
        record[f"{state}_time"] = seconds[state] * 1000
        record[f"{state}_count"] = visits[state]
    record["story_id"] = story.id
    return record


def analytics(
    project_stories: Iterable[Story], iteration: Iteration, now: int
) -> dict[str, object]:
    """Return an iteration's analytics: counts, median cycle time (ms) and rejection rate (%)."""
    span = iteration.span
    ids = set(iteration.story_ids)
    accepted: list[Story] = []
    bugs_created = 0
    for story in project_stories:
        if story.story_type == "bug" and span.start <= story.created_at < span.finish:
            bugs_created += 1
        if story.id in ids and story.accepted_at is not None and story.story_type != "release":
            accepted.append(story)
    details = [cycle_time_details(story, now) for story in accepted]
    times = [each["total_cycle_time"] for each in details if "total_cycle_time" in each]
    judged = [story for story in accepted if story.story_type in {"feature", "bug"}]
    rejected = sum(any(row.state == "rejected" for row in s.transitions) for s in judged)
    record: dict[str, object] = {"kind": "analytics", "stories_accepted": len(accepted)}
    record["bugs_created"] = bugs_created
    if times:
        record["cycle_time"] = int(median(times))
    if judged:
        record["rejection_rate"] = whole(100 * rejected / len(judged))
    return record


def release_story_ids(project: Project, stories: Mapping[int, Story]) -> dict[int, list[int]]:
    """Return the stories of each release: those between the previous release and its marker."""
    covered: dict[int, list[int]] = {}
    above: list[int] = []
    for story_id in [story_id for _, story_id in project.accepted] + project.active:
        if stories[story_id].story_type == "release":
            covered[story_id], above = above, []
        else:
            above.append(story_id)
    return covered


def release_rollups(story_ids: Iterable[int], stories: Mapping[int, Story]) -> dict[str, Number]:
    """Return a release's points and counts, accepted and total."""
    covered = [stories[story_id] for story_id in story_ids]
    accepted = [story for story in covered if story.current_state == "accepted"]
    return {
        "points_accepted": whole(sum(story.points for story in accepted)),
        "points_total": whole(sum(story.points for story in covered)),
        "counts_accepted": len(accepted),
        "counts_total": len(covered),
    }


def projected_completion(plan: Plan, stories: Iterable[Story]) -> int | None:
    """Return the predicted completion of open stories: the end of their last iteration.

    `None` if there are none, or if one of them is in the icebox and so has no iteration.
    """
    open_ids = {story.id for story in stories if story.current_state != "accepted"}
    if not open_ids:
        return None
    finish, found = None, 0
    for iteration in plan.iterations[plan.current_index :]:
        here = len(open_ids.intersection(iteration.story_ids))
        if here:
            found, finish = found + here, iteration.span.finish
    return finish if found == len(open_ids) else None


def epic_progress(plan: Plan, labelled: list[Story]) -> dict[str, object]:
    """Return an epic's figures for stories accepted in done iterations."""
    before = plan.calendar.current.start
    done = [
        story
        for story in labelled
        if story.accepted_at is not None
        and story.accepted_at < before
        and story.story_type != "release"
    ]
    record: dict[str, object] = {
        "past_done_story_estimates": whole(sum(story.points for story in done)),
        "past_done_stories_count": len(done),
        "past_done_stories_no_point_count": sum(not story.points for story in done),
    }
    if labelled and all(story.accepted_at is not None for story in labelled):
        record["completed_at"] = max(story.accepted_at or 0 for story in labelled)
    completion = projected_completion(plan, labelled)
    if completion is not None:
        record["projected_completion"] = completion
    return record


def daily_history(
    flow: Iterable[FlowChange], zone_name: str, first: date, last: date
) -> dict[str, object]:
    """Return totals by state at the end of each local day from `first` to `last`.

    Args:
        flow: changes in chronological order; those before `first` are included in its totals.
        zone_name: the project's time zone.
        first: the first day with a row.
        last: the last day; today's row has the totals so far.
    """
    points: dict[str, Number] = dict.fromkeys(HISTORY_STATES, 0)
    stories: dict[str, int] = dict.fromkeys(HISTORY_STATES, 0)
    changes = sorted(flow, key=lambda change: change.occurred_at)
    position, rows = 0, []
    instants = [change.occurred_at for change in changes]
    day = first
    while day <= last:
        end = bisect_left(instants, local_midnight(day + timedelta(days=1), zone_name))
        for change in changes[position:end]:
            for state, sign, worth in (
                (change.from_state, -1, change.from_points),
                (change.to_state, 1, change.to_points),
            ):
                if state is not None:
                    stories[state] += sign
                    points[state] += sign * worth
        position = end
        rows.append([day.isoformat(), *map(float, points.values()), *stories.values()])
        day += timedelta(days=1)
    return {"kind": "daily_history_container", "header": HISTORY_HEADER, "data": rows}


def project_history(
    project: Project, now: int, first: date | None, last: date | None
) -> dict[str, object]:
    """Return a project's daily totals, by default from its first day to today."""
    today = local_date(now, project.time_zone)
    began = local_date(project.created_at, project.time_zone)
    first = max(first or began, began)
    return daily_history(project.flow, project.time_zone, first, min(last or today, today))


def iteration_history(
    project: Project, stories: Mapping[int, Story], iteration: Iteration, now: int
) -> dict[str, object]:
    """Return the daily totals of the stories in an iteration, for its days so far."""
    flow = [
        change
        for story_id in iteration.story_ids
        for change in _within(project.id, stories[story_id])
    ]
    zone_name = project.time_zone
    last = local_date(min(iteration.span.finish - 1, now), zone_name)
    return daily_history(flow, zone_name, local_date(iteration.span.start, zone_name), last)


def _within(project_id: int, story: Story) -> list[FlowChange]:
    """Return a story's changes since it last moved to its current project."""
    arrivals = [index for index, each in enumerate(story.flow) if each.from_state is None]
    return story.flow[arrivals[-1] :] if arrivals else []
