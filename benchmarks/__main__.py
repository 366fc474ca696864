"""Measure a first load and a build at several sizes, each beside its floor, in one run.

`python -m benchmarks [STORIES ...]` prints Markdown tables; their figures go into README.md.
Ratios are of processor seconds: they hold on a machine that does something else as well.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Measured, measured, table_row
from benchmarks.source import BenchmarkSource, make_pages, running_source

_SECTION = "SOURCES__PIVOTAL_TRACKER_SOURCE__"
_BIN = Path(sys.executable).parent
_LOADS = """\
| stories | activities | load / floor | load CPU s | floor CPU s | load s | requests | records/s \
| peak MB | file MB |
|---|---|---|---|---|---|---|---|---|---|"""
_BUILDS = """\
| stories | build / bare | build CPU s | bare CPU s | build s | peak MB | file MB | slowest models |
|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Row:
    """The figures of one size: its row of each table."""

    load: str
    build: str


def main() -> None:
    """Measure each size; print its rows as soon as they are known, and both tables at the end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "stories", nargs="*", type=int, default=[2_000, 20_000, 100_000], help="workspace sizes"
    )
    rows: list[Row] = []
    for stories in parser.parse_args().stories:
        with tempfile.TemporaryDirectory() as folder, running_source(stories) as source:
            rows.append(_measure(source, Path(folder)))
            print(rows[-1].load, rows[-1].build, sep="\n", file=sys.stderr, flush=True)
    print(_LOADS, *(row.load for row in rows), "", sep="\n")
    print(_BUILDS, *(row.build for row in rows), sep="\n")


def _measure(source: BenchmarkSource, folder: Path) -> Row:
    make_pages(source)
    load, paths = _first_load(source, folder)
    loaded_bytes = (folder / "w.duckdb").stat().st_size
    floor = _floor(source, paths, folder)
    build = _build(folder)
    built_bytes = (folder / "w.duckdb").stat().st_size
    bare = measured(
        [sys.executable, "-m", "benchmarks.bare_build", f"{folder}/w.duckdb", f"{folder}/target"]
    )
    records = source.story_count + source.activity_count
    return Row(
        load=table_row(
            f"{source.story_count:,}",
            f"{source.activity_count:,}",
            f"{load.cpu_seconds / floor.cpu_seconds:.2f}",
            f"{load.cpu_seconds:.1f}",
            f"{floor.cpu_seconds:.1f}",
            f"{load.seconds:.1f}",
            f"{len(paths):,}",
            f"{records / load.seconds:,.0f}",
            f"{load.peak_bytes / 1e6:,.0f}",
            f"{loaded_bytes / 1e6:,.0f}",
        ),
        build=table_row(
            f"{source.story_count:,}",
            f"{build.cpu_seconds / bare.cpu_seconds:.2f}",
            f"{build.cpu_seconds:.1f}",
            f"{bare.cpu_seconds:.1f}",
            f"{build.seconds:.1f}",
            f"{build.peak_bytes / 1e6:,.0f}",
            f"{built_bytes / 1e6:,.0f}",
            bare.output.strip(),
        ),
    )


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
