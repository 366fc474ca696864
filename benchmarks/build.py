"""Compare `dbt build` with its compiled SQL at several sizes, in one run.

`python -m benchmarks.build [STORIES ...]` prints a Markdown table for README.md. Its ratios are of
CPU seconds, so that they are valid on a busy machine too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.api import run_load
from benchmarks.measure import Measured, measured, table_row
from benchmarks.source import BenchmarkSource, running_source

_BIN = Path(sys.executable).parent
_HEADER = """\
| stories | build / bare | build CPU s | bare CPU s | build s | again s | peak MB | file MB \
| slowest models |
|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Measure each size and print its row as soon as it is finished."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.build", description=__doc__)
    parser.add_argument(
        "stories", nargs="*", type=int, default=[2_000, 20_000, 100_000], help="workspace sizes"
    )
    print(_HEADER, flush=True)
    for stories in parser.parse_args().stories:
        with tempfile.TemporaryDirectory() as folder, running_source(stories) as source:
            print(_measure(source, Path(folder)), flush=True)


def _measure(source: BenchmarkSource, folder: Path) -> str:
    run_load(source, folder)
    build = _build(folder)
    again = _build(folder)  # what a later build costs, as no model is incremental
    built_bytes = (folder / "w.duckdb").stat().st_size
    bare = measured(
        [sys.executable, "-m", "benchmarks.bare_build", f"{folder}/w.duckdb", f"{folder}/target"]
    )
    return table_row(
        f"{source.story_count:,}",
        f"{build.cpu_seconds / bare.cpu_seconds:.2f}",
        f"{build.cpu_seconds:.1f}",
        f"{bare.cpu_seconds:.1f}",
        f"{build.seconds:.1f}",
        f"{again.seconds:.1f}",
        f"{build.peak_bytes / 1e6:,.0f}",
        f"{built_bytes / 1e6:,.0f}",
        bare.output.strip(),
    )


def _build(folder: Path) -> Measured:
    return measured(
        [str(_BIN / "dbt"), "build", "--quiet"],
        WAREHOUSE_PATH=f"{folder}/w.duckdb",
        DBT_TARGET_PATH=f"{folder}/target",
        DBT_LOG_PATH=f"{folder}/logs",
    )


if __name__ == "__main__":
    main()
