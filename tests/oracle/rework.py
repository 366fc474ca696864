"""The rework marts, recomputed in plain Python from the event log by the documented rules."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from simulator.instants import local_date
from tests.support import oracle


def reported_values(workspace):
    """The values of story fields in activities, in order: {(story_id, field): [(at, value)]}."""
    reported = defaultdict(list)
    for activity in workspace.activities:
        for change in activity.changes:
            if change.kind == "story" and change.new:
                for field, value in change.new.items():
                    reported[change.id, field].append((activity.occurred_at, value))
    return reported


def value_at(reported, story_id, field, at):
    """The last value reported up to an instant; before the creation, the initial value."""
    at = max([at, *(reported_at for reported_at, _ in reported[story_id, "name"][:1])])
    values = [value for reported_at, value in reported[story_id, field] if reported_at <= at]
    return values[-1] if values else None


def points(value):
    return None if value is None else Fraction(str(value))


def performers(workspace):
    """Who changed a story's state: {(story_id, occurred_at, project_version): person}."""
    return {
        (row.story_id, row.occurred_at, row.project_version): row.performed_by_id
        for row in workspace.transitions
    } | {
        (change.id, activity.occurred_at, activity.project_version): activity.performed_by_id
        for activity in workspace.activities
        for change in activity.changes
        if change.kind == "story"
    }


def decisions(workspace, as_of, state):
    """Yield (history, index of the event, columns of both marts) for each entry into a state."""
    reported, people = reported_values(workspace), performers(workspace)
    for story_id, history in oracle.histories(workspace, as_of).items():
        story = history.story
        if story.story_type == "release":
            continue
        zone = workspace.projects[story.project_id].time_zone
        for index, event in enumerate(history.events):
            if event.state == state:
                yield (
                    history,
                    index,
                    {
                        "story_id": story_id,
                        "project_id": story.project_id,
                        "by": people.get((story_id, event.at, event.version)),
                        "story_type": value_at(reported, story_id, "story_type", event.at),
                        "estimate": points(value_at(reported, story_id, "estimate", event.at)),
                        "is_deleted": story.deleted_at is not None,
                        "date": local_date(event.at, zone),
                    },
                )


def renamed(row, **names):
    return {names.get(key, key): value for key, value in row.items()}


def first(events, state):
    return next((event.at for event in events if event.state == state), None)


def last(events, state):
    return first(reversed(events), state)


def gap(begin, end):
    return None if begin is None or end is None else end - begin


def rejections(workspace, as_of):
    """Rows of `fct_rejection` by story and number."""
    rows = {}
    for history, index, row in decisions(workspace, as_of, "rejected"):
        events = history.events
        earlier = [i for i in range(index) if events[i].state == "rejected"]
        later = [i for i in range(index + 1, len(events)) if events[i].state == "rejected"]
        before = events[earlier[-1] + 1 if earlier else 0 : index]
        after = events[index + 1 : later[0] if later else len(events)]
        at = events[index].at
        is_unaccept = events[index - 1].state == "accepted" if index else None
        delivered, accepted = last(before, "delivered"), first(after, "accepted")
        restarted, redelivered = first(after, "started"), first(after, "delivered")
        fix = gap(restarted, redelivered)
        outcome = "deleted" if row["is_deleted"] else "open"
        if accepted is not None or later:
            outcome = "rejected_again" if accepted is None else "accepted"
        row |= {
            "outcome": outcome,
            "delivered_to_rejected_seconds": gap(delivered, at) if is_unaccept is False else None,
            "rejected_to_restarted_seconds": gap(at, restarted),
            "restarted_to_redelivered_seconds": None if fix is None or fix < 0 else fix,
            "is_unaccept": is_unaccept,
            "delivered_at": delivered,
            "rejected_at": at,
            "restarted_at": restarted,
            "redelivered_at": redelivered,
            "accepted_at": accepted,
        }
        key = (row["story_id"], len(earlier) + 1)
        rows[key] = renamed(row, by="rejected_by_id", date="rejected_date")
    return rows


def acceptances(workspace, as_of):
    """Rows of `fct_acceptance` by story and number."""
    people = performers(workspace)
    rows = {}
    for history, index, row in decisions(workspace, as_of, "accepted"):
        events = history.events
        states = [event.state for event in events[:index]]
        decided = [i for i, state in enumerate(states) if state in ("accepted", "rejected")]
        delivered = last(events[decided[-1] + 1 if decided else 0 : index], "delivered")
        at = events[index].at
        undoing = events[index + 1] if index + 1 < len(events) else None
        if undoing is not None and undoing.state == "accepted":
            undoing = None
        undone_at = undoing and undoing.at
        row |= {
            "undone_by_id": undoing and people.get((row["story_id"], undoing.at, undoing.version)),
            "undone_to_state": undoing and undoing.state,
            "earlier_rejection_count": states.count("rejected"),
            "delivered_to_accepted_seconds": gap(delivered, at),
            "accepted_to_undone_seconds": gap(at, undone_at),
            "is_first_pass": not decided,
            "is_undone": undoing is not None,
            "delivered_at": delivered,
            "accepted_at": at,
            "undone_at": undone_at,
        }
        key = (row["story_id"], states.count("accepted") + 1)
        rows[key] = renamed(row, by="accepted_by_id", date="accepted_date")
    return rows


def estimate_changes(workspace, as_of):
    """Rows of `fct_estimate_change` by key."""
    histories = oracle.histories(workspace, as_of)
    rows = {}
    for activity in workspace.activities:
        for index, change in enumerate(activity.changes, 1):
            if change.kind != "story" or change.change_type != "update":
                continue
            history = histories[change.id]
            is_gone = history.story.deleted_at is not None
            if "estimate" not in change.new or history.story.story_type == "release":
                continue
            if is_gone and activity.occurred_at > history.story.deleted_at:
                continue
            before = points(change.original.get("estimate"))
            after = points(change.new["estimate"])
            if before != after:
                now = (activity.occurred_at, activity.project_version)
                past = [e.state for e in history.events if (e.at, e.version) < now]
                rows[f"{activity.guid}-{index}"] = {
                    "activity_id": activity.guid,
                    "story_id": change.id,
                    "project_id": history.story.project_id,
                    "performed_by_id": activity.performed_by_id,
                    "story_type": history.story.story_type,
                    "story_state": past[-1] if past else None,
                    "phase": phase(past),
                    "from_estimate": before,
                    "to_estimate": after,
                    "points_added": None if None in (before, after) else after - before,
                    "is_deleted": is_gone,
                    "occurred_at": activity.occurred_at,
                }
    return rows


def phase(past):
    if past and past[-1] == "accepted":
        return "after_accept"
    is_started = any(state in (*oracle.IN_PROGRESS, "accepted") for state in past)
    return "after_start" if is_started else "before_start"
