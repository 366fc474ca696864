"""Compare loads and builds on other engines with DuckDB's of the same pages, in one run.

`python -m benchmarks.engines [STORIES ...]` starts the same servers as the tests and prints a
Markdown table for README.md. It needs what `make test-engines` installs.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from benchmarks.measure import Measured, measured, table_row
from benchmarks.source import BenchmarkSource, make_pages, running_source
from tests.conftest import SECTION
from tests.engines.engines import DuckDBEngine, Engine, PostgresEngine, SparkEngine
from tests.engines.postgres_server import postgres_server
from tests.engines.sail import sail_server

_HEADER = """\
| stories | engine | what | CPU s | its server's | together / DuckDB | s | peak MB |
|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class MeasuredEngine:
    """An engine to measure; `port` is that of its server, None if it has no server."""

    name: str
    engine: Engine
    port: int | None = None

    def load(self, source: BenchmarkSource) -> tuple[Measured, float]:
        """Load everything into a new warehouse; return also the server's CPU seconds."""
        named = {"base_url": source.base_url, "api_token": source.token}
        settings = {SECTION + name.upper(): value for name, value in named.items()}
        return self._measured([sys.executable, "-m", "ingest", "api"], settings)

    def build(self) -> tuple[Measured, float]:
        """Build and test all models, as `make build` does; return also the server's CPU seconds."""
        settings = {"MARTS_PATH": str(self.engine.folder / "marts.duckdb")}
        return self._measured([sys.executable, "-m", "bi.build"], settings)

    def _measured(self, command: list[str], settings: dict[str, str]) -> tuple[Measured, float]:
        before = self._server_seconds()
        run = measured(command, **self.engine.environment() | settings)
        return run, self._server_seconds() - before

    def _server_seconds(self) -> float:
        """CPU seconds of the server and its child processes, both finished and running."""
        if self.port is None:
            return 0
        server = _listening_at(self.port)
        ended = server.cpu_times()
        total = sum(ended[:4])  # user and system time of the server and its finished children
        for process in server.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:2])
        return total


def main() -> None:
    """Measure each size on each engine and print each row as soon as it is finished."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("stories", nargs="*", type=int, default=[2_000, 20_000, 100_000])
    print(_HEADER, flush=True)
    for stories in parser.parse_args().stories:
        with running_source(stories) as source:
            make_pages(source)
            duckdb_seconds: list[float] = []
            for start in _ENGINES:
                with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as bench:
                    runs = {"load": bench.load(source), "build": bench.build()}
                together = [run.cpu_seconds + server for run, server in runs.values()]
                duckdb_seconds = duckdb_seconds or together
                ratios = [one / two for one, two in zip(together, duckdb_seconds, strict=True)]
                for (what, (run, server)), ratio in zip(runs.items(), ratios, strict=True):
                    _print(source.story_count, bench.name, what, run, server, ratio)


@contextmanager
def _duckdb(folder: Path) -> Iterator[MeasuredEngine]:
    yield MeasuredEngine("DuckDB", DuckDBEngine(folder))


@contextmanager
def _postgres(folder: Path) -> Iterator[MeasuredEngine]:
    with postgres_server() as server:
        yield MeasuredEngine(
            "PostgreSQL", PostgresEngine.of(server, folder / "benchmark"), server.port
        )


@contextmanager
def _sail(folder: Path, workers: int) -> Iterator[MeasuredEngine]:
    settings = {
        "SAIL_MODE": "local-cluster",
        "SAIL_CLUSTER__WORKER_INITIAL_COUNT": str(workers),
        "SAIL_CLUSTER__WORKER_MAX_COUNT": str(workers),
        "SAIL_CLUSTER__WORKER_TASK_SLOTS": "512",  # with fewer, wide plans wait for each other
    }
    with sail_server(folder, settings) as url:
        port = int(url.rpartition(":")[2])
        yield MeasuredEngine(f"Sail, workers: {workers}", SparkEngine.of(url, folder), port)


_ENGINES = (_duckdb, _postgres, partial(_sail, workers=1), partial(_sail, workers=2))


def _listening_at(port: int) -> psutil.Process:
    """The process that listens on the port; its children have closed the socket."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(
                each.laddr.port == port and each.status == psutil.CONN_LISTEN
                for each in process.net_connections("tcp")
            ):
                return process
    raise RuntimeError(f"no process listens on port {port}")


def _print(
    stories: int, engine: str, what: str, run: Measured, server: float, ratio: float
) -> None:
    row = table_row(
        f"{stories:,}",
        engine,
        what,
        f"{run.cpu_seconds:.1f}",
        f"{server:.1f}",
        f"{ratio:.1f}",
        f"{run.seconds:.1f}",
        f"{run.peak_bytes / 1e6:,.0f}",
    )
    print(row, flush=True)


if __name__ == "__main__":
    main()
