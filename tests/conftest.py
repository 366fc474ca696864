"""Shared fixtures and helpers: the demo workspace, its server, and a warehouse built from it."""

import collections
import contextlib
import fcntl
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path
from unittest import mock

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
SECTION = "SOURCES__PIVOTAL_TRACKER_SOURCE__"
BIN = Path(sys.executable).parent
WITH_UNIT_TESTS = ("--vars", "unit_tests: true")
IS_SLOW_RUN = "SLOW" in os.environ  # as `make test SLOW=1` sets it, for all tests
TRACKERS_FIGURES = {
    "history_days": "true",
    "cycle_time_details": "true",
    "iteration_analytics": "true",
}

hypothesis.settings.register_profile(
    "ours",
    max_examples=200 if IS_SLOW_RUN else 40,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ours")


def environment(warehouse, **settings):
    """The process environment without settings of this machine, plus the given ones."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SOURCES__", "DBT_", "WAREHOUSE_", "MARTS_PATH"))
    }
    logs = {"INGEST_LOG_PATH": str((ROOT / warehouse).parent / "logs")}
    return inherited | {"WAREHOUSE_PATH": str(warehouse)} | logs | settings


def ingest(*arguments, warehouse, engine=None, **settings):
    """Run the command line of ingestion in this process; settings as in `ingest_process`.

    `engine` has the environment variables of a warehouse other than the DuckDB file.
    """
    from ingest.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(
            os.environ, _ingest_environment(warehouse, settings) | (engine or {}), clear=True
        ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def ingest_process(*arguments, warehouse, **settings):
    """Run `python -m ingest`; settings are those of `pivotal_tracker_source`."""
    return subprocess.run(
        [sys.executable, "-m", "ingest", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env=_ingest_environment(warehouse, settings),
    )


def _ingest_environment(warehouse, settings):
    named = {SECTION + name.upper(): str(value) for name, value in settings.items()}
    return environment(warehouse, **named)


def dbt(*arguments, warehouse, cwd=ROOT, artifacts=None, **settings):
    """Run dbt on a warehouse; target and logs go to `artifacts`, by default beside the file."""
    folder = artifacts or (ROOT / warehouse).parent
    return _run_dbt([BIN / "dbt", *arguments], cwd, warehouse, folder, settings)


def build(*arguments, warehouse, **settings):
    """Build and publish beside the warehouse, as `make build` does."""
    folder = (ROOT / warehouse).parent
    settings = {"MARTS_PATH": str(folder / "marts.duckdb")} | settings
    command = [sys.executable, "-m", "bi.build", *arguments]
    return _run_dbt(command, ROOT, warehouse, folder, settings)


def _run_dbt(command, cwd, warehouse, folder, settings):
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        env=environment(
            warehouse,
            DBT_TARGET_PATH=str(folder / "target"),
            DBT_LOG_PATH=str(folder / "logs"),
            **settings,
        ),
    )


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items):
    """Run all tests of the built demo in one worker, so that it is built only once.

    Of a test marked `one_in(n)`, leave all variants but each nth to CI.
    """
    variants = collections.Counter()
    for item in items:
        if sampled := item.get_closest_marker("one_in"):
            test = item.nodeid.partition("[")[0]
            if variants[test] % sampled.args[0]:
                item.add_marker(pytest.mark.slow)
            variants[test] += 1
        if "built_warehouse" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("built warehouse"))


@pytest.fixture(scope="session")
def workspace():
    """The demo's workspace; tests that change a workspace create their own."""
    from simulator import simulate

    return simulate()


@pytest.fixture(scope="session")
def demo_server(workspace):
    from simulator import serve

    with serve(workspace) as server:
        yield server


@pytest.fixture(scope="session")
def built_warehouse(demo_server, tmp_path_factory):
    """A warehouse with the demo, ingested and built with the users' commands.

    It includes Tracker's own figures, for the reconciliation.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:  # fails if the tests run in several workers after all
        (tmp_path_factory.getbasetemp().parent / "demo-is-built-once").touch(exist_ok=False)
    path = tmp_path_factory.mktemp("demo") / "warehouse.duckdb"
    loaded = ingest_process("demo", warehouse=path, **TRACKERS_FIGURES)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    built = build(*WITH_UNIT_TESTS, warehouse=path)
    assert built.returncode == 0, built.stdout + built.stderr
    return path


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The compiled models; the first worker compiles them for all."""
    from tests.support.marts import compiled_models

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / "compiled_models.pickle"
    with (folder / "compiled_models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            compiled = compiled_models(folder / "compiled" / "warehouse.duckdb")
            kept.write_bytes(pickle.dumps(compiled))
    return pickle.loads(kept.read_bytes())
