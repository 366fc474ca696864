"""Measure the time from a fresh clone to the loaded demo: `python -m benchmarks.set_up`.

It clones the last commit and runs `make ingest` there, once with the package cache as it is and
once with an empty one. The second figure depends on the connection to the package index.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import measured, table_row

_ROOT = Path(__file__).parent.parent


def main() -> None:
    """Print the seconds of both runs."""
    print("| package cache | s |\n|---|---|")
    for name in ("warm", "empty"):
        with tempfile.TemporaryDirectory() as folder:
            clone = f"{folder}/clone"
            subprocess.run(["git", "clone", "--quiet", str(_ROOT), clone], check=True)
            cache = {"UV_CACHE_DIR": f"{folder}/uv", "PIP_CACHE_DIR": f"{folder}/pip"}
            # The warehouse of this repository is not that of the clone.
            settings = {
                "WAREHOUSE_PATH": f"{folder}/w.duckdb",
                **(cache if name == "empty" else {}),
            }
            run = measured(["make", "-C", clone, "ingest"], **settings)
            print(table_row(name, f"{run.seconds:.1f}"), flush=True)


if __name__ == "__main__":
    main()
