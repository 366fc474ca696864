"""Raw tables as files: one run at a time, one line for each failure, nothing twice or half."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.demo import serve, simulate
from ingest.engines import configured_warehouse, warehouse_of
from ingest.pipeline import run
from ingest.tables import TABLES
from ingest.warehouse import WarehouseError
from tests.conftest import ROOT
from tests.engines.comparing import raw_rows
from tests.engines.engines import RAW, DuckDBEngine, FilesEngine
from tests.engines.hard_values import HARD_STORIES, HARD_TEXTS
from tests.engines.s3_server import s3_server
from tests.exactness.histories import world_of
from tests.test_pipeline import TWO_LABELS, ListReader


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def in_a_folder(tmp_path, **settings):
    """Whose name has what an URL has to quote."""
    named = {"WAREHOUSE_TARGET": "files", "WAREHOUSE_FILES": str(tmp_path / "raw ü 100%")}
    return FilesEngine(tmp_path, named | settings)


def in_a_bucket(server, tmp_path):
    bucket = f"bucket-{time.time_ns()}"
    server.create_bucket(bucket)
    return FilesEngine(tmp_path, server.settings(bucket))


@pytest.fixture(params=["folder", "bucket"])
def engine(request, tmp_path):
    if request.param == "folder":
        return in_a_folder(tmp_path)
    return in_a_bucket(request.getfixturevalue("s3"), tmp_path)


@pytest.fixture
def warehouse(engine, monkeypatch):
    for name, value in engine.settings.items():
        monkeypatch.setenv(name, value)
    return configured_warehouse()


def load(warehouse, records=TWO_LABELS, kind="api", **options):
    return run(ListReader(records, **options), kind, "https://tracker.test", warehouse)


def assert_same_rows(engine, file):
    """Every raw table, but for what each run tells of itself."""
    for name, table in TABLES.items():
        if name != "extracts":
            columns = list(table.all_columns)
            assert raw_rows(engine, name, columns) == raw_rows(file, name, columns), name


# Delta tables, in a folder and on S3 -------------------------------------------------------------


def test_hard_values_are_those_of_duckdb(engine, warehouse, tmp_path):
    file = DuckDBEngine(tmp_path / "file")
    load(warehouse, HARD_STORIES)
    load(warehouse_of(file.path), HARD_STORIES)
    assert_same_rows(engine, file)
    assert {row["name"] for row in engine.query(f"select name from {RAW}.stories")} == {
        text.replace("\0", "\ufffd") for text in HARD_TEXTS
    }


def test_a_second_run_loads_nothing_twice_and_removes_what_is_gone(engine, warehouse):
    load(warehouse)
    load(warehouse, {**TWO_LABELS, "labels": TWO_LABELS["labels"][:1]})
    assert engine.query(f"select id, is_removed from {RAW}.labels") == [
        {"id": 1, "is_removed": None}
    ]
    assert engine.query(f"select count(*) as runs from {RAW}.extracts") == [{"runs": 2}]


def test_syncs_step_by_step_give_the_rows_that_duckdb_has(tmp_path):
    engine, file = in_a_folder(tmp_path), DuckDBEngine(tmp_path / "file")
    world = world_of(range(12))
    with serve(world.workspace) as server:
        for epoch in range(len(world.cuts.syncs_at)):
            world.play(epoch)
            for each in (engine, file):
                done = each.ingest_here("api", base_url=server.base_url, api_token=server.token)
                assert done.returncode == 0, done.stderr
            assert_same_rows(engine, file)
        again = engine.ingest_here("api", base_url=server.base_url, api_token=server.token)
        assert "unchanged" in again.stdout
        assert_same_rows(engine, file)


def test_the_demo_and_real_data_do_not_mix(warehouse):
    load(warehouse, kind="demo")
    with pytest.raises(WarehouseError, match="holds the demo.*set WAREHOUSE_FILES") as error:
        load(warehouse, kind="api")
    assert "\n" not in str(error.value)


def test_a_failed_first_run_leaves_nothing(tmp_path, monkeypatch):
    engine = in_a_folder(tmp_path)
    for name, value in engine.settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WarehouseError, match="gave up"):
        load(configured_warehouse(), fails_at="activity")
    assert list(Path(engine.url).iterdir()) == [Path(engine.url, ".lock")]


def test_a_failed_later_run_leaves_the_files_as_they_were(engine, warehouse):
    load(warehouse)
    with pytest.raises(WarehouseError, match="gave up"):
        load(warehouse, {"stories": [{"id": 8, "project_id": 1}]}, fails_at="activity")
    assert engine.query(f"select id from {RAW}.stories") == [{"id": 7}]


@pytest.mark.parametrize("tables", [1, 10])
def test_a_run_that_was_killed_while_it_loaded_is_finished_by_the_next(tmp_path, tables):
    engine = in_a_folder(tmp_path)
    with serve(simulate(stories=60)) as server:
        source = {"base_url": server.base_url, "api_token": server.token}
        settings = {f"SOURCES__PIVOTAL_TRACKER_SOURCE__{k.upper()}": v for k, v in source.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", "api"],
            cwd=ROOT,
            env=engine.environment() | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and _written(engine) < tables:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was through before it could be killed"
        again = engine.ingest_here("api", **source)
        assert again.returncode == 0, again.stderr
        file = DuckDBEngine(tmp_path / "file")
        assert file.ingest_here("api", **source).returncode == 0
    assert_same_rows(engine, file)


def _written(engine):
    return len(list(Path(engine.url).glob(f"{RAW}/*/_delta_log/*.json")))


# One at a time ----------------------------------------------------------------------------------


def test_a_second_run_at_the_same_time_is_refused_and_told_by_whom(engine, warehouse):
    with warehouse.locked():
        refused = engine.ingest_here("demo")
    assert refused.returncode == 1
    assert f"in use by python -m ingest (PID {os.getpid()}); wait for it" in refused.stderr
