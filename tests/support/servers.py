"""Run servers for tests, on free loopback ports."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path


def free_port() -> int:
    """A loopback port that is not in use."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def running(
    command: list[object], port: int, log: Path, settings: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a server process in a `with` block; wait until it answers on its port.

    The settings are added to its environment.
    """
    with log.open("w") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=log.parent,
            stdout=output,
            stderr=output,
            env=os.environ | (settings or {}),
        )
    try:
        _wait_for(process, port, log)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended: see {log.name}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"the server does not answer: see {log.name}")
