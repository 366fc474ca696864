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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from ingest.api.http.client import TrackerClient
from ingest.api.reader import ApiReader

Answer = tuple[int, dict[str, str], bytes]
Answering = Callable[[str, str, dict[str, str]], Answer]


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
        requested: list[str] = []
        server.answer = _kept(server.answer, folder, requested)
        counts = (len(workspace.stories), len(workspace.activities))
        connection.send((server.base_url, server.token, *counts))
        while True:
            connection.recv()
            connection.send(requested.copy())
            requested.clear()


def _kept(answer: Answering, folder: Path, requested: list[str]) -> Answering:
    """Answer from the folder what was answered before, and note every path."""

    def kept_answer(method: str, target: str, headers: dict[str, str]) -> Answer:
        requested.append(target)
        file = folder / hashlib.sha256(target.encode()).hexdigest()
        if file.exists():
            return pickle.loads(file.read_bytes())
        made = answer(method, target, headers)
        file.with_suffix(".new").write_bytes(pickle.dumps(made))
        file.with_suffix(".new").rename(file)
        return made

    return kept_answer
