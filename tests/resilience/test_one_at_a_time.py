"""A second program waits, or reports in one line who is using the warehouse."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from ingest.warehouses.duckdb import file as warehouse
from simulator import ServerOptions, serve
from tests.conftest import BIN, ROOT, dbt, environment
from tests.ingest.test_pipeline import TWO_LABELS, load
from tests.resilience.conftest import RAW, ingest_project, query


@pytest.fixture
def load_again(tiny_workspace, path):
    """A function that loads a project into a loaded warehouse again."""
    load(path, TWO_LABELS)
    with serve(tiny_workspace) as server:
        yield partial(ingest_project, server, path)


def start(*command, path):
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(
            path, DBT_TARGET_PATH=str(path.parent / "t"), DBT_LOG_PATH=str(path.parent)
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until_open(path, by):
    """Wait until a process has the file open, without opening it and blocking that process."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for file in Path(f"/proc/{by}/fd").iterdir():
            with contextlib.suppress(OSError):
                if file.readlink() == path:
                    return
        time.sleep(0.05)
    raise AssertionError(f"{by} never opened {path}")


def test_ingestion_waits_for_a_running_dbt_or_names_it(load_again, path):
    endless = "select count(*) as n from range(10000000) as a, range(10000000) as b"
    running = start(BIN / "dbt", "show", "--inline", endless, path=path)
    try:
        wait_until_open(path, running.pid)
        refused = load_again()
        assert refused.returncode == 1
        assert f"(PID {running.pid})" in refused.stderr
        assert "--wait" in refused.stderr
        assert "Traceback" not in refused.stderr
        threading.Timer(1, running.kill).start()
        waited = load_again("--wait", "30")
    finally:
        running.kill()
        running.communicate()
    assert waited.returncode == 0, waited.stderr
    assert f"waiting up to 30 s: {path} is in use by" in waited.stderr


OPEN_FILE_SCRIPT = (
    "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=True); time.sleep(60)"
)


@pytest.mark.parametrize("seconds", ["0", "30"])
def test_a_program_that_opens_the_file_during_reading_delays_only_the_load(
    tiny_workspace, path, seconds
):
    """It blocks only the load, to which --wait applies, and the data already read is not lost."""
    load(path, TWO_LABELS)
    readers = []

    def before_request(request):
        if request.path.endswith("/labels") and not readers:
            readers.append(start(sys.executable, "-c", OPEN_FILE_SCRIPT, str(path), path=path))
            wait_until_open(path, readers[0].pid)
            if seconds != "0":
                threading.Timer(3, readers[0].kill).start()

    options = ServerOptions(before_request=before_request)
    with serve(tiny_workspace, options=options) as server:
        finished = ingest_project(server, path, "--wait", seconds)
    readers[0].kill()
    readers[0].communicate()
    if seconds == "0":
        assert finished.returncode == 1
        assert f"(PID {readers[0].pid})" in finished.stderr.splitlines()[-1]
        load(path, TWO_LABELS)  # the next run first loads what had been read
    else:
        assert finished.returncode == 0, finished.stderr
    assert query(path, f"select count(*) > 0 from {RAW}.epics") == [(True,)]


def test_dbt_names_the_program_that_is_loading(load_again, path):
    with warehouse.locked(path), warehouse.reserved(path):
        plain = dbt("show", "--inline", "select 1 as one", warehouse=path)
        alone = start(
            sys.executable, "-m", "ingest.warehouses.exclusive", "dbt", "build", path=path
        )
        output, _ = alone.communicate(timeout=60)
    assert plain.returncode != 0
    assert f"(PID {os.getpid()})" in plain.stdout
    assert alone.returncode == 1
    assert output.startswith(f"error: {path} is in use by python -m ingest (PID {os.getpid()})")
    assert output.count("\n") == 1


def test_an_exclusive_command_waits_for_the_warehouse_and_locks_it(load_again, path):
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with warehouse.locked(path):
        program = start(
            sys.executable, "-m", "ingest.warehouses.exclusive", "--wait", "60",
            sys.executable, "-c", code,
            path=path,
        )  # fmt: skip
        assert program.stdout.readline().startswith(f"waiting up to 60 s: {path} is in use by")
    try:
        assert int(program.stdout.readline()) == program.pid
        refused = load_again()
        assert refused.returncode == 1
        assert f"{path} is in use by python" in refused.stderr
        assert f"(PID {program.pid})" in refused.stderr
    finally:
        program.send_signal(signal.SIGKILL)
        program.communicate()
    assert load_again().returncode == 0


def test_the_exit_code_is_that_of_the_exclusive_command(path):
    alone = (sys.executable, "-m", "ingest.warehouses.exclusive")
    ended = start(*alone, sys.executable, "-c", "raise SystemExit(3)", path=path)
    ended.communicate(timeout=60)
    assert ended.returncode == 3
    missing = start(*alone, "no-such-program", path=path)
    assert missing.communicate(timeout=60)[0] == "error: no-such-program: program not found\n"
    assert missing.returncode == 1
