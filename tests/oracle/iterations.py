"""The scope of iterations, recomputed in plain Python from the event log."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from simulator.instants import local_date, local_midnight
from tests.oracle.flow import percentile
from tests.oracle.versions import at_instant, before_instant, points
from tests.support import oracle

WORKING = (*oracle.IN_PROGRESS, "planned")
NEVER = float("inf")


@dataclass(frozen=True)
class ScopeInterval:
    """An interval `[since, until)` of an iteration in which a story is in scope, in one state."""

    state: str
    accepted_at: int | None
    since: int
    until: int


class StateLookup:
    """Looks up a story's state and project at an instant."""

    def __init__(self, workspace, as_of, versions):
        self.histories = oracle.histories(workspace, as_of)
        self.versions = versions
        self.reported = {
            (change.id, activity.occurred_at): change.new["accepted_at"]
            for activity in workspace.activities
            for change in activity.changes
            if change.kind == "story" and change.new and change.new.get("accepted_at")
        }

    def event(self, story_id, instant):
        """The last entry into a state up to an instant, if the story exists then."""
        history = self.histories[story_id]
        events = [event for event in history.events if event.at <= instant]
        return events[-1] if events and instant < self.end(story_id) else None

    def end(self, story_id):
        """When it was deleted; otherwise it still exists at as_of."""
        history = self.histories[story_id]
        return NEVER if history.story.deleted_at is None else history.end

    def project(self, story_id, instant):
        return at_instant(self.versions[story_id], instant)["project_id"]

    def instants(self, story_id):
        """The instants at which its state or project changed."""
        history = self.histories[story_id]
        since = {version.since for version in self.versions[story_id]}
        return since | {event.at for event in history.events} | {self.end(story_id)}

    def accepted_at(self, story_id, event):
        return self.reported.get((story_id, event.at), event.at)

    def next_work(self, story_id, instant):
        """When it was next started, planned or accepted."""
        later = [
            event.at
            for event in self.histories[story_id].events
            if event.at > instant and event.state in (*oracle.IN_PROGRESS, "accepted")
        ]
        return min(later, default=NEVER)


def planned(lookup, story_ids, iteration, room, project_id, places):
    """The backlog stories that automatic planning had put into the iteration at its start."""
    start, backlog, total = iteration["start"], [], Fraction(0)
    for story_id in story_ids:
        event = lookup.event(story_id, start)
        if event is None or lookup.project(story_id, start) != project_id:
            continue
        worth = points(at_instant(lookup.versions[story_id], start)) or Fraction(0)
        if event.state in oracle.IN_PROGRESS:
            total += worth
        elif event.state == "unstarted":
            place = places.get(story_id, (NEVER, NEVER))
            backlog.append((lookup.next_work(story_id, start), *place, story_id, worth))
    taken = set()
    for *_, story_id, worth in sorted(backlog):
        if total > room or (total == room and worth):
            break
        taken.add(story_id)
        total += worth
    return taken


def scope_intervals(lookup, story_id, iteration, stop, project_id, in_plan):
    """The intervals in which the story was in the iteration's scope, in order."""
    start = iteration["start"]
    cuts = sorted({start, stop} | {at for at in lookup.instants(story_id) if start < at < stop})
    for since, until in zip(cuts, cuts[1:], strict=False):
        event = lookup.event(story_id, since)
        if event is None or lookup.project(story_id, since) != project_id:
            continue
        accepted_at = None
        if event.state == "accepted":
            accepted_at = lookup.accepted_at(story_id, event)
            if not start <= accepted_at < stop:
                continue
        elif event.state not in WORKING and not (event.state == "unstarted" and in_plan):
            continue
        yield ScopeInterval(event.state, accepted_at, since, until)


def scopes(workspace, as_of, iterations, places, versions):
    """The intervals in scope, by iteration and story: {key: {story_id: [ScopeInterval]}}."""
    lookup = StateLookup(workspace, as_of, versions)
    velocities = oracle.iteration_velocity(workspace, as_of, iterations)
    lives = {
        story_id: (min(event.at for event in history.events), history)
        for story_id, history in lookup.histories.items()
        if history.events and history.story.story_type != "release"
    }
    result = {}
    for project_id, listed in iterations.items():
        project = workspace.projects[project_id]
        own = {
            story_id: life
            for story_id, life in lives.items()
            if any(v.values["project_id"] == project_id for v in versions[story_id])
        }
        for iteration in listed:
            start, stop = iteration["start"], counted_until(iteration, as_of)
            if start > as_of:
                continue
            there = [
                story_id
                for story_id, (born, history) in own.items()
                if born < stop and lookup.end(story_id) > start and not _is_over(history, start)
            ]
            key = oracle.key_of(project_id, iteration)
            strength = Fraction(str(iteration["team_strength"]))
            room = velocities[key]["planned_velocity"] * iteration["length"] * strength
            room /= project.iteration_length
            plan = set()
            if project.automatic_planning:
                plan = planned(lookup, there, iteration, room, project_id, places)
            found = {
                story_id: list(
                    scope_intervals(lookup, story_id, iteration, stop, project_id, story_id in plan)
                )
                for story_id in there
            }
            result[key] = {
                story_id: intervals for story_id, intervals in found.items() if intervals
            }
    return result


def counted_until(iteration, as_of):
    """The end of an iteration: a done one's finish; one that is not done has none yet."""
    return iteration["finish"] if iteration["finish"] <= as_of else NEVER


def _is_over(history, start):
    last = history.events[-1]
    return last.state == "accepted" and last.at < start


def iteration_scope(iterations, as_of, in_scope, versions):
    """Rows of `fct_iteration_scope` by key."""
    rows = {}
    for project_id, listed in iterations.items():
        for iteration in listed:
            key = oracle.key_of(project_id, iteration)
            for story_id, intervals in in_scope.get(key, {}).items():
                row = _scope_row(iteration, as_of, intervals, versions[story_id])
                rows[f"{key}-{story_id}"] = {
                    "iteration_key": key,
                    "story_id": story_id,
                    "project_id": project_id,
                    **row,
                }
    return rows


def _scope_row(iteration, as_of, intervals, versions):
    start, stop = iteration["start"], counted_until(iteration, as_of)
    first, last = intervals[0], intervals[-1]
    entry_kind, source = "added", None
    if first.since == start and first.state != "accepted":
        entry_kind = "carried in" if first.state in oracle.IN_PROGRESS else "committed"
        source = "backlog order" if first.state == "unstarted" else "state"
    exit_kind, exited_at = "removed", last.until
    if last.until == stop:
        exit_kind = "spilled" if iteration["finish"] <= as_of else "open"
        exited_at = None
        if last.state == "accepted":
            exit_kind, exited_at = "accepted", last.accepted_at
    entry = at_instant(versions, first.since)
    return {
        "story_type": entry["story_type"],
        "entry_kind": entry_kind,
        "commitment_source": source,
        "exit_kind": exit_kind,
        "points_at_entry": points(entry),
        "points_at_exit": points(before_instant(versions, last.until)),
        "is_committed": source is not None,
        "is_rebuilt": source == "backlog order",
        "entered_at": first.since,
        "exited_at": exited_at,
    }


def burn(workspace, iterations, as_of, in_scope, scope, versions):
    """Rows of `fct_iteration_burn_daily` by key."""
    committed = defaultdict(list)
    for row in scope.values():
        if row["is_committed"]:
            committed[row["iteration_key"]].append(row["points_at_entry"] or 0)
    rows = {}
    for project_id, listed in iterations.items():
        zone = workspace.projects[project_id].time_zone
        for iteration in listed:
            key = oracle.key_of(project_id, iteration)
            start, stop = iteration["start"], min(iteration["finish"], as_of)
            first, day = local_date(start, zone), local_date(start, zone)
            days = (local_date(iteration["finish"], zone) - first).days
            while local_midnight(day, zone) < stop:
                ends_at = min(local_midnight(day + timedelta(days=1), zone), stop)
                number = (day - first).days + 1
                left = Fraction(days - number, days)
                rows[f"{key}-{day}"] = {
                    "iteration_key": key,
                    "day_number": number,
                    "burn_date": day,
                    "ends_at": ends_at,
                    "ideal_remaining_story_count": float(len(committed[key]) * left),
                    "ideal_remaining_points": float(sum(committed[key]) * left),
                    **_totals(
                        in_scope[key],
                        counted_until(iteration, as_of) if ends_at == stop else ends_at,
                        versions,
                    ),
                }
                day += timedelta(days=1)
    return rows


def _totals(in_scope, ends_at, versions):
    worths = {True: [], False: []}
    for story_id, intervals in in_scope.items():
        for interval in intervals:
            if interval.since < ends_at <= interval.until:
                worth = points(before_instant(versions[story_id], ends_at)) or Fraction(0)
                worths[interval.state == "accepted"].append(worth)
    return {
        "scope_story_count": len(worths[True]) + len(worths[False]),
        "accepted_story_count": len(worths[True]),
        "remaining_story_count": len(worths[False]),
        "scope_points": sum(worths[True] + worths[False], Fraction(0)),
        "accepted_points": sum(worths[True], Fraction(0)),
        "remaining_points": sum(worths[False], Fraction(0)),
    }


def velocity(workspace, iterations, as_of, scope):
    """The scope columns of `fct_iteration_velocity`, by iteration key."""
    by_key = defaultdict(list)
    for row in scope.values():
        by_key[row["iteration_key"]].append(row)
    cycle_times = defaultdict(list)
    for row in oracle.story_cycle_time(workspace, as_of, iterations).values():
        if row["iteration_key"] and not row["is_deleted"] and row["cycle_time_seconds"] is not None:
            cycle_times[row["iteration_key"]].append(row["cycle_time_seconds"])
    rows = {}
    for key, known in oracle.iteration_velocity(workspace, as_of, iterations).items():
        groups = {
            "committed": [row for row in by_key[key] if row["is_committed"]],
            "added": [row for row in by_key[key] if row["entry_kind"] == "added"],
            "removed": [row for row in by_key[key] if row["exit_kind"] == "removed"],
            "spilled": [row for row in by_key[key] if row["exit_kind"] == "spilled"],
        }
        row = {"p85_cycle_time_seconds": percentile(cycle_times[key], 85)}
        for name, group in groups.items():
            column = "points_at_exit" if name in ("removed", "spilled") else "points_at_entry"
            row[f"{name}_story_count"] = len(group)
            row[f"{name}_points"] = sum((each[column] or 0 for each in group), Fraction(0))
        carried_in = [row for row in by_key[key] if row["entry_kind"] == "carried in"]
        row["carried_in_story_count"] = len(carried_in)
        row["carried_in_points"] = sum(each["points_at_entry"] or 0 for each in carried_in)
        kept = [row for row in groups["committed"] if row["exit_kind"] == "accepted"]
        said, done = row["committed_points"], sum(each["points_at_entry"] or 0 for each in kept)
        row["say_do_ratio"] = float(done / said) if said else None
        accepted = [each for each in by_key[key] if each["exit_kind"] == "accepted"]
        closed = sum((each["points_at_exit"] or 0 for each in accepted), Fraction(0))
        row["accepted_points_as_closed"] = closed if known["is_done"] else None
        row["restated_points"] = known["accepted_points"] - closed if known["is_done"] else None
        rows[key] = row
    return rows
