"""The main marts, recomputed in plain Python from the demo's own event log.

This is written from the mart contract alone, independently of the models: simple loops over stories
and iterations, no SQL. A mart is right if both agree, cell by cell.

Timestamps are seconds since the epoch; `fractions.Fraction` keeps points exact.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from simulator.instants import local_date

IN_PROGRESS = ("started", "finished", "delivered", "rejected")
TIMED = ("started", "finished", "delivered", "rejected")


@dataclass(frozen=True)
class Event:
    """A story's entry into a state; `is_known` if a source states the transition."""

    state: str
    at: int
    version: int
    is_known: bool = True


@dataclass
class History:
    """A story's events until `end` (its deletion or `as_of`)."""

    story: object
    events: list[Event]
    end: int

    def intervals(self):
        """Yield (state, entered, left) of each state interval; the last one ends at `end`."""
        ends = [*(event.at for event in self.events[1:]), self.end]
        for event, left in zip(self.events, ends, strict=False):  # there may be no events
            yield event.state, event.at, left

    def seconds_in(self, states):
        return sum(left - entered for state, entered, left in self.intervals() if state in states)

    def first_entry(self, state):
        return next((event.at for event in self.events if event.state == state), None)

    def entries(self, state):
        return sum(event.state == state for event in self.events)


def histories(workspace, as_of):
    """The history until `as_of` of every story ever created: {story_id: History}."""
    events = defaultdict(dict)
    # Activities are in the order in which they happened, also within a second in two projects.
    places = {}
    for place, activity in enumerate(workspace.activities):
        places[activity.project_id, activity.project_version] = place
        for change in activity.changes:
            if change.kind == "story" and change.new and "current_state" in change.new:
                at, state = activity.occurred_at, change.new["current_state"]
                events[change.id][place] = Event(state, at, activity.project_version)
                if is_created_accepted(change):
                    accepted_at = change.new["accepted_at"]
                    events[change.id][place] = Event(state, accepted_at, 0, is_known=False)
    for row in workspace.transitions:
        place = places[row.project_id, row.project_version]
        events[row.story_id][place] = Event(row.state, row.occurred_at, row.project_version)

    result = {}
    for story in [*workspace.stories.values(), *workspace.deleted_stories.values()]:
        known = sorted(
            (events[story.id][key] for key in sorted(events[story.id])), key=lambda each: each.at
        )
        end = as_of if story.deleted_at is None else min(story.deleted_at, as_of)
        # A change in the same second as a deletion happened before it.
        gone_at = math.inf if story.deleted_at is None else story.deleted_at
        known = [event for event in known if event.at <= as_of and event.at <= gone_at]
        if (
            story.current_state == "accepted"
            and (not known or known[-1].state != "accepted")
            and story.accepted_at <= gone_at
        ):
            known.append(Event("accepted", story.accepted_at, 0, is_known=False))
        result[story.id] = History(story, known, end)
    return result


def is_created_accepted(change):
    """Whether a change creates or imports an accepted story, accepted at its `accepted_at`."""
    return (
        change.kind == "story"
        and change.change_type == "create"
        and change.new.get("current_state") == "accepted"
    )


def iteration_of(iterations, instant):
    """The iteration whose [start, finish) contains an instant, or None."""
    for iteration in iterations:
        if iteration["start"] <= instant < iteration["finish"]:
            return iteration
    return None


def key_of(project_id, iteration):
    return f"{project_id}-{iteration['number']}"


def story_cycle_time(workspace, as_of, iterations):
    """Rows of `fct_story_cycle_time`, by story id. iterations: {project_id: [iteration]}."""
    rows = {}
    for story_id, history in histories(workspace, as_of).items():
        story = history.story
        if story.story_type == "release":
            continue
        is_accepted = story.current_state == "accepted"
        accepted_at = story.accepted_at if is_accepted else None
        was_in_progress = any(event.state in IN_PROGRESS for event in history.events)
        iteration = accepted_at and iteration_of(iterations[story.project_id], accepted_at)
        row = {
            "project_id": story.project_id,
            "story_type": story.story_type,
            "current_state": story.current_state,
            "estimate": None if story.estimate is None else Fraction(str(story.estimate)),
            "created_at": story.created_at,
            "accepted_at": accepted_at,
            "iteration_key": key_of(story.project_id, iteration) if iteration else None,
            "is_accepted": is_accepted,
            "is_deleted": story.deleted_at is not None,
            "deleted_at": story.deleted_at,
            "cycle_time_seconds": history.seconds_in(IN_PROGRESS) if was_in_progress else None,
            "elapsed_cycle_time_seconds": None,
            "lead_time_seconds": None,
            "unaccepted_count": sum(
                state == "accepted" and index + 1 < len(history.events)
                for index, (state, _, _) in enumerate(history.intervals())
            ),
            "history_coverage": coverage(history),
            "first_in_progress_at": next(
                (event.at for event in history.events if event.state in IN_PROGRESS), None
            ),
            "is_withdrawn": is_withdrawn(history),
            "withdrawn_at": withdrawn_at(history),
        }
        for state in (*TIMED, "accepted"):
            row[f"first_{state}_at"] = history.first_entry(state)
        for state in TIMED:
            row[f"{state}_seconds"] = history.seconds_in((state,))
            row[f"{state}_count"] = history.entries(state)
        if was_in_progress:
            row["elapsed_cycle_time_seconds"] = elapsed(history, is_accepted)
        if accepted_at is not None and accepted_at >= story.created_at:
            row["lead_time_seconds"] = accepted_at - story.created_at
        rows[story_id] = row
    return rows


def is_withdrawn(history):
    """Whether work had begun, and the story waits again or was deleted before its acceptance."""
    story = history.story
    if not any(event.state in IN_PROGRESS for event in history.events):
        return False
    if story.deleted_at is not None and story.current_state != "accepted":
        return True
    return story.current_state in ("unscheduled", "unstarted", "planned")


def withdrawn_at(history):
    """When the story last left a state in progress or accepted, if it is withdrawn."""
    if not is_withdrawn(history):
        return None
    return max(
        left
        for state, _, left in history.intervals()
        if state in IN_PROGRESS or state == "accepted"
    )


def coverage(history):
    known = [event for event in history.events if event.is_known]
    if not known:
        return "none"
    return "complete" if known[-1].state == history.story.current_state else "partial"


def elapsed(history, is_accepted):
    begun = min(event.at for event in history.events if event.state in IN_PROGRESS)
    if not is_accepted:
        return history.end - begun
    # Accepted now but without an entry into accepted: its accepted_at is after its deletion.
    entries = [event.at for event in history.events if event.state == "accepted"]
    return max(entries) - begun if entries and max(entries) >= begun else None


def iteration_velocity(workspace, as_of, iterations):
    """Rows of `fct_iteration_velocity`, by iteration key."""
    cycle_times = story_cycle_time(workspace, as_of, iterations)
    accepted = defaultdict(list)
    bugs = defaultdict(int)
    for story_id, row in cycle_times.items():
        if row["is_deleted"]:
            continue
        if row["iteration_key"]:
            accepted[row["iteration_key"]].append(story_id)
        created_in = iteration_of(iterations[row["project_id"]], row["created_at"])
        if row["story_type"] == "bug" and created_in:
            bugs[key_of(row["project_id"], created_in)] += 1

    rows = {}
    for project_id, listed in iterations.items():
        project = workspace.projects[project_id]
        done, previous = [], project.initial_velocity
        for iteration in sorted(listed, key=lambda each: each["number"]):
            if iteration["start"] > as_of:
                continue
            key = key_of(project_id, iteration)
            stories = [cycle_times[story_id] for story_id in accepted[key]]
            is_done = iteration["finish"] <= as_of
            row = _iteration_row(project_id, iteration, stories, as_of)
            row["bug_created_count"] = bugs[key]
            row["planned_velocity"] = previous
            if is_done:
                done.append((row["accepted_points"], row["team_strength"], row["length_weeks"]))
                row |= _velocity(done[-project.velocity_averaged_over :], project)
                previous = row["velocity"]
            rows[key] = row
    return rows


def _iteration_row(project_id, iteration, stories, as_of):
    by_type = {
        kind: [row for row in stories if row["story_type"] == kind]
        for kind in ("feature", "bug", "chore")
    }
    rejectable = by_type["feature"] + by_type["bug"]
    rejected = sum(row["rejected_count"] > 0 for row in rejectable)
    times = [row["cycle_time_seconds"] for row in stories if row["cycle_time_seconds"] is not None]
    return {
        "project_id": project_id,
        "iteration_number": iteration["number"],
        "starts_at": iteration["start"],
        "finishes_at": iteration["finish"],
        "length_weeks": iteration["length"],
        "team_strength": Fraction(str(iteration["team_strength"])),
        "is_done": iteration["finish"] <= as_of,
        "is_current": iteration["start"] <= as_of < iteration["finish"],
        "accepted_points": sum((row["estimate"] or Fraction(0) for row in stories), Fraction(0)),
        "accepted_story_count": len(stories),
        "accepted_feature_count": len(by_type["feature"]),
        "accepted_bug_count": len(by_type["bug"]),
        "accepted_chore_count": len(by_type["chore"]),
        # Tracker's API gives the history of every story.
        "history_known_story_count": len(stories),
        "rejectable_story_count": len(rejectable),
        "history_known_rejectable_story_count": len(rejectable),
        "velocity_per_week": None,
        "velocity": None,
        "velocity_volatility": None,
        "rejected_story_count": rejected,
        "rejection_rate": rejected / len(rejectable) if rejectable else None,
        "median_cycle_time_seconds": statistics.median(times) if times else None,
    }


def _velocity(window, project):
    counted = [(points, strength, weeks) for points, strength, weeks in window if strength != 0]
    if not counted:
        return {"velocity": project.initial_velocity}
    weeks = sum(length for _, _, length in counted)
    per_week = sum(points / strength for points, strength, _ in counted) / weeks
    rates = [points / strength / length for points, strength, length in counted]
    mean = sum(rates) / len(rates)
    volatility = None
    if len(rates) >= 2 and mean != 0:
        variance = sum((rate - mean) ** 2 for rate in rates) / len(rates)
        volatility = math.sqrt(variance) / float(mean)
    has_points = any(points for points, _, _ in counted)
    velocity = math.floor(per_week * project.iteration_length)
    return {
        "velocity_per_week": float(per_week),
        "velocity": velocity if has_points else project.initial_velocity,
        "velocity_volatility": volatility,
    }


def activity(workspace):
    """Rows of `fct_activity`, by activity id."""
    rows = {}
    for each in workspace.activities:
        kind, number = each.primary[0] if each.primary else (None, None)
        rows[each.guid] = {
            "project_id": each.project_id,
            "project_version": each.project_version,
            "activity_kind": each.kind,
            "occurred_at": each.occurred_at,
            "occurred_date": local_date(
                each.occurred_at, workspace.projects[each.project_id].time_zone
            ),
            "performed_by_id": each.performed_by_id,
            "primary_resource_kind": kind,
            "primary_resource_id": None if kind == "iteration" else number,
            "story_id": number if kind == "story" else None,
            "change_count": len(each.changes),
            "is_state_change": any(
                change.kind == "story" and change.new and "current_state" in change.new
                for change in each.changes
            ),
            "highlight": each.highlight,
        }
    return rows


def project(workspace, as_of, iterations):
    """Rows of `dim_project`, by project id."""
    cycle_times = story_cycle_time(workspace, as_of, iterations)
    velocities = iteration_velocity(workspace, as_of, iterations)
    rows = {}
    for each in workspace.projects.values():
        stories = [
            row
            for row in cycle_times.values()
            if row["project_id"] == each.id and not row["is_deleted"]
        ]
        accepted = [row for row in stories if row["is_accepted"]]
        done = [
            row for row in velocities.values() if row["project_id"] == each.id and row["is_done"]
        ]
        last = max(done, key=lambda row: row["iteration_number"], default=None)
        current = iteration_of(iterations[each.id], as_of)
        instants = [item.occurred_at for item in workspace.activities if item.project_id == each.id]
        rows[each.id] = {
            "project_name": each.name,
            "account_id": each.account_id,
            "time_zone": each.time_zone,
            "week_start_day": each.week_start_day,
            "iteration_length_weeks": each.iteration_length,
            "velocity_averaged_over": each.velocity_averaged_over,
            "initial_velocity": each.initial_velocity,
            "point_scale": each.point_scale,
            "is_point_scale_custom": each.point_scale_is_custom,
            "estimates_bugs_and_chores": each.bugs_and_chores_are_estimatable,
            "is_automatic_planning": each.automatic_planning,
            "is_public": each.public,
            "project_type": each.project_type,
            "created_at": each.created_at,
            "current_iteration_number": current["number"] if current else None,
            "current_velocity": last["velocity"] if last else each.initial_velocity,
            "story_count": len(stories),
            "accepted_story_count": len(accepted),
            "accepted_points": sum(
                (row["estimate"] or Fraction(0) for row in accepted), Fraction(0)
            ),
            "member_count": sum(
                membership.role != "inactive" for membership in each.memberships.values()
            ),
            "first_activity_at": min(instants, default=None),
            "last_activity_at": max(instants, default=None),
            "as_of": as_of,
        }
    return rows
