"""Forecasts equal those of plain Python, use no later data, and come true as often as stated."""

import os
import random
import subprocess
from dataclasses import replace
from datetime import date

import pytest

from benchmarks import forecast as benchmark
from tests.oracle import forecast
from tests.oracle.test_oracle import check, mart


@pytest.fixture(scope="module")
def backtests(workspace, starts, iterations):
    return forecast.backtests(workspace, workspace.now, starts, iterations)


def test_fct_forecast(built_warehouse, workspace, iterations, starts):
    expected = forecast.forecasts(workspace, workspace.now, iterations, starts)
    check(expected, mart(built_warehouse, "fct_forecast", "forecast_key"))


def test_fct_forecast_backtest(built_warehouse, backtests):
    actual = mart(built_warehouse, "fct_forecast_backtest", "forecast_key")
    columns = next(iter(actual.values())).keys()
    check({key: pick(row, columns) for key, row in backtests.items()}, actual)


def pick(row, columns):
    return {name: value for name, value in row.items() if name in columns}


def test_fct_forecast_calibration(built_warehouse, backtests):
    expected = forecast.calibrations(backtests)
    actual = mart(built_warehouse, "fct_forecast_calibration", "calibration_key")
    check(with_rounded_skill(expected), with_rounded_skill(actual))


def with_rounded_skill(rows):
    """Round to 12 decimals: of two nearly equal losses, the last digits depend on the order."""
    for row in rows.values():
        if row["skill_over_bootstrap"] is not None:
            row["skill_over_bootstrap"] = round(row["skill_over_bootstrap"], 12)
    return rows


def test_a_forecast_does_not_depend_on_data_after_its_cut():
    """Two series with the same past and different futures have the same known errors and curves."""
    chance = random.Random(4)
    pasts = [random_series(chance, weeks=60, most=8) for _ in range(5)]
    found = []
    for future in range(2):
        chance = random.Random(future)
        group = [joined(past, random_series(chance, weeks=30, most=30)) for past in pasts]
        known = forecast.known_errors(benchmark.learned(group), 1, group[1].end_of(60))
        found.append((known, forecast.curves(group[1].window(60), known, forecast.PERCENTILES)))
    assert found[0] == found[1]
    assert len(found[0][0]) > 300


def random_series(chance, weeks, most):
    values = [[chance.randrange(most) for _ in range(weeks)] for _ in range(3)]
    return benchmark.Series(values[0], [], in_progress=values[1], backlog=values[2])


def joined(past, future):
    return benchmark.Series(
        past.counts + future.counts,
        [],
        in_progress=past.in_progress + future.in_progress,
        backlog=past.backlog + future.backlog,
    )


# In a steady process, the share of forecasts that come true differs from the stated probability
# only by chance. Forecasts of 12 weeks overlap, so about 24 x 6 of them are independent, and the
# standard deviation of p50 is 0.04.
BOUNDS = {50: 0.1, 70: 0.09, 85: 0.07, 95: 0.05}


@pytest.fixture(scope="module")
def steady_scores():
    return benchmark.backtests(benchmark.made_up("steady", projects=24), trials=20)


@pytest.mark.parametrize("question", benchmark.QUESTIONS)
def test_forecasts_of_a_steady_process_come_true_as_often_as_stated(steady_scores, question):
    for percentile, bound in BOUNDS.items():
        outcomes = decided(steady_scores, question, percentile)
        share = sum(outcomes) / len(outcomes)
        assert len(outcomes) >= 300
        assert abs(share - percentile / 100) <= bound, f"p{percentile} came true in {share:.0%}"


def decided(scores, question, percentile, state="after"):
    return [
        score.came_true[state]
        for score in scores
        if (score.question, score.percentile) == (question, percentile)
        and score.came_true[state] is not None
    ]


def test_the_bounds_of_a_steady_process_can_fail():
    """Draws of independent weeks from a growing process exceed the same bounds."""
    scores = benchmark.backtests(benchmark.made_up("growing"), trials=100)
    outcomes = decided(scores, 12, 50, "before")
    assert sum(outcomes) / len(outcomes) - 0.5 > 3 * BOUNDS[50]


def test_forecasts_of_a_growing_process_have_lower_loss_than_independent_weeks():
    scores = benchmark.backtests(benchmark.made_up("growing"), trials=100)
    for question in benchmark.QUESTIONS:
        mine = [score for score in scores if score.question == question]
        before = benchmark.mean_of(mine, "loss", "before")
        after = benchmark.mean_of(mine, "loss", "after")
        assert after < 0.9 * before, f"{question}: {before:.2f} before, {after:.2f} after"


def test_small_projects_do_not_widen_the_range_of_large_ones():
    group = benchmark.made_up("uneven")
    scores = benchmark.backtests(group, trials=100)
    assert {sum(series.counts) > 1000 for series in group} == {True, False}
    for question in benchmark.QUESTIONS:
        mine = [score for score in scores if score.question == question]
        before = benchmark.mean_of(mine, "loss", "before")
        after = benchmark.mean_of(mine, "loss", "after")
        assert after < 1.02 * before, f"{question}: {before:.2f} before, {after:.2f} after"


def test_what_is_in_progress_and_in_the_backlog_lowers_the_loss():
    """On simulated workspaces, where stories in progress are accepted soon."""
    with_work, without = [], []
    for seed in (81, 82, 83, 84):
        group = benchmark.simulated(seed)
        with_work += benchmark.backtests(group, trials=1)
        counts_only = [replace(series, in_progress=None, backlog=None) for series in group]
        without += benchmark.backtests(counts_only, trials=1)
    for question in benchmark.QUESTIONS:
        losses = [
            benchmark.mean_of(
                [each for each in scores if each.question == question], "loss", "after"
            )
            for scores in (with_work, without)
        ]
        assert losses[0] < 0.97 * losses[1], f"{question}: {losses[1]:.2f} without, {losses[0]:.2f}"


def test_an_effect_is_that_of_the_series_once_there_are_enough_errors():
    """Half of what is recent lasts, as does one story per two in progress beyond the usual."""
    chance = random.Random(5)
    learned = forecast.effects([past_forecast(*random_excesses(chance)) for _ in range(4000)], 4)
    assert learned.recent_share == pytest.approx(0.5, rel=0.05)
    assert learned.in_progress == pytest.approx(0.5, rel=0.01)
    assert learned.backlog == pytest.approx(-0.125, rel=0.01)
    few = forecast.effects([past_forecast(recent=6, in_progress=4, backlog=9)], 4)
    assert 0 < few.recent_share < 0.25
    assert 0 < few.in_progress < 0.25


def random_excesses(chance):
    return [chance.gauss(0, deviation) for deviation in (6, 4, 9)]


def past_forecast(recent, in_progress, backlog):
    actual = 12 + recent / 2 + in_progress / 2 - backlog / 8
    expected = forecast.Expected(12.0, recent, in_progress, backlog)
    return forecast.Error(1, 4, date(2024, 1, 1), 1, expected, actual)


@pytest.mark.parametrize("direction", [-1, 3])
def test_the_pace_is_between_the_steady_and_the_recent_one(direction):
    """Even if more than the difference lasted, or the opposite of it."""
    expected = forecast.Expected(12.0, 6.0, 0.0, 0.0)
    errors = [forecast.Error(1, 4, date(2024, 1, 1), 2, expected, 12 + 6 * direction)] * 50
    assert forecast.effects(errors, 4).recent_share == max(min(direction, 1), 0)


@pytest.mark.parametrize(
    ("change", "excess"), [(3, 2.88), (-3, -2.88), (30, 1.22), (-30, -1.22), (300, 0), (-300, 0)]
)
def test_an_import_or_a_clean_up_of_the_backlog_changes_no_forecast(change, excess):
    """Three stories a week are accepted, so 30 are ten weeks of work."""
    levels = [400 + change] + [400] * 51
    assert forecast.excess(levels[0], levels, [3] * 52) == pytest.approx(excess, abs=0.01)


@pytest.mark.parametrize(
    ("weeks", "largest", "found"),
    [
        (52, [150], [12]),
        (52, [150, 200], [12, 12]),
        (52, [20] * 3, [20] * 3),
        (12, [150], [12]),
        (12, [20, 20], [20, 20]),
        (52, [9], [9]),
        (1, [9], [9]),
    ],
)
def test_the_largest_weeks_are_limited_unless_others_are_as_large(weeks, largest, found):
    """Three stories are accepted in the other weeks."""
    counts = [*largest, *[3] * (weeks - len(largest))]
    assert forecast.limited(counts)[: len(largest)] == found


@pytest.mark.parametrize(("weeks", "most"), [((30, 31), 7), ((55,), 10)])
@pytest.mark.parametrize("is_alone", [False, True])
def test_weeks_of_clean_up_hardly_change_a_date(is_alone, weeks, most):
    """Three stories a week, and 150 in some weeks, with and without errors of other projects."""
    chance = random.Random(1)
    counts = [[benchmark.poisson(chance, 3) for _ in range(60)] for _ in range(7)]
    found = []
    for more in (0, 150):
        changed = [count + more * (week in weeks) for week, count in enumerate(counts[0])]
        group = [benchmark.Series(each, []) for each in (changed, *counts[1:])]
        learned = benchmark.learned(group[:1] if is_alone else group)
        known = forecast.known_errors(learned, 0, group[0].end_of(60))
        curves = forecast.curves(group[0].window(60), known, forecast.PERCENTILES)
        found.append([forecast.days_until(curve, 13) for curve in curves.values()])
    assert found[1] == pytest.approx(found[0], abs=most)


def test_forecasts_of_a_bursty_process_come_true_more_often_than_independent_weeks():
    scores = benchmark.backtests(benchmark.made_up("bursty"), trials=100)
    for question in benchmark.QUESTIONS:
        for percentile, lowest in ((85, 0.75), (95, 0.88)):
            after = decided(scores, question, percentile)
            before = decided(scores, question, percentile, "before")
            share = sum(after) / len(after)
            assert share >= lowest, f"p{percentile} of {question} came true in {share:.0%}"
            assert share > sum(before) / len(before)


def test_a_story_counts_in_the_week_of_the_last_commit_that_names_it(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    for day, numbers in (
        ("2024-01-08", range(1_000_000, 1_000_300)),
        ("2024-01-16", range(1_000_000, 1_000_010)),
        ("2024-01-29", range(1_000_010, 1_000_020)),
        ("2024-02-05", range(100, 200)),
    ):
        message = " ".join(f"[#{number}]" for number in numbers)
        dated = os.environ | {"GIT_COMMITTER_DATE": f"{day}T12:00:00Z"}
        commit = ["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", message]
        subprocess.run([*git, *commit], env=dated, check=True)
    found = benchmark.committed(tmp_path)
    assert found.first_day == date(2024, 1, 8)
    assert found.counts == [280, 10, 0, 10]
