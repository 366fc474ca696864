"""The forecasts, recomputed by the documented rules: one project, one cut, one error at a time.

The first half works on any series of weekly counts; the second half takes the series and the
targets from the simulated workspace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import NormalDist

from simulator.instants import local_date
from tests.oracle import flow, progress
from tests.support import oracle

WINDOW_WEEKS, BASELINE_WEEKS, BACKTEST_WEEKS, HORIZON_WEEKS = 52, 26, 104, 520
STEADY, RECENT = 20, 6  # half-lives in weeks
PERCENTILES, HORIZONS = (50, 70, 85, 95), (4, 8, 12)
ALL_PERCENTILES = range(5, 100, 5)
ERROR_HORIZONS = (1, 2, 4, 8, 12, 26, 52)
NORMAL_VALUES = [round(NormalDist().inv_cdf(each / 100), 6) for each in range(5, 100, 10)]
DEVIATES = {each: round(NormalDist().inv_cdf(each / 100), 6) for each in PERCENTILES}
WEEK = timedelta(days=7)


@dataclass
class Pace:
    """Stories per week: the mean, the variance, and the effective number of weeks."""

    mean: float
    variance: float
    weeks: float


def pace(window, weights):
    """The pace of a window with weighted weeks."""
    total = sum(weights)
    mean = sum(weight * count for weight, count in zip(weights, window, strict=True)) / total
    square = sum(weight * count**2 for weight, count in zip(weights, window, strict=True)) / total
    effective_weeks = total * total / sum(weight**2 for weight in weights)
    return Pace(mean, max(square - mean * mean, 0.5 * mean), effective_weeks)


@dataclass
class Window:
    """The weeks before a cut, latest first: the stories accepted in each week.

    And how many more stories than usual are in progress and in the backlog at the cut.
    """

    counts: list[int]
    in_progress_excess: float = 0.0
    backlog_excess: float = 0.0


def excess(now, levels, counts):
    """A number of stories minus its weighted mean at the ends of the weeks, latest first.

    Beyond what is accepted in five weeks it counts less, and from ten on not at all, because that
    is an import or a clean-up, which says nothing about the next weeks.
    """
    more = now - halving_pace(levels, STEADY).mean
    ten_weeks = 10 * halving_pace(limited(counts), STEADY).mean
    return max(min(more, ten_weeks - more), 0) - max(min(-more, ten_weeks + more), 0)


def limited(counts):
    """The counts of some weeks, the two largest no more than the other weeks make likely.

    With fewer than 26 weeks, only the largest. The limit is the largest of the other weeks, or
    three times (their mean + 1), rounded down, if that is more. Larger ones may be clean-ups or
    imports, which will not be repeated.
    """
    others = sorted(counts)[: -1 if len(counts) < BASELINE_WEEKS else -2]
    if not others:
        return counts
    most = max(others[-1], math.floor(3 * (sum(others) / len(others) + 1)))
    return [min(count, most) for count in counts]


def halving_pace(counts, half_life):
    """The pace of some weeks, latest first, whose weights halve every few weeks."""
    return pace(counts, [round(65536 * 0.5 ** (back / half_life)) for back in range(len(counts))])


def baseline_pace(counts):
    """The pace of the last weeks, all with the same weight."""
    latest = counts[:BASELINE_WEEKS]
    return pace(latest, [1] * len(latest))


def gap_of(counts):
    """Why no forecast is made from some weeks; None if one is made. Only the last ones matter."""
    window = counts[:BASELINE_WEEKS]
    if len(window) < 8:
        return "too few weeks"
    if sum(window) < 8:
        return "too few accepted"
    idle = next(back for back, count in enumerate(window) if count)
    if sum(window) * idle >= 5 * (len(window) - idle):
        return "stopped"
    last, earlier = window[:4], window[4:]
    if len(earlier) >= 8:
        mean = sum(earlier) / len(earlier)
        variance = sum(count**2 for count in earlier) / len(earlier) - mean**2
        if (sum(last) - 4 * mean) ** 2 > 16 * (4 * variance * (1 + 4 / len(earlier)) + 1):
            return "unlike its window"
    return None


@dataclass
class Expected:
    """Stories in some weeks at the steady pace, and how the last weeks and the work differ."""

    steady: float
    recent_excess: float
    in_progress_excess: float
    backlog_excess: float


def expected_in(window, weeks):
    counts = limited(window.counts)
    steady = weeks * halving_pace(counts, STEADY).mean
    recent = weeks * halving_pace(counts, RECENT).mean
    return Expected(steady, recent - steady, window.in_progress_excess, window.backlog_excess)


@dataclass
class Error:
    """A past forecast: what was expected, and what came."""

    project_id: int
    weeks: int
    decided: date
    weight: int
    expected: Expected
    actual: int

    @property
    def missed(self):
        return self.actual - self.expected.steady


def error(project_id, weeks, decided, window, actual):
    weight = 2 if len(window.counts) >= min(WINDOW_WEEKS, BASELINE_WEEKS) else 1
    return Error(project_id, weeks, decided, weight, expected_in(window, weeks), actual)


def known_errors(errors, project_id, cut):
    """Recent errors decided by a cut. A day of another project may end later."""
    return [
        each
        for each in errors
        if cut <= each.decided + BACKTEST_WEEKS * WEEK
        and (each.decided < cut or (each.decided == cut and each.project_id == project_id))
    ]


@dataclass
class Effects:
    """The share of the recent pace, and what each more story in progress or backlog adds."""

    recent_share: float
    in_progress: float
    backlog: float


def effects(errors, weeks):
    """Least squares with penalties, so that few errors have little effect.

    First the share of the recent pace, then the effects of the work on what is still missed. Sums
    are of whole millionths, which all engines add up alike.
    """

    def total(one, other):
        return float(
            sum(
                each.weight
                * rounded(1_000_000 * one(each) * other(each) / (each.expected.steady + 1))
                for each in errors
            )
        )

    recent, in_progress, backlog, missed = (
        lambda each: each.expected.recent_excess,
        lambda each: each.expected.in_progress_excess,
        lambda each: each.expected.backlog_excess,
        lambda each: each.missed,
    )
    share = total(recent, missed) / (total(recent, recent) + 8_000_000 * weeks)
    share = max(min(share, 1), 0)
    square = total(in_progress, in_progress) + 1_000_000 * weeks
    other_square = total(backlog, backlog) + 8_000_000 * weeks
    mixed = total(in_progress, backlog)
    left = total(in_progress, missed) - share * total(recent, in_progress)
    other_left = total(backlog, missed) - share * total(recent, backlog)
    determinant = square * other_square - mixed * mixed
    return Effects(
        share,
        (left * other_square - other_left * mixed) / determinant,
        (other_left * square - left * mixed) / determinant,
    )


def rounded(value):
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def adjusted(expected, learned):
    """The stories expected with these effects; work changes the number by at most half."""
    paced = expected.steady + learned.recent_share * expected.recent_excess
    more = (
        learned.in_progress * expected.in_progress_excess
        + learned.backlog * expected.backlog_excess
    )
    return max(min(paced + more, 1.5 * paced), 0.5 * paced)


def curves(window, known, percentiles):
    """Stories by the end of each horizon: {percentile: [(weeks, stories)]}, never decreasing."""
    found = {percentile: [(0, 0.0)] for percentile in percentiles}
    steady = halving_pace(limited(window.counts), STEADY)
    for weeks in ERROR_HORIZONS:
        errors = [each for each in known if each.weeks == weeks]
        learned = effects(errors, weeks)
        expected = adjusted(expected_in(window, weeks), learned) + 1
        ratios = []
        for each in errors:
            past = adjusted(each.expected, learned) + 1
            similarity = min(past / expected, expected / past)
            ratios.append(((each.actual + 1) / past, rounded(1000 * each.weight * similarity)))
        spread = math.sqrt(weeks * steady.variance * (1 + weeks / steady.weeks) + 0.25)
        ratios += [(1 + value * spread / expected, 1500 * weeks) for value in NORMAL_VALUES]
        for percentile in percentiles:
            ratio = weighted_quantile(ratios, 100 - percentile)
            count = max(ratio * expected - 1, 0, found[percentile][-1][1])
            found[percentile].append((weeks, count))
    return found


def weighted_quantile(weighted, percent):
    """The smallest value at which the cumulative weight reaches a percentage."""
    total, so_far = sum(weight for _, weight in weighted), 0
    for value, weight in sorted(weighted):
        so_far += weight
        if so_far * 100 >= percent * total:
            return value
    raise AssertionError


def count_by(curve, weeks):
    """Stories by a time after the cut, rounded; linear between two horizons."""
    last, most = curve[-1]
    if weeks > last:
        return math.floor(most * weeks / last + 0.5)
    for (since, low), (until, high) in zip(curve, curve[1:], strict=False):
        if since < weeks <= until:
            return math.floor(low + (high - low) * (weeks - since) / (until - since) + 0.5)
    raise AssertionError


def days_until(curve, stories):
    """The first day by whose end the rounded count reaches `stories`, or None."""
    need = stories - 0.5
    last, most = curve[-1]
    if need > most:
        days = 7.0 * last * need / most if most else math.inf
    else:
        days = next(
            7.0 * since + 7.0 * (until - since) * (need - low) / (high - low)
            for (since, low), (until, high) in zip(curve, curve[1:], strict=False)
            if low < need <= high
        )
    return max(math.ceil(round(days, 9)), 1) if days <= 7 * HORIZON_WEEKS else None


def pinball(percentile, actual, forecast):
    """The loss of a quantile: errors on the less probable side cost more."""
    share = percentile / 100
    return max(share * (actual - forecast), (1 - share) * (forecast - actual))


def independent_count(pace, weeks, percentile):
    """The first baseline: stories finished in independent weeks at its pace."""
    deviation = DEVIATES[percentile] * math.sqrt(pace.variance)
    return max(math.floor(weeks * pace.mean - deviation * math.sqrt(weeks) + 0.5), 0)


def independent_days(pace, stories, percentile):
    """The inverse: the days that independent weeks need for some stories, in whole weeks."""
    deviation = DEVIATES[percentile] * math.sqrt(pace.variance)
    root = deviation + math.sqrt(deviation**2 + 4 * pace.mean * (stories - 0.5))
    return 7 * math.ceil(root * root / (4 * pace.mean * pace.mean))


# The simulated workspace -----------------------------------------------------------------------


@dataclass
class Interval:
    """Local days at whose end a story was in a state: from `first` until before `left`."""

    first: date
    left: date | None

    def contains(self, day):
        return self.first <= day and (self.left is None or self.left > day)


@dataclass
class PastStory:
    """The history of a story as far as forecasts need it."""

    project_id: int
    created: date
    deleted: date | None
    estimate: float | None
    intervals: dict[str, list[Interval]] = field(default_factory=dict)

    def was(self, state, day):
        return any(interval.contains(day) for interval in self.intervals.get(state, ()))

    def was_open(self, day):
        is_there = self.created <= day and (self.deleted is None or self.deleted > day)
        return is_there and not self.was("accepted", day) and not self.was("unscheduled", day)


def past_stories(workspace, as_of):
    """All stories except releases."""
    found = []
    for history in oracle.histories(workspace, as_of).values():
        story = history.story
        if story.story_type == "release":
            continue
        zone = workspace.projects[story.project_id].time_zone
        deleted = None if story.deleted_at is None else local_date(story.deleted_at, zone)
        created = local_date(story.created_at, zone)
        past_story = PastStory(story.project_id, created, deleted, story.estimate)
        for index, (state, entered, left) in enumerate(history.intervals()):
            is_open = index + 1 == len(history.events) and deleted is None
            if is_open and state == "accepted":
                entered = story.accepted_at
            first, last = local_date(entered, zone), None if is_open else local_date(left, zone)
            if last is None or first < last:
                past_story.intervals.setdefault(state, []).append(Interval(first, last))
        found.append(past_story)
    return found


@dataclass
class Past:
    """The data on which all forecasts of a workspace are based."""

    workspace: object
    as_of: int
    stories: dict[int, list[PastStory]]
    weeks: dict[int, list[date]]
    daily_flow: dict[tuple, dict]
    errors: list[Error] = field(default_factory=list)

    def yesterday(self, project_id):
        zone = self.workspace.projects[project_id].time_zone
        return local_date(self.as_of, zone) - timedelta(days=1)

    def accepted(self, project_id, known):
        """Days of the acceptances that were not undone at the end of a day."""
        return [
            interval.first
            for story in self.stories.get(project_id, ())
            for interval in story.intervals.get("accepted", ())
            if interval.contains(known)
        ]

    def level(self, project_id, states, day):
        return sum(self.daily_flow[project_id, state, day]["story_count"] for state in states)

    def window(self, project_id, cut, known):
        """The window of a cut, as known at the end of a day, and its first week."""
        weeks = [week for week in self.weeks[project_id] if week + WEEK <= cut + timedelta(1)]
        weeks = weeks[-WINDOW_WEEKS:][::-1]
        days = self.accepted(project_id, known)
        counts = [sum(week <= day < week + WEEK for day in days) for week in weeks]
        if not weeks:
            return Window(counts), None
        excesses = [
            excess(
                self.level(project_id, states, cut),
                [self.level(project_id, states, week + timedelta(days=6)) for week in weeks],
                counts,
            )
            for states in (oracle.IN_PROGRESS, ("unstarted", "planned"))
        ]
        return Window(counts, *excesses), weeks[-1]

    def add_errors(self):
        for project_id, weeks in self.weeks.items():
            for number, week in enumerate(weeks, 1):
                cut, after = week + timedelta(days=6), len(weeks) - number
                if (
                    number % 2
                    or number < 8
                    or not 1 <= after <= 2 * BACKTEST_WEEKS + ERROR_HORIZONS[-1]
                ):
                    continue
                window, _ = self.window(project_id, cut, cut)
                if gap_of(window.counts):
                    continue
                for horizon in ERROR_HORIZONS:
                    decided = cut + horizon * WEEK
                    if decided <= self.yesterday(project_id):
                        days = self.accepted(project_id, decided)
                        actual = sum(cut < day <= decided for day in days)
                        self.errors.append(error(project_id, horizon, decided, window, actual))


def past(workspace, as_of, starts):
    stories = {}
    for story in past_stories(workspace, as_of):
        stories.setdefault(story.project_id, []).append(story)
    weeks = complete_weeks(workspace, as_of, starts)
    found = Past(workspace, as_of, stories, weeks, flow.flow_daily(workspace, starts, as_of))
    found.add_errors()
    return found


def cut_rows(past, project_id, day, known, targets):
    """Rows per target, question, horizon and percentile.

    targets: {(kind, id): (remaining, queued, deadline, why no date is known)}
    """
    window, first_week = past.window(project_id, day, known)
    gap = gap_of(window.counts)
    errors = [] if gap else known_errors(past.errors, project_id, day)
    by_percentile = {} if gap else curves(window, errors, ALL_PERCENTILES)
    last_day = first_week and first_week + len(window.counts) * WEEK - timedelta(days=1)
    horizons = {("project", project_id, day + weeks * WEEK) for weeks in HORIZONS}
    for (kind, number), (_, _, deadline, _) in targets.items():
        if deadline is not None:
            horizons.add((kind, number, deadline))

    def row(kind, number, question, percentile):
        remaining, queued, *_ = targets.get((kind, number), (None, None))
        return {
            "project_id": project_id, "target_kind": kind, "target_id": number,
            "question": question, "percentile": percentile, "gap_reason": gap,
            "sampled_week_count": len(window.counts), "sampled_story_count": sum(window.counts),
            "remaining_story_count": remaining, "queued_story_count": queued,
            "horizon_week_count": None, "forecast_day_count": None, "forecast_story_count": None,
            "in_time_share": None, "cut_date": day, "window_from_date": first_week,
            "window_to_date": last_day, "horizon_date": None, "forecast_date": None,
        }  # fmt: skip

    for (kind, number), (_, queued, deadline, unplanned) in targets.items():
        is_known = not gap and not unplanned
        days = {
            each: days_until(curve, queued) for each, curve in by_percentile.items() if is_known
        }
        for percentile in PERCENTILES:
            found = row(kind, number, "when", percentile)
            day_count = days.get(percentile)
            found["gap_reason"] = gap or unplanned or (None if day_count else "beyond the horizon")
            if day_count:
                found["forecast_day_count"] = day_count
                found["forecast_date"] = day + timedelta(days=day_count)
            if deadline is not None and is_known:
                left = (deadline - day).days
                kept = [each for each, needed in days.items() if needed and needed <= left]
                found["in_time_share"] = max(kept, default=0) / 100
            yield found
    for kind, number, horizon in horizons:
        weeks = (horizon - day).days // 7
        for percentile in PERCENTILES:
            found = row(kind, number, "how_many", percentile)
            found |= {"horizon_week_count": weeks, "horizon_date": horizon}
            if not gap and weeks < 1:
                found["gap_reason"] = "no week left"
            elif not gap:
                left = (horizon - day).days / 7
                found["forecast_story_count"] = count_by(by_percentile[percentile], left)
            yield found


def forecasts(workspace, as_of, iterations, starts):
    """Rows of `fct_forecast`, by key."""
    known = past(workspace, as_of, starts)
    targets = open_targets(workspace, as_of, iterations)
    rows = {}
    for project in workspace.projects.values():
        today = local_date(as_of, project.time_zone)
        day = today - timedelta(days=1)
        for row in cut_rows(known, project.id, day, today, targets[project.id]):
            key = f"{row['target_kind']}-{row['target_id']}-{row['question']}-p{row['percentile']}"
            if row["target_kind"] == "project" and row["question"] == "how_many":
                key += f"-{row['horizon_week_count']}w"
            rows[key] = row
    return rows


def backtests(workspace, as_of, starts, iterations):
    """Rows of `fct_forecast_backtest`, by key."""
    known = past(workspace, as_of, starts)
    velocities = oracle.iteration_velocity(workspace, as_of, iterations).values()
    rows = {}
    for project in workspace.projects.values():
        mine = known.stories.get(project.id, [])
        accepted = sorted(
            interval.first
            for story in mine
            for interval in story.intervals.get("accepted", ())
            if interval.left is None
        )
        weeks = known.weeks[project.id]
        for number, start in enumerate(weeks, 1):
            after = len(weeks) - number
            if number % 4 or number < BASELINE_WEEKS or not 4 <= after <= BACKTEST_WEEKS:
                continue
            day = start + timedelta(days=6)
            left = [story for story in mine if story.was_open(day)]
            targets = {("project", project.id): (len(left), len(left), None, None)} if left else {}
            later = [each for each in accepted if each > day]
            tracker = tracker_pace(project, day, left, velocities)
            window, _ = known.window(project.id, day, day)
            for row in cut_rows(known, project.id, day, day, targets):
                key = f"{project.id}-{day}-{row['question']}-p{row['percentile']}"
                if row["question"] == "how_many":
                    key += f"-{row['horizon_week_count']}w"
                decided = outcome(row, later, len(left), known.yesterday(project.id))
                scored = scores(row | decided, window.counts, tracker, known.yesterday(project.id))
                rows[key] = row | decided | scored
    return rows


def tracker_pace(project, day, left, velocities):
    """Stories per week at Tracker's velocity on a day, converted by the points of open stories."""
    velocity = None
    for row in sorted(velocities, key=lambda each: each["iteration_number"]):
        ends_by = day + timedelta(days=1)
        is_done = row["is_done"] and local_date(row["finishes_at"], project.time_zone) <= ends_by
        if row["project_id"] == project.id and is_done:
            velocity = row["velocity_per_week"]
    points = float(progress.points(left))
    return float(velocity) * len(left) / points if velocity and points else None


def outcome(row, later, left, yesterday):
    """The outcome of a forecast. later: days of acceptances after its cut, in order."""
    forecast_day = row["forecast_date"] or row["horizon_date"]
    is_decided = row["gap_reason"] is None and forecast_day <= yesterday
    result = {"is_decided": is_decided, "is_held": None}
    if row["question"] == "when":
        result["actual_date"] = later[left - 1] if len(later) >= left else None
        result["actual_story_count"] = None
        if is_decided:
            result["is_held"] = sum(day <= forecast_day for day in later) >= left
    else:
        done = sum(day <= forecast_day for day in later)
        result["actual_date"] = None
        result["actual_story_count"] = done if forecast_day <= yesterday else None
        if is_decided:
            result["is_held"] = done >= row["forecast_story_count"]
    return result


def scores(row, counts, tracker, yesterday):
    """The two baselines and the three losses."""
    names = ("forecast", "bootstrap", "tracker")
    kinds = ("day_count", "story_count")
    result = {f"{name}_{kind}": None for name in names[1:] for kind in kinds}
    result |= {f"{name}_loss": None for name in names}
    if row["gap_reason"]:
        return result
    baseline, percentile = baseline_pace(counts), row["percentile"]
    if row["question"] == "how_many":
        weeks, actual = row["horizon_week_count"], row["actual_story_count"]
        result["bootstrap_story_count"] = independent_count(baseline, weeks, percentile)
        if tracker:
            result["tracker_story_count"] = math.floor(weeks * tracker + 0.5)
        level, most = 100 - percentile, math.inf
    else:
        queued, actual = row["queued_story_count"], math.inf
        result["bootstrap_day_count"] = independent_days(baseline, queued, percentile)
        if tracker:
            result["tracker_day_count"] = math.ceil(7 * queued / tracker)
        level, most = percentile, (yesterday - row["cut_date"]).days
        if row["actual_date"]:
            actual = (row["actual_date"] - row["cut_date"]).days
    kind = kinds[row["question"] == "how_many"]
    for name in names:
        value = (row | result)[f"{name}_{kind}"]
        if value is not None and actual is not None:
            result[f"{name}_loss"] = pinball(level, min(actual, most), min(value, most))
    return result


def calibrations(backtest_rows):
    """Rows of `fct_forecast_calibration`, by key."""
    groups = {}
    for row in backtest_rows.values():
        key = f"{row['project_id']}-{row['question']}-p{row['percentile']}"
        if row["question"] == "how_many":
            key += f"-{row['horizon_week_count']}w"
        groups.setdefault(key, []).append(row)
    return {key: calibration(rows, backtest_rows) for key, rows in groups.items()}


def calibration(rows, backtest_rows):
    decided = [row for row in rows if row["is_decided"]]
    scored = [row for row in rows if row["forecast_loss"] is not None]
    compared = [row for row in rows if row["tracker_loss"] is not None]
    ours = mean(row["forecast_loss"] for row in scored)
    bootstrap = mean(row["bootstrap_loss"] for row in scored)
    tracker = mean(row["tracker_loss"] for row in compared)
    ours_compared = mean(row["forecast_loss"] for row in compared)
    days = {row["cut_date"] for row in rows}
    forecast_values = {
        (row["cut_date"], row["percentile"]): row["forecast_story_count"]
        or row["forecast_day_count"]
        or 0
        for row in backtest_rows.values()
        if row["project_id"] == rows[0]["project_id"]
        and row["question"] == rows[0]["question"]
        and row["horizon_week_count"] == rows[0]["horizon_week_count"]
        and row["gap_reason"] is None
    }
    return {
        "percentile": rows[0]["percentile"],
        "horizon_week_count": rows[0]["horizon_week_count"],
        "forecast_count": len(rows),
        "decided_count": len(decided),
        "held_count": sum(row["is_held"] for row in decided),
        "held_share": mean(row["is_held"] for row in decided),
        "scored_count": len(scored),
        "tracker_scored_count": len(compared),
        "mean_pinball_loss": ours,
        "bootstrap_pinball_loss": bootstrap,
        "tracker_pinball_loss": tracker,
        "skill_over_bootstrap": 1 - ours / bootstrap if bootstrap else None,
        "skill_over_tracker": 1 - ours_compared / tracker if tracker else None,
        "mean_interval_width": mean(
            abs(forecast_values[day, 95] - forecast_values[day, 50])
            for day in days
            if (day, 95) in forecast_values and (day, 50) in forecast_values
        ),
    }


def mean(values):
    found = [float(each) for each in values]
    return sum(found) / len(found) if found else None


def complete_weeks(workspace, as_of, starts):
    """The first days of each project's complete weeks: {project_id: [day]}."""
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
    """The remaining work: {project_id: {(kind, id): (remaining, queued, deadline, gap)}}."""
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
