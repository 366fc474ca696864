"""The backtest of a past day equals the forecast of a build on that day."""

import json
import shutil
from datetime import date, timedelta

from simulator.instants import iso, local_date
from tests.conftest import dbt
from tests.support.marts import query

COLUMNS = (
    "question, percentile, horizon_week_count, sampled_week_count, sampled_story_count, "
    "queued_story_count, forecast_day_count, forecast_story_count, window_from_date, "
    "window_to_date, horizon_date, forecast_date, gap_reason"
)


def test_a_backtest_equals_the_forecast_of_a_build_on_that_day(
    built_warehouse, workspace, tmp_path
):
    """The whole project is built as of a cut, without any later data."""
    ((project_id, cut),) = query(
        built_warehouse,
        "select project_id, cut_date from marts.fct_forecast_backtest "
        "where is_held group by all order by count(*) desc, cut_date limit 1",
    )
    past_warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(built_warehouse, past_warehouse)
    zone = workspace.projects[project_id].time_zone
    settings = {"as_of": iso(midnight_after(cut, zone))}
    built = dbt(
        "run", "-s", "+fct_forecast", "--vars", json.dumps(settings), warehouse=past_warehouse
    )
    assert built.returncode == 0, built.stdout

    of_that_day = query(
        past_warehouse,
        f"select {COLUMNS} from marts.fct_forecast "
        f"where target_kind = 'project' and project_id = {project_id} order by all",
    )
    of_today = query(
        built_warehouse,
        f"select {COLUMNS} from marts.fct_forecast_backtest "
        f"where project_id = {project_id} and cut_date = '{cut}' order by all",
    )
    assert len(of_today) == 16
    assert of_that_day == of_today


def midnight_after(day, zone):
    """The first instant of the next local day, in seconds."""
    noon = int((day - date(1970, 1, 1)).total_seconds()) + 86_400
    return next(
        instant
        for instant in range(noon - 86_400, noon + 86_400, 900)
        if local_date(instant, zone) == day + timedelta(days=1)
    )
