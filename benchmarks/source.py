"""The Tracker that benchmarks read: the demo's pages, served from disk by a process of its own.

The demo's server makes an answer when it is first asked for; here it is kept, and given again from
disk. So what is measured reads ready pages, and every reader reads the same ones.
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

Answer = tuple[int, dict[str, str], bytes]


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

    def traffic(self) -> tuple[int, int]:
        """Requests, and bytes of the bodies given, since this was asked last."""
        self._connection.send(None)
        return self._connection.recv()

    def hold_back(self, seconds: float) -> None:
        """Hold back each answer for some seconds from now on, and count from zero."""
        self._connection.send(seconds)
        self._connection.recv()


@contextmanager
def running_source(stories: int) -> Iterator[BenchmarkSource]:
    """Serve a simulated workspace of that many stories until the block is left."""
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
    """Ask for everything once: the server makes a page when it is first asked for."""
    with TrackerClient(source.base_url, source.token) as client:
        reader = ApiReader(client)
        for table_name in reader.tables():
            for _ in reader.read(table_name):
                pass


def _serve(stories: int, folder: Path, connection: Connection) -> None:
    from simulator import serve, simulate

    workspace = simulate(stories=stories)
    gc.freeze()  # walking a big workspace would halt a request for seconds
    with serve(workspace) as server:
        kept = _KeptAnswers(server, folder)
        counts = (len(workspace.stories), len(workspace.activities))
        connection.send((server.base_url, server.token, *counts))
        while True:
            latency = connection.recv()
            if latency is not None:
                kept.latency = latency
            connection.send((len(kept.sizes), sum(kept.sizes)))
            kept.sizes.clear()


class _KeptAnswers:
    """Answers from a folder what was answered before."""

    def __init__(self, server: DemoServer, folder: Path) -> None:
        self.latency = 0.0
        self.sizes: list[int] = []
        self._make = server.answer
        self._folder = folder
        server.answer = self._answer

    def _answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        time.sleep(self.latency)
        file = self._folder / hashlib.sha256(target.encode()).hexdigest()
        if file.exists():
            answer = pickle.loads(file.read_bytes())
        else:
            answer = self._make(method, target, headers)
            file.with_suffix(".new").write_bytes(pickle.dumps(answer))
            file.with_suffix(".new").rename(file)
        self.sizes.append(len(answer[2]))
        return answer
