"""The dlt source in a user's own pipeline, without `ingest.pipeline`."""

import os
import subprocess
import sys

import dlt
import duckdb
import pytest

from ingest import pivotal_tracker_source, source
from ingest.run.settings import SettingsError
from ingest.source import Extract, resources_of
from ingest.tables import TABLES
from ingest.warehouses.configured import PIPELINE_NAME, make_pipeline
from tests.conftest import ROOT
from tests.ingest.test_pipeline import TWO_LABELS, ListReader, RepeatingReader, load


@pytest.fixture
def pipeline(tmp_path):
    return dlt.pipeline(
        "of_somebody_else",
        pipelines_dir=str(tmp_path / "pipelines"),
        destination=dlt.destinations.duckdb(str(tmp_path / "other.duckdb")),
        dataset_name="tracker",
    )


def query(pipeline, statement):
    with pipeline.sql_client() as client:
        return client.execute_sql(statement)


def connection_of(server, **settings):
    return {"base_url": server.base_url, "api_token": server.token, **settings}


def test_a_second_run_replaces_rows_by_their_keys(pipeline):
    for _ in range(2):
        extract = Extract(ListReader(TWO_LABELS), "api", "https://tracker.test")
        pipeline.run(resources_of(extract))
    assert query(pipeline, "select id, name from labels order by id") == [(1, "a"), (2, "b")]
    assert query(pipeline, "select source_name from extracts") == [("https://tracker.test",)] * 2


@pytest.mark.parametrize("pages", [1, 2], ids=["one page", "two pages"])
def test_the_newer_of_two_rows_with_the_same_key_is_loaded(pipeline, monkeypatch, pages):
    monkeypatch.setattr(source, "_BATCH_BYTES", 1)
    days = ({"updated_at": f"2024-01-0{day}T00:00:00Z"} for day in (2, 1))
    reader = RepeatingReader(*days, pages)
    pipeline.run(resources_of(Extract(reader, "api", "https://tracker.test")))
    assert query(pipeline, "select name from labels") == [("first",)]
    assert query(pipeline, "select records_count from extracts") == [(1,)]


def test_a_record_of_the_api_is_nested_no_deeper_than_configured(demo_server, pipeline):
    tracker = pivotal_tracker_source(**connection_of(demo_server, nested_levels=2))
    pipeline.run(tracker.with_resources("stories", "rejected_rows"))
    assert query(pipeline, "select count(*) from stories where labels != '[]'") == [(0,)]
    refused = query(pipeline, "select distinct reason from rejected_rows")
    assert refused == [("nested more than 2 levels deep",)]


@pytest.mark.slow
def test_the_script_loads_every_table_without_other_settings(demo_server, tmp_path):
    settings = connection_of(demo_server)
    environment = os.environ | {
        f"SOURCES__PIVOTAL_TRACKER_SOURCE__{name.upper()}": value
        for name, value in settings.items()
    }
    finished = subprocess.run(
        [sys.executable, str(ROOT / "pivotal_tracker_pipeline.py")],
        cwd=tmp_path,
        env=environment | {"DLT_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert "contains no failed jobs" in finished.stdout
    path = tmp_path / "pivotal_tracker_pipeline.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = dict(
            connection.execute(
                "select table_name, estimated_size from duckdb_tables() "
                "where schema_name = 'pivotal_tracker_data' and table_name not like '\\_dlt%' "
                "escape '\\'"
            ).fetchall()
        )
    assert rows.keys() == TABLES.keys()
    assert (rows["projects"], rows["stories"], rows["activity"]) == (8, 1794, 30018)


def test_only_selected_tables_are_requested(demo_server, tmp_path):
    pipeline = dlt.pipeline(
        "selected",
        pipelines_dir=str(tmp_path / "pipelines"),
        destination=dlt.destinations.filesystem(str(tmp_path / "lake")),
        dataset_name="tracker",
    )
    before = demo_server.request_count
    pipeline.run(
        pivotal_tracker_source(**connection_of(demo_server)).with_resources("stories", "projects")
    )
    asked = {request.path.rpartition("/")[2] for request in demo_server.requests[before:]}
    assert asked == {"projects", "stories"}
    counts = dict(pipeline.dataset().row_counts().fetchall())
    assert counts == {"stories": 1794, "projects": 8}


def test_chosen_projects_are_read(demo_server, pipeline):
    everything = pivotal_tracker_source(**connection_of(demo_server, project_ids=[2600001]))
    pipeline.run(everything.with_resources("projects", "epics"))
    assert query(pipeline, "select distinct project_id from epics") == [(2600001,)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"api_token": ""}, "no api_token is configured"),
        ({"api_tokens": "x"}, "there is no setting api_tokens"),
        ({"api_token": "x", "max_in_flight": 0}, "max_in_flight is 0"),
    ],
    ids=["no token", "unknown setting", "invalid value"],
)
def test_an_invalid_setting_is_named(settings, message):
    with pytest.raises(SettingsError, match=message):
        pivotal_tracker_source(**settings)


def test_pending_data_of_a_script_is_not_loaded_into_the_warehouse(tmp_path):
    """`pivotal_tracker_pipeline.py` has the same pipeline name and folder as `python -m ingest`."""
    path = tmp_path / "w.duckdb"
    load(path)
    script = dlt.pipeline(
        PIPELINE_NAME,
        pipelines_dir=make_pipeline(path).pipelines_dir,
        destination=dlt.destinations.duckdb(str(tmp_path / "other.duckdb")),
        dataset_name="pivotal_tracker_data",
    )
    reader = ListReader({"stories": [{"id": 9, "project_id": 1, "name": "Elsewhere"}]})
    script.extract(resources_of(Extract(reader, "api", "https://other.test")))
    load(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("select id from pivotal_tracker_data.stories").fetchall()
    assert found == [(7,)]
