"""MetricFlow's results equal the marts; skipped unless `make semantic` has installed it."""

import csv
import os
import subprocess

import duckdb
import pytest
import yaml

from tests.conftest import ROOT, environment

MF = ROOT / ".venv-semantic" / "bin" / "mf"

SAVED_QUERIES = [
    each["name"]
    for each in yaml.safe_load(
        (ROOT / "dbt_project" / "models" / "semantic" / "_semantic__metrics.yml").read_text()
    )["saved_queries"]
]

pytestmark = pytest.mark.skipif(
    not MF.exists(), reason="MetricFlow is not installed (make test-semantic)"
)


@pytest.fixture(scope="module")
def query(built_warehouse, tmp_path_factory):
    """A function that runs `mf query` with arguments and returns the rows as text."""
    # MetricFlow reads dbt's artifacts in the folder `target` of the project in which it runs.
    folder = tmp_path_factory.mktemp("metrics")
    for name in ("dbt_project.yml", "profiles.yml", "dbt_project"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "target").symlink_to(built_warehouse.parent / "target")
    settings = environment(
        built_warehouse,
        DBT_LOG_PATH=str(folder),
        PATH=f"{MF.parent}{os.pathsep}{os.environ['PATH']}",
    )

    def query(*arguments):
        answer = folder / "answer.csv"
        finished = subprocess.run(
            [MF, "query", *arguments, "--csv", str(answer)],
            cwd=folder,
            env=settings,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        with answer.open(newline="") as lines:
            return list(csv.reader(lines))[1:]

    return query


@pytest.fixture(scope="module")
def metrics(query):
    """A function that queries metrics by group: {group as text: (value, ...)}."""

    def grouped(names, group_by):
        width = len(group_by.split(","))
        rows = query("--metrics", names, "--group-by", group_by)
        return {tuple(row[:width]): tuple(map(number, row[width:])) for row in rows}

    return grouped


@pytest.fixture(scope="module")
def mart(built_warehouse):
    """A function that runs a statement and returns its rows by the first columns, as text."""

    def query(statement, width=1):
        with duckdb.connect(str(built_warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            rows = connection.execute(statement).fetchall()
        return {
            tuple(map(str, row[:width])): tuple(
                None if value is None else pytest.approx(float(value)) for value in row[width:]
            )
            for row in rows
        }

    return query


def number(text):
    return float(text) if text and text != "nan" else None


def test_iterations(metrics, mart):
    actual = metrics("velocity,accepted_points,rejection_rate,say_do", "iteration")
    assert actual == mart(
        "select iteration_key, velocity, accepted_points, rejection_rate, say_do_ratio "
        "from marts.fct_iteration_velocity"
    )
    assert len(actual) > 100


def test_cycle_time_equals_the_percentile_of_the_mart(metrics, mart):
    actual = metrics("cycle_time_p85", "project,story__story_type")
    published = mart(
        "select project_id, story_type, p85_seconds from marts.fct_cycle_time_percentile "
        "where measure = 'cycle_time' and time_window = 'all_time' and story_type != 'all' "
        "and p85_seconds is not null",
        width=2,
    )
    assert published
    assert {key: actual[key] for key in published} == published


def test_lead_time(metrics, mart):
    actual = metrics("lead_time_median", "project")
    assert actual == mart(
        "select project_id, median(lead_time_seconds) from marts.fct_story_cycle_time "
        "where not is_deleted group by project_id"
    )


def test_throughput_keeps_empty_weeks(metrics, mart):
    actual = metrics("throughput", "project,throughput_week__week_start_date")
    # MetricFlow returns time columns first.
    weeks = {(project, week[:10]): value for (week, project), value in actual.items()}
    assert weeks == mart(
        "select project_id, week_start_date, sum(story_count) from marts.fct_throughput "
        "group by project_id, week_start_date",
        width=2,
    )
    assert (0.0,) in weeks.values()


LAST_COMMON_DAY = (
    "(select min(last_date) from (select max(flow_date) as last_date from marts.fct_flow_daily "
    "group by project_id))"
)


def test_work_in_progress_is_of_the_last_day_common_to_all_projects(metrics, mart):
    actual = metrics("work_in_progress", "project")
    assert actual == mart(
        "select project_id, sum(story_count) from marts.fct_flow_daily where is_in_progress "
        f"and flow_date = {LAST_COMMON_DAY} group by project_id"
    )


def test_work_in_progress_over_time_ends_with_the_last_day_common_to_all_projects(metrics, mart):
    actual = metrics("work_in_progress", "metric_time")
    assert {(day[:10],): value for (day,), value in actual.items()} == mart(
        "select flow_date, sum(story_count) from marts.fct_flow_daily where is_in_progress "
        f"and flow_date <= {LAST_COMMON_DAY} group by flow_date"
    )


@pytest.mark.parametrize("name", SAVED_QUERIES)
def test_a_saved_query_returns_rows(name, query):
    assert query("--saved-query", name)
