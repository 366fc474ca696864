"""Shared helpers of the engine tests: loading, killing a run, comparing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from ingest.pipeline import run
from ingest.tables import TABLES
from tests.conftest import ROOT, SECTION
from tests.engines.comparing import raw_rows
from tests.engines.engines import Engine
from tests.ingest.test_pipeline import TWO_LABELS, ListReader


def load(warehouse, records=TWO_LABELS, kind="api", name="https://tracker.test", **options):
    return run(ListReader(records, **options), kind, name, warehouse)


def source_of(server) -> dict[str, str]:
    return {"base_url": server.base_url, "api_token": server.token}


def kill_a_run(engine: Engine, server, is_time: Callable[[], bool], delay: float = 0) -> None:
    """Load from a server, and kill the process `delay` seconds after a condition is met."""
    settings = {SECTION + name.upper(): value for name, value in source_of(server).items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "api"],
        cwd=ROOT,
        env=engine.environment() | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not is_time():
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()


def assert_loads_like(engine: Engine, file: Engine, server) -> None:
    """Load both from a server, and compare their raw tables."""
    for each in (engine, file):
        done = each.ingest_here("api", **source_of(server))
        assert done.returncode == 0, done.stderr
    assert_same_rows(engine, file)


def assert_same_rows(engine: Engine, file: Engine, but: tuple[str, ...] = ("extracts",)) -> None:
    """Compare every raw table cell by cell, except (by default) the records of the runs."""
    for name, table in TABLES.items():
        if name not in but:
            columns = list(table.all_columns)
            assert raw_rows(engine, name, columns) == raw_rows(file, name, columns), name


def one_line(process: subprocess.CompletedProcess) -> str:
    """The one-line error message, without the log's path."""
    assert process.returncode == 1, process.stdout
    (line,) = [each for each in process.stderr.splitlines() if each.startswith("error:")]
    assert "bug" not in line
    return re.sub(r" \(log: .*\)", "", line)
