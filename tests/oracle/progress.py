"""The progress of epics and releases, recomputed in plain Python from the event log."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction

from simulator.instants import local_date
from tests.support import oracle

IN_PROGRESS = ("started", "finished", "delivered", "rejected")
HORIZON_WEEKS = 520


def epics(workspace, as_of, iterations):
    """Rows of `fct_epic_progress`, by epic id."""
    paces, started_at = _paces(workspace, as_of, iterations), _first_starts(workspace, as_of)
    rows = {}
    for epic in workspace.epics.values():
        stories = [each for each in workspace.stories.values() if epic.label_id in each.label_ids]
        project = workspace.projects[epic.project_id]
        rows[epic.id] = _progress(workspace, project, stories, paces[project.id], started_at, as_of)
        rows[epic.id]["epic_name"] = epic.name
    return rows


def releases(workspace, as_of, iterations):
    """Rows of `fct_release_progress`, by release id."""
    paces, started_at = _paces(workspace, as_of, iterations), _first_starts(workspace, as_of)
    rows = {}
    for release in workspace.stories.values():
        if release.story_type != "release":
            continue
        project = workspace.projects[release.project_id]
        stories = _above(workspace, project, release)
        row = _progress(workspace, project, stories, paces[project.id], started_at, as_of)
        row |= {
            "release_name": release.name,
            "membership_source": "marker",
            "accepted_at": release.accepted_at,
            "deadline_date": None,
            "projected_late_days": None,
            "is_projected_late": None,
        }
        if release.deadline is not None:
            row["deadline_date"] = local_date(release.deadline, project.time_zone)
            if row["projected_date"] is not None:
                late = (row["projected_date"] - row["deadline_date"]).days
                row["projected_late_days"], row["is_projected_late"] = late, late > 0
        rows[release.id] = row
    return rows


def order(project):
    """Ids of the stories in priority order: accepted ones, oldest first, then the backlog."""
    return [story_id for _, story_id in project.accepted] + project.active


def _above(workspace, project, release):
    """The stories between the previous marker and this one; none if it is in the icebox."""
    above = []
    for story_id in order(project):
        if story_id == release.id:
            return above
        story = workspace.stories[story_id]
        above = [] if story.story_type == "release" else [*above, story]
    return []


def backlog(workspace, project):
    """The stories of the backlog, in order."""
    placed = [workspace.stories[story_id] for story_id in project.active]
    return [story for story in placed if story.story_type != "release"]


def queue(workspace, project, stories):
    """The open stories up to the last of the given ones, in backlog order; the icebox is last."""
    open_ids = {each.id for each in stories if each.current_state != "accepted"}
    waiting = backlog(workspace, project)
    icebox = open_ids - {each.id for each in waiting}
    if icebox:
        return waiting + [workspace.stories[each] for each in sorted(icebox)]
    last = max((index for index, each in enumerate(waiting) if each.id in open_ids), default=-1)
    return waiting[: last + 1]


def _progress(workspace, project, stories, pace, started_at, as_of):
    stories = [each for each in stories if each.story_type != "release"]
    done = [each for each in stories if each.current_state == "accepted"]
    left = [each for each in stories if each.current_state != "accepted"]
    waiting = queue(workspace, project, stories)
    starts = [started_at[each.id] for each in stories if each.id in started_at]
    velocity, volatility = pace
    today = local_date(as_of, project.time_zone)
    planned = backlog(workspace, project)
    work = points(waiting) if left and planned else 0
    row = {
        "project_id": project.id,
        "story_count": len(stories),
        "accepted_story_count": len(done),
        "remaining_story_count": len(left),
        "unscheduled_story_count": _count(left, "unscheduled"),
        "unstarted_story_count": _count(left, "unstarted", "planned"),
        "in_progress_story_count": _count(left, *IN_PROGRESS),
        "unknown_story_count": 0,
        "unestimated_story_count": sum(each.estimate is None for each in left),
        "queued_story_count": len(waiting),
        "total_points": points(stories),
        "accepted_points": points(done),
        "remaining_points": points(left),
        "queued_points": points(waiting),
        "accepted_story_share": len(done) / len(stories) if stories else None,
        "accepted_points_share": float(points(done) / points(stories)) if points(stories) else None,
        "velocity_per_week": velocity,
        "velocity_volatility": volatility,
        "first_started_at": min(starts, default=None),
        "last_accepted_at": max((each.accepted_at for each in done), default=None),
    }
    for name, factor in (("early_projected_date", 1), ("late_projected_date", -1)):
        known = None not in (velocity, volatility)
        rate = velocity * (1 + factor * volatility) if known else None
        row[name] = _done_on(today, work, rate)
    row["projected_date"] = _done_on(today, work, velocity)
    row["gap_reason"] = None if stories else "no stories"
    if left and row["projected_date"] is None:
        row["gap_reason"] = "beyond the horizon" if velocity else "no velocity"
        if not points(waiting):
            row["gap_reason"] = "no points in the queue"
        if not planned:
            row["gap_reason"] = "nothing planned"
    return row


def _done_on(today, work, rate):
    if not work or rate is None or rate <= 0 or work > rate * HORIZON_WEEKS:
        return None
    return today + timedelta(days=math.ceil(round(float(work) * 7 / rate, 9)))


def points(stories):
    return sum((Fraction(str(each.estimate or 0)) for each in stories), Fraction(0))


def _count(stories, *states):
    return sum(each.current_state in states for each in stories)


def _first_starts(workspace, as_of):
    """When each story first was in progress: {story_id: seconds}."""
    return {
        story_id: min(event.at for event in history.events if event.state in IN_PROGRESS)
        for story_id, history in oracle.histories(workspace, as_of).items()
        if any(event.state in IN_PROGRESS for event in history.events)
    }


def _paces(workspace, as_of, iterations):
    """Weekly velocity and volatility of each project's last done iteration."""
    paces = dict.fromkeys(workspace.projects, (None, None))
    rows = oracle.iteration_velocity(workspace, as_of, iterations).values()
    for row in sorted(rows, key=lambda each: each["iteration_number"]):
        if row["is_done"]:
            paces[row["project_id"]] = row["velocity_per_week"], row["velocity_volatility"]
    return paces
