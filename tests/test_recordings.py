"""Marts built from recorded responses have the same figures as Tracker."""

import duckdb
import pytest

from tests.conftest import TRACKERS_FIGURES, dbt, ingest
from tests.support.replay import PROJECT_ID, recordings_folder, replay_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        recordings_folder() is None,
        reason="the recordings are not here (set TRACKER_RECORDINGS to their folder)",
    ),
    pytest.mark.xdist_group("recordings"),  # so that they are built only once
]

# The time at which Tracker computed its `cycle_time_details` of these stories.
AS_OF = "2019-07-10T04:11:50Z"
CLOCK = "Wed, 10 Jul 2019 04:11:50 GMT"


@pytest.fixture(scope="module")
def marts(tmp_path_factory):
    """A connection to marts built from the recordings, as of `AS_OF`."""
    path = tmp_path_factory.mktemp("recordings") / "warehouse.duckdb"
    with replay_server(recordings_folder(), CLOCK) as server:
        loaded = ingest(
            warehouse=path, api_token="0" * 32, base_url=server.base_url, **TRACKERS_FIGURES
        )
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


def test_the_unaccept_is_an_undone_acceptance_and_a_rejection(marts):
    assert row(
        marts,
        "select is_undone, accepted_to_undone_seconds, undone_to_state, is_first_pass "
        "from marts.fct_acceptance where story_id = 66728000",
    ) == (True, 327, "rejected", True)
    assert row(
        marts,
        "select is_unaccept, rejection_number, outcome, delivered_at "
        "from marts.fct_rejection where story_id = 66728000",
    ) == (True, 1, "open", None)


def test_every_recorded_record_is_in_its_mart(marts):
    counts = {
        "dim_project": 1, "dim_label": 21, "dim_epic": 2, "dim_release": 3, "dim_iteration": 28,
        "fct_activity": 81,
    }  # fmt: skip
    for mart, count in counts.items():
        assert row(marts, f"select count(*) from marts.{mart}") == (count,), mart
    assert row(marts, "select count(*) from marts.dim_story where not is_deleted") == (70,)


def test_the_recorded_project_is_described(marts):
    assert row(
        marts,
        "select project_id, time_zone, week_start_day, initial_velocity, current_velocity, "
        "point_scale from marts.dim_project",
    ) == (PROJECT_ID, "America/Los_Angeles", "Monday", 10, 10, "0,1,2,3")


def test_accepted_points_equal_trackers(marts):
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


def test_differences_from_trackers_figures_have_a_known_cause(marts):
    verdicts = marts.execute(
        "select entity_kind, verdict, count(*) from marts.fct_reconciliation group by all"
    ).fetchall()
    # The project's record is from 2017; two years later another iteration is current.
    assert set(verdicts) == {
        ("iteration", "equal", 6),
        ("iteration", "explained", 2),
        ("project", "equal", 1),
        ("project", "different", 1),
    }


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The reconciliation of all recordings, read as JSON files."""
    path = tmp_path_factory.mktemp("archive") / "warehouse.duckdb"
    loaded = ingest("archive", str(recordings_folder()), warehouse=path)
    assert loaded.returncode == 1, loaded.stdout + loaded.stderr  # XML files are refused
    built = dbt("run", "--select", "+fct_reconciliation", warehouse=path)
    assert built.returncode == 0, built.stdout
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def test_recorded_cycle_times_are_equal_or_explained(archive):
    verdicts = archive.execute(
        "select verdict, count(*) from marts.fct_reconciliation where entity_kind = 'story' "
        "group by all"
    ).fetchall()
    assert dict(verdicts) == {"equal": 49, "explained": 108}
    assert archive.execute(
        "select count(*) from marts.fct_reconciliation where verdict = 'different'"
    ).fetchone() == (0,)


def test_the_golden_story_has_aged_since_tracker_computed_its_cycle_time(archive):
    assert archive.execute(
        "select explanation, tracker_value from marts.fct_reconciliation "
        "where reconciliation_key = 'story-66728030-total_cycle_time'"
    ).fetchone() == ("its clock ran on after Tracker gave it", 69_326_134_000)
