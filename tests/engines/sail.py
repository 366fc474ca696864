"""Sail, an engine that speaks Spark Connect: a server of a test's own, dbt and queries on it."""

from __future__ import annotations

import contextlib
import json
import pickle
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, environment

PROGRAMS = ROOT / ".venv-spark" / "bin"
FOLDER = Path(__file__).parent / "spark"


@dataclass(frozen=True)
class Sail:
    """A running server; `folder` holds dbt's artifacts."""

    address: str
    folder: Path

    def compile(self, inline: str) -> str:
        """What dbt makes of some SQL for Spark."""
        made = subprocess.run(
            [PROGRAMS / "dbt", "compile", "--quiet", "--no-populate-cache", "--inline", inline],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            env=environment(
                self.folder / "w.duckdb",
                SPARK_REMOTE=self.address,
                DBT_PROFILES_DIR=str(FOLDER),
                DBT_TARGET_PATH=str(self.folder / "target"),
                DBT_LOG_PATH=str(self.folder / "logs"),
            ),
        )
        assert made.returncode == 0, made.stdout + made.stderr
        return made.stdout

    def values(self, statements: list[str]) -> list[list[object]]:
        """The values that each statement gives in its column `value`."""
        request = {"server": self.address, "statements": statements}
        done = subprocess.run(
            [PROGRAMS / "python", FOLDER / "queries.py"],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=300,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return pickle.loads(done.stdout)


@contextlib.contextmanager
def sail_server(folder: Path) -> Iterator[Sail]:
    """Run a server on a free port of loopback; whatever it leaves is in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "sail.log").open("w") as log:
        process = subprocess.Popen(
            [PROGRAMS / "sail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(process, port)
        yield Sail(f"sc://127.0.0.1:{port}", folder)
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")
