"""Measure a first load and a build at several sizes, each beside its floor, in one run.

`python -m benchmarks [STORIES ...]` prints a Markdown table; its figures go into README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Measured, measured
from benchmarks.source import BenchmarkSource, running_source

_SECTION = "SOURCES__PIVOTAL_TRACKER_SOURCE__"
_BIN = Path(sys.executable).parent
_HEADER = """\
| stories | activities | load / floor | load MB | records/s | requests | load s | floor s \
| build / bare | build MB | build s | bare s |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Measure each size and print one row for it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "stories", nargs="*", type=int, default=[2_000, 20_000, 100_000], help="workspace sizes"
    )
    print(_HEADER, flush=True)
    slowest = ""
    for stories in parser.parse_args().stories:
        with tempfile.TemporaryDirectory() as folder, running_source(stories) as source:
            row, slowest = _measure(source, Path(folder))
            print(row, flush=True)
    print(f"\nSlowest models at the last size: {slowest}")


def _measure(source: BenchmarkSource, folder: Path) -> tuple[str, str]:
    (folder / "warm-up").mkdir()
    _first_load(source, folder / "warm-up")  # makes the pages
    load, paths = _first_load(source, folder)
    floor = _floor(source, paths, folder)
    build = _build(folder)
    bare = measured(
        [sys.executable, "-m", "benchmarks.bare_build", f"{folder}/w.duckdb", f"{folder}/target"]
    )
    records = source.story_count + source.activity_count
    cells = [
        f"{source.story_count:,}",
        f"{source.activity_count:,}",
        f"{load.seconds / floor.seconds:.2f}",
        f"{load.peak_bytes / 1e6:,.0f}",
        f"{records / load.seconds:,.0f}",
        f"{len(paths):,}",
        f"{load.seconds:.1f}",
        f"{floor.seconds:.1f}",
        f"{build.seconds / bare.seconds:.2f}",
        f"{build.peak_bytes / 1e6:,.0f}",
        f"{build.seconds:.1f}",
        f"{bare.seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |", bare.output.strip()


def _first_load(source: BenchmarkSource, folder: Path) -> tuple[Measured, list[str]]:
    source.requested_paths()
    load = measured(
        [sys.executable, "-m", "ingest", "api"],
        WAREHOUSE_PATH=f"{folder}/w.duckdb",
        **{f"{_SECTION}BASE_URL": source.base_url, f"{_SECTION}API_TOKEN": source.token},
    )
    return load, source.requested_paths()


def _floor(source: BenchmarkSource, paths: list[str], folder: Path) -> Measured:
    (folder / "paths.txt").write_text("\n".join(paths))
    (folder / "pages").mkdir()
    arguments = [source.base_url, source.token, f"{folder}/paths.txt", f"{folder}/pages"]
    return measured([sys.executable, "-m", "benchmarks.floor", *arguments])


def _build(folder: Path) -> Measured:
    return measured(
        [str(_BIN / "dbt"), "build", "--quiet"],
        WAREHOUSE_PATH=f"{folder}/w.duckdb",
        DBT_TARGET_PATH=f"{folder}/target",
        DBT_LOG_PATH=f"{folder}/logs",
    )


if __name__ == "__main__":
    main()
