"""PostgreSQL as a warehouse: one run at a time, one-line errors, and no partial loads."""

import contextlib
import socket
import subprocess
import sys
import time

import pytest

from ingest.warehouses.base import WarehouseError
from ingest.warehouses.configured import make_pipeline
from ingest.warehouses.postgres.warehouse import PostgresDatabase, environment_settings
from simulator import serve, simulate
from tests.conftest import BIN, ROOT
from tests.engines.engines import RAW, DuckDBEngine, PostgresEngine
from tests.engines.loading import assert_loads_like, kill_a_run, load, one_line

SCHEMAS = "select nspname from pg_namespace where nspname like 'pivotal%'"


@pytest.fixture
def engine(postgres, tmp_path):
    return PostgresEngine.of(postgres, tmp_path / f"db{time.time_ns()}")


@pytest.fixture
def warehouse(engine, monkeypatch):
    for name, value in engine.settings.items():
        monkeypatch.setenv(name, value)
    return PostgresDatabase(environment_settings())


def test_a_failed_first_run_leaves_nothing(engine, warehouse):
    with pytest.raises(WarehouseError, match="gave up"):
        load(warehouse, fails_at="activity")
    assert engine.query(SCHEMAS) == []


def test_dlt_users_can_read_the_dataset(warehouse):
    load(warehouse)
    assert make_pipeline(warehouse).dataset().labels.df()["name"].tolist() == ["a", "b"]


def test_jit_is_off_in_sessions_of_the_login(engine, warehouse):
    assert engine.query("show jit") == [{"jit": "on"}]
    load(warehouse)
    assert engine.query("show jit") == [{"jit": "off"}]


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
        kill_a_run(engine, server, lambda: engine.query(SCHEMAS), delay)
        assert_loads_like(engine, DuckDBEngine(engine.folder / "file"), server)


# One at a time ----------------------------------------------------------------------------------


def test_a_program_started_by_exec_holds_the_lock_until_it_ends(engine, warehouse):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ingest.warehouses.exclusive",
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


def test_a_server_that_is_down(engine):
    with nobody_listening() as port:
        engine.settings["PGPORT"] = port
        line = one_line(engine.ingest("demo"))
        assert f"postgres://127.0.0.1:{port}/" in line
        assert "does not answer" in line
        assert "set PGHOST and PGPORT" in line
        built = engine.run(
            sys.executable, "-m", "ingest.warehouses.exclusive", BIN / "dbt", "build"
        )
        assert one_line(built) == line


def test_a_wrong_password(engine):
    engine.settings["PGPASSWORD"] = "s3cret-and-wrong"
    done = engine.ingest("demo")
    assert "refuses the login; PGUSER is owner: check it and PGPASSWORD" in one_line(done)
    assert "s3cret" not in done.stdout + done.stderr


def test_a_database_that_does_not_exist(engine):
    engine.settings["PGDATABASE"] = "nowhere"
    assert "the database does not exist; create it with createdb nowhere" in one_line(
        engine.ingest("demo")
    )


def test_no_database_is_configured(engine):
    del engine.settings["PGDATABASE"]
    assert "PGDATABASE is not set; set it" in one_line(engine.ingest("demo"))


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
    with pytest.raises(
        WarehouseError, match="requires the package psycopg2; run make setup"
    ) as error:
        PostgresDatabase(environment_settings())
    assert "\n" not in str(error.value)


def test_an_engine_that_does_not_exist(engine):
    engine.settings["WAREHOUSE_TARGET"] = "oracle"
    line = one_line(engine.ingest("demo"))
    assert (
        "WAREHOUSE_TARGET is 'oracle': ingestion writes to duckdb, postgres, files and spark"
        in line
    )
