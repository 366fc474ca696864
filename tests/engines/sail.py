"""Run a Sail server (Spark Connect) for tests, and query it.

Its settings come from the environment: with SAIL_MODE=local-cluster the same tests run on several
workers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import BIN
from tests.support.servers import free_port, running


@contextlib.contextmanager
def sail_server(folder: Path, settings: dict[str, str] | None = None) -> Iterator[str]:
    """Run a server on a free loopback port and yield its URL; its files are in `folder`.

    The settings are Sail's own, added to the environment.
    """
    port = free_port()
    command = [BIN / "sail", "spark", "server", "--ip", "127.0.0.1", "--port", port]
    with running(command, port, folder / "sail.log", settings):
        yield f"sc://127.0.0.1:{port}"


def values(server: str, statement: str) -> list[object]:
    """The values of a statement's column `value`."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(server).create()
    try:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        return [row["value"] for row in session.sql(statement).collect()]
    finally:
        session.stop()
