"""The Tracker that benchmarks read: the demo's server, in a process of its own."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlencode


@dataclass(frozen=True)
class BenchmarkSource:
    """A server that runs in another process.

    Attributes:
        base_url: its v5 API.
        token: what it wants as `X-TrackerToken`.
        story_count: stories in the workspace.
        activity_count: activities in the workspace.
    """

    base_url: str
    token: str
    story_count: int
    activity_count: int
    _connection: Connection

    def requested_paths(self) -> list[str]:
        """Path and query of every request since the last call, in the order of arrival."""
        self._connection.send("requested paths")
        return self._connection.recv()


@contextmanager
def running_source(stories: int) -> Iterator[BenchmarkSource]:
    """Serve a simulated workspace of that many stories until the block is left."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(stories, theirs), daemon=True)
    process.start()
    try:
        yield BenchmarkSource(*ours.recv(), _connection=ours)
    finally:
        process.terminate()
        process.join()


def _serve(stories: int, connection: Connection) -> None:
    from ingest.demo import serve, simulate

    workspace = simulate(stories=stories)
    gc.freeze()  # walking a big workspace would halt a request for seconds
    with serve(workspace) as server:
        counts = (len(workspace.stories), len(workspace.activities))
        connection.send((server.base_url, server.token, *counts))
        while True:
            connection.recv()
            connection.send(
                [f"{request.path}?{urlencode(request.query)}" for request in server.requests]
            )
            server.requests.clear()
