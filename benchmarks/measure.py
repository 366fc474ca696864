"""Measure whole processes by the operating system's accounting."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB on Linux


@dataclass(frozen=True)
class Measured:
    """One finished process.

    Attributes:
        seconds: wall clock, start-up included.
        peak_bytes: the largest resident set of the process.
        output: what it printed.
        cpu_seconds: of the process and its threads, in user and system mode.
    """

    seconds: float
    peak_bytes: int
    output: str
    cpu_seconds: float


def measured(command: Sequence[str], **environment: str) -> Measured:
    """Run a command to its end and measure it.

    Raises:
        RuntimeError: when it fails; the message ends with what it printed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(environment),
    )
    chunks: list[str] = []
    reader = threading.Thread(target=lambda: chunks.append(process.stdout.read()))
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    reader.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{chunks[0][-3000:]}")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Measured(seconds, usage.ru_maxrss * _RSS_UNIT, chunks[0], cpu_seconds)


def table_row(*cells: str) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **changes}
