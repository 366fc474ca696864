"""Forecasts equal what plain Python makes of the demo, cell by cell, and never look ahead."""

import shutil
import time
from collections import Counter
from datetime import date

import duckdb
import pytest

from tests.oracle import forecast
from tests.oracle.test_oracle import check, mart


@pytest.fixture(scope="module")
def starts(built_warehouse):
    """When each project started, as Tracker says: {project_id: seconds}."""
    rows = query(
        built_warehouse,
        "select id, cast(epoch(start_time) as bigint) from pivotal_tracker_data.projects",
    )
    return dict(rows)


@pytest.fixture(scope="module")
def backtests(workspace, starts):
    return forecast.backtests(workspace, workspace.now, starts)


def query(path, statement):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(statement).fetchall()


def test_fct_forecast(built_warehouse, workspace, iterations, starts):
    expected = forecast.forecasts(workspace, workspace.now, iterations, starts)
    check(expected, mart(built_warehouse, "fct_forecast", "forecast_key"))


def test_fct_forecast_backtest(built_warehouse, backtests):
    actual = mart(built_warehouse, "fct_forecast_backtest", "forecast_key")
    shown = next(iter(actual.values())).keys()
    check({key: pick(row, shown) for key, row in backtests.items()}, actual)


def pick(row, columns):
    return {name: value for name, value in row.items() if name in columns}


def test_fct_forecast_calibration(built_warehouse, backtests):
    expected = forecast.calibrations(backtests)
    check(expected, mart(built_warehouse, "fct_forecast_calibration", "calibration_key"))


def test_a_hundred_targets_are_forecast_in_seconds(built_warehouse, tmp_path):
    """With 1,000 paths each, and up to 250 stories to wait for; CPU time, whatever else runs."""
    copy = tmp_path / built_warehouse.name
    shutil.copy(built_warehouse, copy)
    compiled = built_warehouse.parent / "target" / "compiled"
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "create or replace table intermediate.int_forecast_targets as "
            "select project_id, cut_date, 'epic' as target_kind, number as target_id, "
            "10 * number as remaining_story_count, 10 * number as queued_story_count, "
            "cast(null as date) as deadline_date, cast(null as varchar) as queue_gap_reason "
            "from intermediate.int_forecast_cuts "
            "cross join range(1, 26) as numbers (number) where not is_backtest "
            "and project_id in (select project_id from intermediate.int_forecast_weeks "
            "where story_count > 2 group by all order by count(*) desc limit 4)"
        )
        begun = time.process_time()
        for name in ("forecast_windows", "forecast_trials", "forecast_paths", "forecasts"):
            (path,) = compiled.rglob(f"forecast/int_{name}.sql")
            connection.execute(
                f"create or replace table intermediate.int_{name} as {path.read_text()}"
            )
        seconds = time.process_time() - begun
        answered = connection.execute(
            "select count(*), min(trial_count) from intermediate.int_forecasts "
            "where question = 'when' and percentile = 85 and forecast_date is not null "
            "and not is_backtest"
        ).fetchone()
    assert answered == (100, 1000)
    assert seconds < 10


def test_draws_are_spread_evenly_and_do_not_repeat_their_neighbours():
    """200 paths of 60 weeks over 12: each week, and each pair of weeks in a row, as often."""
    draws = [
        [forecast.drawn_week(7, date(2024, 6, 30), trial, week, 12) for week in range(1, 61)]
        for trial in range(1, 201)
    ]
    singles = Counter(week for path in draws for week in path)
    pairs = Counter(pair for path in draws for pair in zip(path, path[1:], strict=False))
    between_paths = Counter(
        pair
        for path, after in zip(draws, draws[1:], strict=False)
        for pair in zip(path, after, strict=True)
    )
    # Chi-square at 1 in 1,000: 31 with 11 degrees of freedom, 200 with 143.
    assert chi_square(singles, 12) < 31
    assert chi_square(pairs, 144) < 200
    assert chi_square(between_paths, 144) < 200


def chi_square(found, cells):
    expected = sum(found.values()) / cells
    missing = cells - len(found)
    return sum((each - expected) ** 2 for each in found.values()) / expected + missing * expected
