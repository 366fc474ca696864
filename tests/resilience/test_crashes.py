"""kill -9 at any time: the next run repairs whatever the killed one left.

`KILLS=100 pytest tests/resilience/test_crashes.py` sets the number of kills.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.pipeline import KEPT_PACKAGES
from ingest.warehouses.configured import make_pipeline
from simulator import ServerOptions, serve, simulate
from tests.conftest import ROOT, SECTION, environment
from tests.ingest.test_pipeline import TWO_LABELS, load
from tests.resilience.conftest import (
    assert_same_rows,
    ingest_project,
    leftovers,
    raw_tables,
    rows_of_the_server,
)

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("KILLS_SEED", "7"))
# The maximum delay of a kill after the start of its phase, in seconds.
PHASES = {"starting": 0.1, "reading": 0.6, "normalising": 0.1, "loading": 0.8, "ending": 0.3}


class IngestProcess:
    """A real `python -m ingest` process, observed through the files that it creates."""

    def __init__(self, server, path, project_id, program=("-m", "ingest")):
        self.path = path
        self.working = Path(make_pipeline(path).working_dir)
        self.was_loading = False
        settings = {"API_TOKEN": server.token, "BASE_URL": server.base_url}
        self.process = subprocess.Popen(
            [sys.executable, *program, "--project", str(project_id)],
            cwd=ROOT,
            env=environment(path, **{SECTION + name: value for name, value in settings.items()}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def phase(self):
        """The current phase of the process, or the phase in which it was killed."""
        if self._has_packages_in("load/normalized"):
            self.was_loading = True
            return "loading"
        if self.was_loading:
            return "ending"
        if self._has_packages_in("normalize/extracted"):
            return "normalising"
        if self._is_reading():
            return "reading"
        return "starting" if self._has_locked() else "importing"

    def kill_in(self, phase, delay):
        """Kill it a moment after the phase starts. Returns its phase; None if it had finished."""
        while self.process.poll() is None and self.phase() != phase:
            time.sleep(0.001)
        time.sleep(delay)
        self.process.send_signal(signal.SIGKILL)
        return self.phase() if self.process.wait() == -signal.SIGKILL else None

    def _has_locked(self):
        lock = self.path.with_name(self.path.name + ".lock")
        return lock.exists() and str(self.process.pid) in lock.read_text()

    def _is_reading(self):
        return any(each.name != "extracted" for each in self._entries("normalize"))

    def _has_packages_in(self, folder):
        return bool(self._entries(folder))

    def _entries(self, folder):
        """The entries of a folder, which the process may remove at the same time."""
        try:
            return list((self.working / folder).iterdir())
        except FileNotFoundError:
            return []


# Moments too short to hit by chance: a method of dlt, and the point at which it is killed.
KILL_POINTS = {
    "a file is committed but not recorded": (
        "dlt.common.storages.load_package",
        "PackageStorage.save_pending_transition",
        "die() if arguments[1].startswith('activity.') else original(self, *arguments, **named)",
    ),
    "the extracted package is half deleted": (
        "dlt.common.storages.load_package",
        "PackageStorage.delete_package",
        "shutil.rmtree(os.path.join(self.storage.storage_path, arguments[0], 'new_jobs')); die()",
    ),
    "the package is recorded as loaded but not moved": (
        "dlt.common.storages.load_package",
        "PackageStorage.complete_loading_package",
        "original(self, *arguments, **named); die()",
    ),
}
KILL_SCRIPT = """
import importlib, os, shutil, signal, sys
module, name, deed = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
holder, _, method = name.partition(".")
kind = getattr(importlib.import_module(module), holder)
original = getattr(kind, method)
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
def dying(self, *arguments, **named):
    if named.get("not_exists_ok"):
        return original(self, *arguments, **named)
    exec(deed)
setattr(kind, method, dying)
from ingest.__main__ import main
main()
"""


@contextmanager
def slow_server(workspace):
    """A slow server, so that a kill can hit the time between two requests."""
    options = ServerOptions(before_request=lambda request: time.sleep(0.01))
    with serve(workspace, options=options) as server:
        yield server


def change(workspace, project_id, number):
    """Change something, so that a run that loads nothing is detected."""
    workspace.advance_to(workspace.now + 60)
    story = workspace.create_story(project_id, f"Written before kill {number}")
    workspace.add_comment(story.id, f"comment {number}")


def assert_repaired(server, path, project_id):
    """The next run succeeds at once, loads every row once, and leaves no other files."""
    finished = ingest_project(server, path)
    assert finished.returncode == 0, finished.stderr
    assert_same_rows(raw_tables(path), rows_of_the_server(server, [project_id]))
    assert leftovers(path) == []


def test_a_killed_ingestion_is_repaired_by_the_next(path):
    rng = random.Random(SEED)
    workspace = simulate(stories=60)
    project_id = min(workspace.projects)
    hit = {phase: 0 for phase in PHASES}
    with slow_server(workspace) as server:
        for number in range(KILLS):
            change(workspace, project_id, number)
            phase = list(PHASES)[number % len(PHASES)]
            # First without delay, so that every phase is hit even on a fast machine.
            delay = rng.random() * PHASES[phase] * (number >= len(PHASES))
            killed_in = IngestProcess(server, path, project_id).kill_in(phase, delay)
            hit[killed_in or "ending"] = hit.get(killed_in or "ending", 0) + 1
            is_last = number == KILLS - 1
            if is_last or rng.random() < 0.4:
                assert_repaired(server, path, project_id)
                if rng.random() < 0.5 and not is_last:
                    path.unlink()  # so that first runs are killed as well
        assert server.failures == []
    if KILLS >= 10:
        assert all(hit[phase] for phase in ("reading", "normalising", "loading")), hit


@pytest.mark.parametrize("instant", KILL_POINTS)
def test_a_kill_at_the_worst_moment_is_repaired(tiny_workspace, path, instant):
    project_id = min(tiny_workspace.projects)
    with serve(tiny_workspace) as server:
        victim = IngestProcess(server, path, project_id, ["-c", KILL_SCRIPT, *KILL_POINTS[instant]])
        assert victim.process.wait(60) == -signal.SIGKILL
        assert_repaired(server, path, project_id)


def test_the_working_folder_does_not_grow(path):
    """It grows neither with the number of rows nor with the number of runs."""
    for _ in range(KEPT_PACKAGES + 3):
        load(path, TWO_LABELS)
    working = Path(make_pipeline(path).working_dir)
    assert len(list((working / "load" / "loaded").iterdir())) == KEPT_PACKAGES + 1
    assert list(working.rglob("*.parquet")) == []
