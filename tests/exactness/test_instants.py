"""Each project has its own `as_of`, independent of other exports and syncs."""

import json
from datetime import UTC, date, datetime

import duckdb
import pytest

from tests.conftest import ingest
from tests.support.marts import build

HEADER = "Id,Title,Type,Estimate,Current State,Created at,Accepted at,Project"
EXPORTS = {
    "harbour_20150310_0900.csv": (
        '101,Lay the keel,feature,2,accepted,"Feb 2, 2015","Feb 20, 2015",\n'
        '102,Paint the hull,feature,1,started,"Feb 3, 2015",,\n'
    ),
    "lighthouse_20190705_1200.csv": (
        '201,Light the lamp,feature,3,accepted,"Jun 3, 2019","Jun 20, 2019",\n'
        '202,Clean the lens,chore,,unscheduled,"Jun 4, 2019",,\n'
    ),
}


def story(identity, project_id, **values):
    return {
        "kind": "story", "id": identity, "project_id": project_id, "name": f"Story {identity}",
        "story_type": "feature", "labels": [], "owner_ids": [], "requested_by_id": 5, **values,
    }  # fmt: skip


# The acceptance is the newest timestamp of project 77, a second after the last `updated_at`.
STORIES = [
    story(9001, 77, estimate=2, current_state="accepted", created_at="2024-02-05T09:00:00Z",
          updated_at="2024-02-06T10:00:01Z", accepted_at="2024-02-06T10:00:02Z"),
    story(9002, 77, estimate=3, current_state="accepted", created_at="2024-02-05T09:10:00Z",
          updated_at="2024-02-07T10:00:00Z", accepted_at="2024-02-07T10:00:01Z"),
    story(9003, 78, estimate=1, current_state="started", created_at="2021-05-05T09:00:00Z",
          updated_at="2021-05-06T10:00:00Z"),
]  # fmt: skip


@pytest.fixture(scope="module")
def marts(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("instants")
    archive = folder / "archive"
    archive.mkdir()
    for name, rows in EXPORTS.items():
        (archive / name).write_text(f"{HEADER}\n{rows}")
    (archive / "stories.json").write_text(json.dumps(STORIES))
    loaded = ingest("archive", str(archive), warehouse=folder / "warehouse.duckdb")
    assert loaded.returncode == 0, loaded.stderr
    build(folder / "warehouse.duckdb", models)
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def by_project(marts, statement):
    """{name or id of a project: value}."""
    return {
        (name or identity): value
        for identity, name, value in marts.execute(
            f"select project_id, project_name, value from ({statement}) as asked "
            "right join marts.dim_project using (project_id)"
        ).fetchall()
    }


def test_as_of_is_the_newest_timestamp_of_the_project(marts):
    assert by_project(marts, "select project_id, as_of as value from marts.dim_project") == {
        "harbour": datetime(2015, 3, 10, 9, tzinfo=UTC),
        "lighthouse": datetime(2019, 7, 5, 12, tzinfo=UTC),
        77: datetime(2024, 2, 7, 10, 0, 1, tzinfo=UTC),
        78: datetime(2021, 5, 6, 10, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "select project_id, max(flow_date) as value from marts.fct_flow_daily group by project_id",
        "select project_id, max(cut_date) + 1 as value from marts.fct_forecast group by project_id",
    ],
    ids=["daily flow", "forecasts"],
)
def test_the_days_of_a_project_end_at_its_own_as_of(marts, statement):
    last_days = {key: day for key, day in by_project(marts, statement).items() if day is not None}
    expected = {
        "harbour": date(2015, 3, 10),
        "lighthouse": date(2019, 7, 5),
        77: date(2024, 2, 7),
        78: date(2021, 5, 6),
    }
    assert last_days
    assert last_days == {key: expected[key] for key in last_days}


def test_the_weeks_of_a_project_end_at_its_own_as_of(marts):
    last_weeks = by_project(
        marts,
        "select project_id, max(week_start_date) as value from marts.fct_throughput "
        "group by project_id",
    )
    assert last_weeks == {
        "harbour": date(2015, 3, 9),
        "lighthouse": date(2019, 7, 1),
        77: date(2024, 2, 5),
        78: date(2021, 5, 3),
    }


def test_as_of_includes_the_newest_acceptance_of_a_dump(marts):
    accepted = "select accepted_story_count, accepted_points from marts.dim_project "
    assert marts.execute(f"{accepted} where project_id = 77").fetchone() == (2, 5)
    assert marts.execute(
        "select count(*), sum(points) from marts.fct_throughput "
        "where project_id = 77 and story_count > 0"
    ).fetchone() == (1, 5)
