"""Compare first loads over the API with a floor, in alternating rounds of one run.

`python -m benchmarks.api [STORIES ...]` prints a Markdown table for README.md.
The floor (`benchmarks.floor`) fetches the same lists from the same server over as many connections.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Measured, measured, table_row
from benchmarks.source import BenchmarkSource, make_pages, running_source
from ingest.api.lists.catalogue import PROJECT_FIELDS, ApiOptions, TrackerList, chosen_lists
from ingest.tables import TABLES, ColumnType

if TYPE_CHECKING:
    from simulator import DemoServer

SECTION = "SOURCES__PIVOTAL_TRACKER_SOURCE__"
_CONNECTIONS = 8  # as many as the client's default
# It repeats rows of `activity`; a load stops fetching it as soon as that is clear.
_REPEATED = "my_activity"
_HEADER = """\
| stories | activities | latency ms | what | requests | MB | seconds | CPU s | peak MB | s / floor \
| CPU / floor |
|---|---|---|---|---|---|---|---|---|---|---|"""
_DUCKDB_TYPES: dict[ColumnType, str] = {
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18, 4)",
    "double": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "json": "JSON",
}


def main() -> None:
    """Measure each size with each latency, and print a row per program and round."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument(
        "stories", nargs="*", type=int, default=[2_000, 20_000], help="workspace sizes"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds per size (default: 3)")
    parser.add_argument(
        "--latency",
        type=int,
        nargs="*",
        default=[0],
        help="milliseconds by which each response is delayed (default: 0)",
    )
    options = parser.parse_args()
    print(_HEADER, flush=True)
    for stories in options.stories:
        with running_source(stories) as source:
            make_pages(source)
            for latency in options.latency:
                source.delay_responses(latency / 1000)
                _measure(source, latency, options.rounds)


def _measure(source: BenchmarkSource, latency: int, rounds: int) -> None:
    ratios: list[tuple[float, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            floor = _print(source, latency, "floor", run_floor(source, Path(folder)))
            load = run_load(source, Path(folder))
            ratios.append((load.seconds / floor.seconds, load.cpu_seconds / floor.cpu_seconds))
            _print(source, latency, "first load", load, *ratios[-1])
    if rounds > 1:
        seconds, cpu = (f"{statistics.median(each):.2f}" for each in zip(*ratios, strict=True))
        where = (f"{source.story_count:,}", f"{source.activity_count:,}", str(latency))
        print(table_row(*where, "median", "", "", "", "", "", seconds, cpu), flush=True)


def run_load(source: BenchmarkSource | DemoServer, folder: Path) -> Measured:
    """Load into the warehouse of a folder and measure the whole process, including start-up."""
    return measured(
        [sys.executable, "-m", "ingest", "api"],
        WAREHOUSE_PATH=f"{folder}/w.duckdb",
        INGEST_LOG_PATH=f"{folder}/logs",
        **{f"{SECTION}BASE_URL": source.base_url, f"{SECTION}API_TOKEN": source.token},
    )


def run_floor(source: BenchmarkSource, folder: Path) -> Measured:
    """Run the minimal loader, which no real loader can beat by much."""
    host = {"base_url": source.base_url, "token": source.token, "connections": _CONNECTIONS}
    lists = [TrackerList("projects", "/projects", fields=PROJECT_FIELDS)]
    lists += [each for each in chosen_lists(ApiOptions()) if each.table != _REPEATED]
    plan = {"host": host, "lists": [_list_plan(each) for each in lists]}
    (folder / "plan.json").write_text(json.dumps(plan))
    return measured([sys.executable, "-m", "benchmarks.floor", f"{folder}/plan.json", str(folder)])


def _list_plan(each: TrackerList) -> dict[str, object]:
    columns = TABLES[each.table].columns.items()
    return {
        "table": each.table,
        "path": each.path,
        "fields": each.fields[0] if each.fields else None,
        "page_size": each.page_size,
        "columns": {name: _DUCKDB_TYPES[kind] for name, kind in columns},
    }


def _print(
    source: BenchmarkSource, latency: int, what: str, run: Measured, *ratios: float
) -> Measured:
    requests_count, bytes_count = source.traffic()
    row = table_row(
        f"{source.story_count:,}",
        f"{source.activity_count:,}",
        str(latency),
        what,
        f"{requests_count:,}",
        f"{bytes_count / 1e6:,.0f}",
        f"{run.seconds:.1f}",
        f"{run.cpu_seconds:.1f}",
        f"{run.peak_bytes / 1e6:,.0f}",
        *([f"{each:.2f}" for each in ratios] or ["", ""]),
    )
    print(row, flush=True)
    return run


if __name__ == "__main__":
    main()
