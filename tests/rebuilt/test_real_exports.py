"""The real exports, loaded together, build, and state nothing that their files do not contain."""

import duckdb
import pytest

from tests.conftest import build, ingest_process
from tests.ingest.archive.samples import shared_folder

EXPORTS = shared_folder("exports")
pytestmark = pytest.mark.skipif(EXPORTS is None, reason="../shared/exports is not there")


@pytest.fixture(scope="module")
def marts(tmp_path_factory):
    warehouse = tmp_path_factory.mktemp("exports") / "warehouse.duckdb"
    ingest_process("archive", str(EXPORTS), warehouse=warehouse)  # 1: two files are refused whole
    built = build(warehouse=warehouse)
    assert built.returncode == 0, built.stdout[-3000:]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("use warehouse.marts")
        yield connection


def values(marts, statement):
    return {value for (value,) in marts.execute(statement).fetchall()}


def test_each_project_ends_with_its_own_export(marts):
    years = values(marts, "select extract(year from as_of) from dim_project")
    assert years == {2010, 2014, 2015, 2019}
    late = "select flow_date from fct_flow_daily join dim_project using (project_id)"
    assert values(marts, f"{late} where flow_date > cast(as_of as date)") == set()


def test_no_figure_is_made_up_without_a_history(marts):
    assert values(marts, "select is_history_known from dim_story") == {False}
    assert values(marts, "select cycle_time_seconds from fct_story_cycle_time") == {None}
    assert values(marts, "select velocity_source from dim_project") <= {None, "computed"}
    assert values(marts, "select rejection_rate from fct_iteration_velocity") <= {None}
    unknown = "select story_state from fct_flow_daily where story_count > 0"
    assert "unknown" in values(marts, unknown)


def test_what_a_csv_does_give_is_there(marts):
    (accepted,) = values(marts, "select count(*) from fct_acceptance where accepted_at is not null")
    (lead_times,) = values(marts, "select count(lead_time_seconds) from fct_story_cycle_time")
    assert accepted == lead_times == 33
