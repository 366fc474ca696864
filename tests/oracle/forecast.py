"""The forecasts, recomputed from the event log by their stated rules: one path after another."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from simulator.instants import local_date
from tests.oracle import flow, progress
from tests.support import oracle

PRIME = 2**31 - 1
SEED = 20170503
TRIALS, BACKTEST_TRIALS, BACKTEST_WEEKS = 1000, 200, 104
WINDOW_WEEKS, HORIZON_WEEKS = 26, 520
PERCENTILES, HORIZONS = (50, 70, 85, 95), (4, 8, 12)
WEEK = timedelta(days=7)


def scrambled(number):
    return pow(number, 5, PRIME)


def drawn_week(project_id, cut, trial, week, week_count):
    """Which past week, counted back from the cut from 1, stands for a future week of a path."""
    number = (SEED + project_id) % PRIME
    for key in (cut.year * 10_000 + cut.month * 100 + cut.day, trial, week, week):
        number = (scrambled(number) + key) % PRIME
    return scrambled(number) % week_count + 1


@dataclass
class Stay:
    """A story in a state, in local days: there at the end of each day from `first` to `left`."""

    first: date
    left: date | None

    def holds(self, day, known=None):
        return self.first <= day and (self.left is None or self.left > (known or day))


@dataclass
class Life:
    """What the forecasts ask of a story."""

    project_id: int
    created: date
    deleted: date | None
    stays: dict[str, list[Stay]] = field(default_factory=dict)

    def was(self, state, day, known=None):
        return any(stay.holds(day, known) for stay in self.stays.get(state, ()))

    def was_open(self, day):
        is_there = self.created <= day and (self.deleted is None or self.deleted > day)
        return is_there and not self.was("accepted", day) and not self.was("unscheduled", day)


def lives(workspace, as_of):
    """Every story but the releases."""
    found = []
    for history in oracle.histories(workspace, as_of).values():
        story = history.story
        if story.story_type == "release":
            continue
        zone = workspace.projects[story.project_id].time_zone
        gone = None if story.deleted_at is None else local_date(story.deleted_at, zone)
        life = Life(story.project_id, local_date(story.created_at, zone), gone)
        for index, (state, entered, left) in enumerate(history.stays()):
            is_open = index + 1 == len(history.events) and gone is None
            if is_open and state == "accepted":
                entered = story.accepted_at
            stay = Stay(local_date(entered, zone), None if is_open else local_date(left, zone))
            if stay.left is None or stay.first < stay.left:
                life.stays.setdefault(state, []).append(stay)
        found.append(life)
    return found


def paths(project_id, cut, trials, window, need, weeks_asked):
    """Stories finished by the end of each week, path by path. window: latest week first.

    A path goes on until it has finished `need` and is as long as asked, to the horizon at most.
    """
    for trial in range(1, trials + 1):
        finished, sums = 0, []
        for week in range(1, HORIZON_WEEKS + 1):
            if finished >= need and week > weeks_asked:
                break
            finished += window[drawn_week(project_id, cut, trial, week, len(window)) - 1]
            sums.append(finished)
        yield sums


def weeks_until(sums, need):
    """The first week with so many stories finished; infinity when none has."""
    return next((week for week, done in enumerate(sums, 1) if done >= need), math.inf)


def sure_week(done_weeks, percentile):
    """The first week by which so many per cent of the paths are done, or None."""
    week = sorted(done_weeks)[math.ceil(percentile * len(done_weeks) / 100) - 1]
    return None if week == math.inf else week


def sure_count(counts, percentile):
    """The most stories that so many per cent of the paths have finished."""
    return sorted(counts, reverse=True)[math.ceil(percentile * len(counts) / 100) - 1]


@dataclass
class Cut:
    """A day to forecast from, with what was known."""

    project_id: int
    day: date
    trials: int
    window: list[int]
    first_week: date | None
    targets: dict  # (kind, id): (remaining, queued, deadline, why no date is known)

    def rows(self):
        """Yield a row per target, question, horizon and percentile."""
        asked = {("project", self.project_id, self.day + weeks * WEEK): weeks for weeks in HORIZONS}
        for (kind, number), (_, _, deadline, _) in self.targets.items():
            if deadline is not None:
                asked[kind, number, deadline] = (deadline - self.day).days // 7
        gap = self.gap()
        need = max((queued for _, queued, *_ in self.targets.values()), default=0)
        known = [] if gap else list(self.paths(need, max(asked.values())))
        for (kind, number), (_, queued, deadline, unplanned) in self.targets.items():
            weeks = [] if unplanned else [weeks_until(sums, queued) for sums in known]
            share = None
            if deadline is not None and weeks:
                share = sum(7 * each <= (deadline - self.day).days for each in weeks) / self.trials
            for percentile in PERCENTILES:
                week = sure_week(weeks, percentile) if weeks else None
                yield self.row(kind, number, "when", percentile) | {
                    "gap_reason": gap or unplanned or (None if week else "beyond the horizon"),
                    "forecast_week_count": week,
                    "forecast_date": None if week is None else self.day + week * WEEK,
                    "in_time_share": share,
                }
        for (kind, number, day), weeks in asked.items():
            reason = gap or (None if weeks >= 1 else "no week left")
            counts = [] if reason else [sums[weeks - 1] for sums in known]
            for percentile in PERCENTILES:
                yield self.row(kind, number, "how_many", percentile) | {
                    "gap_reason": reason,
                    "horizon_week_count": weeks,
                    "horizon_date": day,
                    "forecast_story_count": sure_count(counts, percentile) if counts else None,
                }

    def gap(self):
        if len(self.window) < 8:
            return "too few weeks"
        return None if sum(self.window) >= 8 else "too few accepted"

    def paths(self, need, weeks_asked):
        return paths(self.project_id, self.day, self.trials, self.window, need, weeks_asked)

    def row(self, kind, number, question, percentile):
        remaining, queued, *_ = self.targets.get((kind, number), (None, None))
        last_week = self.first_week and self.first_week + len(self.window) * WEEK
        return {
            "project_id": self.project_id,
            "target_kind": kind,
            "target_id": number,
            "question": question,
            "percentile": percentile,
            "forecast_seed": SEED,
            "trial_count": self.trials,
            "sampled_week_count": len(self.window),
            "sampled_story_count": sum(self.window),
            "remaining_story_count": remaining,
            "queued_story_count": queued,
            "horizon_week_count": None,
            "forecast_week_count": None,
            "forecast_story_count": None,
            "in_time_share": None,
            "cut_date": self.day,
            "window_from_date": self.first_week,
            "window_to_date": last_week and last_week - timedelta(days=1),
            "horizon_date": None,
            "forecast_date": None,
        }


def forecasts(workspace, as_of, iterations, starts):
    """Rows of `fct_forecast`, by key."""
    stories, weeks = lives(workspace, as_of), complete_weeks(workspace, as_of, starts)
    targets = open_targets(workspace, as_of, iterations)
    rows = {}
    for project in workspace.projects.values():
        today = local_date(as_of, project.time_zone)
        cut = cut_at(
            project.id, today - timedelta(days=1), today, stories, weeks[project.id], TRIALS
        )
        cut.targets = targets[project.id]
        for row in cut.rows():
            key = f"{row['target_kind']}-{row['target_id']}-{row['question']}-p{row['percentile']}"
            if row["target_kind"] == "project" and row["question"] == "how_many":
                key += f"-{row['horizon_week_count']}w"
            rows[key] = row
    return rows


def backtests(workspace, as_of, starts):
    """Rows of `fct_forecast_backtest`, by key."""
    stories, weeks = lives(workspace, as_of), complete_weeks(workspace, as_of, starts)
    rows = {}
    for project in workspace.projects.values():
        yesterday = local_date(as_of, project.time_zone) - timedelta(days=1)
        mine = [life for life in stories if life.project_id == project.id]
        accepted = sorted(
            stay.first
            for life in mine
            for stay in life.stays.get("accepted", ())
            if stay.left is None
        )
        for number, start in zip(count(1), weeks[project.id], strict=False):
            after = len(weeks[project.id]) - number
            if number % 4 or number < WINDOW_WEEKS or not 4 <= after <= BACKTEST_WEEKS:
                continue
            day = start + timedelta(days=6)
            cut = cut_at(project.id, day, day, stories, weeks[project.id], BACKTEST_TRIALS)
            left = sum(life.was_open(day) for life in mine)
            if left:
                cut.targets = {("project", project.id): (left, left, None, None)}
            later = [each for each in accepted if each > day]
            for row in cut.rows():
                key = f"{project.id}-{day}-{row['question']}-p{row['percentile']}"
                if row["question"] == "how_many":
                    key += f"-{row['horizon_week_count']}w"
                rows[key] = row | outcome(row, later, left, yesterday)
    return rows


def outcome(row, later, left, yesterday):
    """What became of a forecast. later: days of acceptances after its cut, in order."""
    named = row["forecast_date"] or row["horizon_date"]
    is_decided = row["gap_reason"] is None and named <= yesterday
    result = {"is_decided": is_decided, "is_held": None}
    if row["question"] == "when":
        result["actual_date"] = later[left - 1] if len(later) >= left else None
        result["actual_story_count"] = None
        if is_decided:
            result["is_held"] = sum(day <= named for day in later) >= left
    else:
        done = sum(day <= named for day in later)
        result["actual_date"] = None
        result["actual_story_count"] = done if named <= yesterday else None
        if is_decided:
            result["is_held"] = done >= row["forecast_story_count"]
    return result


def calibrations(backtest_rows):
    """Rows of `fct_forecast_calibration`, by key."""
    rows = {}
    for row in backtest_rows.values():
        key = f"{row['project_id']}-{row['question']}-p{row['percentile']}"
        if row["question"] == "how_many":
            key += f"-{row['horizon_week_count']}w"
        total = rows.setdefault(key, {"forecast_count": 0, "decided_count": 0, "held_count": 0})
        total["forecast_count"] += 1
        total["decided_count"] += row["is_decided"]
        total["held_count"] += bool(row["is_held"])
    for total in rows.values():
        decided = total["decided_count"]
        total["held_share"] = total["held_count"] / decided if decided else None
    return rows


def cut_at(project_id, day, known, stories, weeks, trials):
    window = [week for week in weeks if week + timedelta(days=6) <= day][-WINDOW_WEEKS:]
    accepted = [
        stay.first
        for life in stories
        if life.project_id == project_id
        for stay in life.stays.get("accepted", ())
        if stay.holds(day, known)
    ]
    counts = [sum(week <= each < week + WEEK for each in accepted) for week in window]
    return Cut(project_id, day, trials, counts[::-1], window[0] if window else None, {})


def complete_weeks(workspace, as_of, starts):
    """First days of each project's complete weeks, in order: {project_id: [day]}."""
    rows = flow.throughput(workspace, starts, {}, as_of)
    return {
        project_id: sorted(
            week
            for (other_id, kind, week), row in rows.items()
            if other_id == project_id and kind == "feature" and row["is_complete"]
        )
        for project_id in workspace.projects
    }


def open_targets(workspace, as_of, iterations):
    """What is left now: {project_id: {(kind, id): (remaining, queued, deadline, gap)}}."""
    targets = {project_id: {} for project_id in workspace.projects}
    for kind, rows in (
        ("epic", progress.epics(workspace, as_of, iterations)),
        ("release", progress.releases(workspace, as_of, iterations)),
    ):
        for number, row in rows.items():
            if row["remaining_story_count"]:
                targets[row["project_id"]][kind, number] = (
                    row["remaining_story_count"],
                    row["queued_story_count"],
                    row.get("deadline_date"),
                    row["gap_reason"] if row["gap_reason"] == "nothing planned" else None,
                )
    for project_id in workspace.projects:
        left = sum(
            story.project_id == project_id
            and story.story_type != "release"
            and story.current_state not in ("accepted", "unscheduled")
            for story in workspace.stories.values()
        )
        if left:
            targets[project_id]["project", project_id] = (left, left, None, None)
    return targets
