"""A Tracker API for benchmarks: the demo's pages, served from disk by a separate process.

The first request for a page creates it and stores it on disk; later requests read it from there. So
benchmarks do not measure the creation of pages, and all readers read the same ones.
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import pickle
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.api.http.client import TrackerClient
from ingest.api.reader import ApiReader

if TYPE_CHECKING:
    from simulator import DemoServer

Response = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class BenchmarkSource:
    """A server that runs in another process.

    Attributes:
        base_url: its v5 API.
        token: the value that it requires as `X-TrackerToken`.
        story_count: stories in the workspace.
        activity_count: activities in the workspace.
    """

    base_url: str
    token: str
    story_count: int
    activity_count: int
    _connection: Connection

    def traffic(self) -> tuple[int, int]:
        """Requests, and bytes of response bodies, since the last call."""
        self._connection.send(None)
        return self._connection.recv()

    def delay_responses(self, seconds: float) -> None:
        """Delay each response by some seconds from now on, and reset the traffic counts."""
        self._connection.send(seconds)
        self._connection.recv()


@contextmanager
def running_source(stories: int) -> Iterator[BenchmarkSource]:
    """Serve a simulated workspace with that many stories until the block is left."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_serve, args=(stories, Path(folder), theirs), daemon=True)
        process.start()
        try:
            yield BenchmarkSource(*ours.recv(), _connection=ours)
        finally:
            process.terminate()
            process.join()


def make_pages(source: BenchmarkSource) -> None:
    """Create all pages by reading everything once."""
    with TrackerClient(source.base_url, source.token) as client:
        reader = ApiReader(client)
        for table_name in reader.tables():
            for _ in reader.read(table_name):
                pass


def _serve(stories: int, folder: Path, connection: Connection) -> None:
    from simulator import serve, simulate

    workspace = simulate(stories=stories)
    gc.freeze()  # garbage collection of a big workspace would delay requests for seconds
    with serve(workspace) as server:
        responses = _StoredResponses(server, folder)
        counts = (len(workspace.stories), len(workspace.activities))
        connection.send((server.base_url, server.token, *counts))
        while True:
            latency = connection.recv()
            if latency is not None:
                responses.latency = latency
            connection.send((len(responses.sizes), sum(responses.sizes)))
            responses.sizes.clear()


class _StoredResponses:
    """Serves repeated requests from a folder."""

    def __init__(self, server: DemoServer, folder: Path) -> None:
        self.latency = 0.0
        self.sizes: list[int] = []
        self._create = server.answer
        self._folder = folder
        server.answer = self._answer

    def _answer(self, method: str, target: str, headers: dict[str, str]) -> Response:
        time.sleep(self.latency)
        file = self._folder / hashlib.sha256(target.encode()).hexdigest()
        if file.exists():
            response = pickle.loads(file.read_bytes())
        else:
            response = self._create(method, target, headers)
            file.with_suffix(".new").write_bytes(pickle.dumps(response))
            file.with_suffix(".new").rename(file)
        self.sizes.append(len(response[2]))
        return response
