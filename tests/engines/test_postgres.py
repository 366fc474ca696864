"""PostgreSQL as a warehouse: one run at a time, one line for each failure, nothing half-written."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from ingest.demo import serve, simulate
from ingest.engines import warehouse_of
from ingest.engines.postgres import PostgresDatabase, settings_of_environment
from ingest.pipeline import make_pipeline, run
from ingest.tables import TABLES
from ingest.warehouse import WarehouseError
from tests.conftest import BIN, ROOT
from tests.engines.comparing import raw_rows
from tests.engines.engines import RAW, DuckDBEngine, PostgresEngine
from tests.engines.hard_values import HARD_STORIES, HARD_TEXTS
from tests.test_pipeline import TWO_LABELS, ListReader

SCHEMAS = "select nspname from pg_namespace where nspname like 'pivotal%'"


@pytest.fixture
def engine(postgres, tmp_path):
    return PostgresEngine.of(postgres, tmp_path / f"db{time.time_ns()}")


@pytest.fixture
def warehouse(engine, monkeypatch):
    for name, value in engine.settings.items():
        monkeypatch.setenv(name, value)
    return PostgresDatabase(settings_of_environment())


def load(warehouse, records=TWO_LABELS, kind="api", **options):
    return run(ListReader(records, **options), kind, "https://tracker.test", warehouse)


def test_hard_values_are_the_same_in_both(engine, warehouse, tmp_path):
    file = DuckDBEngine(tmp_path / "file")
    load(warehouse, HARD_STORIES)
    load(warehouse_of(file.path), HARD_STORIES)
    columns = list(TABLES["stories"].all_columns)
    stored = raw_rows(engine, "stories", columns)
    assert stored == raw_rows(file, "stories", columns)
    assert {row[columns.index("name")] for row in stored} == {
        text.replace("\0", "\ufffd") for text in HARD_TEXTS
    }


def test_a_second_run_loads_nothing_twice_and_removes_what_is_gone(engine, warehouse):
    load(warehouse)
    load(warehouse, {**TWO_LABELS, "labels": TWO_LABELS["labels"][:1]})
    assert engine.query(f"select id, is_removed from {RAW}.labels") == [
        {"id": 1, "is_removed": None}
    ]
    assert engine.query(f"select count(*) as runs from {RAW}.extracts") == [{"runs": 2}]


def test_the_demo_and_real_data_do_not_mix(warehouse):
    load(warehouse, kind="demo")
    with pytest.raises(WarehouseError, match="holds the demo.*set PGDATABASE") as error:
        load(warehouse, kind="api")
    assert "\n" not in str(error.value)


def test_a_failed_first_run_leaves_nothing(engine, warehouse):
    with pytest.raises(WarehouseError, match="gave up"):
        load(warehouse, fails_at="activity")
    assert engine.query(SCHEMAS) == []


def test_a_failed_later_run_leaves_the_warehouse_as_it_was(engine, warehouse):
    load(warehouse)
    with pytest.raises(WarehouseError, match="gave up"):
        load(warehouse, {"stories": [{"id": 8, "project_id": 1}]}, fails_at="activity")
    assert engine.query(f"select id from {RAW}.stories") == [{"id": 7}]


def test_dlt_users_can_read_the_dataset(warehouse):
    load(warehouse)
    assert make_pipeline(warehouse).dataset().labels.df()["name"].tolist() == ["a", "b"]


def test_a_column_that_was_dropped_by_hand_comes_back(engine, warehouse):
    load(warehouse)
    engine.execute(f"alter table {RAW}.labels drop column name")
    load(warehouse)
    assert [row["name"] for row in engine.query(f"select name from {RAW}.labels order by id")] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("delay", [0.05, 0.6, 1.5])
def test_a_run_that_was_killed_while_it_loaded_is_finished_by_the_next(engine, delay):
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
        while process.poll() is None and not engine.query(SCHEMAS):
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = engine.ingest_here("api", **source)
        assert again.returncode == 0, again.stderr
        file = DuckDBEngine(engine.folder / "file")
        assert file.ingest_here("api", **source).returncode == 0
    for name, table in TABLES.items():
        if name != "extracts":
            columns = list(table.all_columns)
            assert raw_rows(engine, name, columns) == raw_rows(file, name, columns), name


# One at a time ----------------------------------------------------------------------------------


def test_a_second_run_at_the_same_time_is_refused_and_told_by_whom(engine, warehouse):
    with warehouse.locked():
        refused = engine.ingest("demo")
    assert refused.returncode == 1
    assert f"in use by python -m ingest (PID {os.getpid()}); wait for it" in refused.stderr
    assert engine.query(SCHEMAS) == []


def test_a_program_that_ingestion_gave_its_place_to_holds_the_lock_until_it_ends(engine, warehouse):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ingest.alone",
            sys.executable,
            "-c",
            "import sys; sys.stdin.read()",
        ],
        cwd=ROOT,
        env=engine.environment(),
        stdin=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 60
        while not _is_held(warehouse):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)
        assert _is_held(warehouse)
    finally:
        holder.kill()
        holder.communicate()
    with warehouse.locked(wait_seconds=10):
        pass


def _is_held(warehouse):
    try:
        with warehouse.locked():
            return False
    except WarehouseError:
        return True


# Failures ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def nobody_listening():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield str(taken.getsockname()[1])


def one_line(process):
    """The only line of an error, without the log's path."""
    assert process.returncode == 1, process.stdout
    (line,) = [each for each in process.stderr.splitlines() if each.startswith("error:")]
    assert "bug" not in line
    return re.sub(r" \(log: .*\)", "", line)


def test_a_server_that_is_down(engine):
    with nobody_listening() as port:
        engine.settings["PGPORT"] = port
        line = one_line(engine.ingest("demo"))
        assert f"postgres://127.0.0.1:{port}/" in line
        assert "does not answer" in line
        assert "set PGHOST and PGPORT" in line
        built = engine.run(sys.executable, "-m", "ingest.alone", BIN / "dbt", "build")
        assert one_line(built) == line


def test_a_wrong_password(engine):
    engine.settings["PGPASSWORD"] = "s3cret-and-wrong"
    done = engine.ingest("demo")
    assert "refuses the login; PGUSER is owner: check it and PGPASSWORD" in one_line(done)
    assert "s3cret" not in done.stdout + done.stderr


def test_a_database_that_does_not_exist(engine):
    engine.settings["PGDATABASE"] = "nowhere"
    assert "there is no such database; make it with createdb nowhere" in one_line(
        engine.ingest("demo")
    )


def test_no_database_named(engine):
    del engine.settings["PGDATABASE"]
    assert "PGDATABASE names no database; set it" in one_line(engine.ingest("demo"))


def test_a_login_without_rights(postgres, engine):
    user = f"reader{time.time_ns()}"
    postgres.execute(f"create role {user} login password 'x'")
    engine.settings |= {"PGUSER": user, "PGPASSWORD": "x"}
    database = engine.settings["PGDATABASE"]
    line = one_line(engine.ingest("demo"))
    assert f'grant create on database "{database}" to "{user}"' in line
    assert postgres.execute(SCHEMAS, database) == []
    postgres.execute(f'grant create on database "{database}" to "{user}"')
    done = engine.ingest("demo")
    assert done.returncode == 0, done.stderr
    built = engine.dbt("run")
    assert built.returncode == 0, built.stdout[-2000:]


def test_a_driver_that_is_not_installed(warehouse, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(WarehouseError, match="needs the package psycopg2; make setup") as error:
        PostgresDatabase(settings_of_environment())
    assert "\n" not in str(error.value)


def test_an_engine_that_does_not_exist(engine):
    engine.settings["WAREHOUSE_TARGET"] = "oracle"
    line = one_line(engine.ingest("demo"))
    assert (
        "WAREHOUSE_TARGET is 'oracle': ingestion writes to duckdb, postgres, files and spark"
        in line
    )
