"""Sail, an engine that speaks Spark Connect: a server of the tests' own, and queries on it.

It takes its settings from the environment: with SAIL_MODE=local-cluster the same tests run on
several workers.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import BIN


@contextlib.contextmanager
def sail_server(folder: Path) -> Iterator[str]:
    """Run a server on a free port of loopback, and give its URL; what it leaves is in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "sail.log").open("w") as log:
        process = subprocess.Popen(
            [BIN / "sail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(process, port)
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def values(server: str, statements: list[str]) -> list[list[object]]:
    """The values that each statement gives in its column `value`."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(server).create()
    try:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        return [[row["value"] for row in session.sql(each).collect()] for each in statements]
    finally:
        session.stop()


def _wait_for(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")
