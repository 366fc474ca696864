"""Real recorded answers flow through to the marts, and give the figures that Tracker gave."""

import duckdb
import pytest

from tests.conftest import dbt, ingest
from tests.support.replay import PROJECT_ID, recordings_folder, replay_server

pytestmark = pytest.mark.skipif(
    recordings_folder() is None,
    reason="the recordings are not here (set TRACKER_RECORDINGS to their folder)",
)

# The instant at which Tracker's own `cycle_time_details` of these stories were computed.
AS_OF = "2019-07-10T04:11:50Z"


@pytest.fixture(scope="module")
def marts(tmp_path_factory):
    """A connection to marts built from the recordings, as of `AS_OF`."""
    path = tmp_path_factory.mktemp("recordings") / "warehouse.duckdb"
    with replay_server(recordings_folder()) as server:
        loaded = ingest(warehouse=path, api_token="0" * 32, base_url=server.base_url)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    built = dbt(
        "build", "--exclude-resource-type", "unit_test", "--vars", f"as_of: {AS_OF}",
        warehouse=path,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def row(marts, statement):
    return marts.execute(statement).fetchone()


def test_six_starts_add_up_to_trackers_cycle_time(marts):
    assert row(
        marts,
        "select started_count, cycle_time_seconds, elapsed_cycle_time_seconds, started_seconds "
        "from marts.fct_story_cycle_time where story_id = 66728030",
    ) == (6, 69_326_134, 69_327_025, 69_326_134)


def test_an_unaccepted_story_runs_from_its_rejection(marts):
    assert row(
        marts,
        "select rejected_count, unaccepted_count, cycle_time_seconds, rejected_seconds, "
        "is_accepted, accepted_at from marts.fct_story_cycle_time where story_id = 66728000",
    ) == (1, 1, 79_244_519, 79_244_519, False, None)


def test_every_recorded_record_is_in_its_mart(marts):
    counts = {
        "dim_project": 1,
        "dim_label": 21,
        "dim_epic": 2,
        "dim_release": 3,
        "dim_iteration": 28,
        "fct_activity": 81,
    }
    for mart, count in counts.items():
        assert row(marts, f"select count(*) from marts.{mart}") == (count,), mart
    assert row(marts, "select count(*) from marts.dim_story where not is_deleted") == (70,)


def test_the_recorded_project_is_described(marts):
    assert row(
        marts,
        "select project_id, time_zone, week_start_day, initial_velocity, current_velocity, "
        "point_scale from marts.dim_project",
    ) == (PROJECT_ID, "America/Los_Angeles", "Monday", 10, 10, "0,1,2,3")


def test_accepted_points_equal_trackers_own(marts):
    differences = marts.execute(
        """
        select iteration_key, accepted_points, tracker_accepted_points
        from marts.fct_iteration_velocity
        inner join staging.stg_pivotal_tracker__iterations using (iteration_key)
        where accepted_points is distinct from tracker_accepted_points
            and tracker_accepted_points is not null
        """
    ).fetchall()
    assert differences == []
