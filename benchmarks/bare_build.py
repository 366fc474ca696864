"""The floor of a build: its compiled SQL on one DuckDB connection, without dbt.

Run as a separate process: `python -m benchmarks.bare_build WAREHOUSE TARGET_FOLDER`. It runs every
model and test of a finished build, in dbt's order, from the artifacts in the target folder.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb


def main() -> None:
    """Run the statements and print the share of time of the slowest models."""
    warehouse, target = sys.argv[1:]
    seconds: dict[str, float] = {}
    with duckdb.connect(warehouse) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, statement in statements(Path(target)):
            started = time.perf_counter()
            connection.execute(statement).fetchall()
            seconds[name] = time.perf_counter() - started
    slowest = sorted(seconds.items(), key=lambda item: -item[1])[:5]
    total = sum(seconds.values())
    print(", ".join(f"{name} {part / total:.0%}" for name, part in slowest))


def statements(target: Path) -> list[tuple[str, str]]:
    """Name and SQL of each model and data test that a build ran, in its order."""
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    results = json.loads((target / "run_results.json").read_text())["results"]
    found = []
    for result in results:
        node = nodes.get(result["unique_id"])
        sql = result.get("compiled_code")
        if node is None or not sql or node["resource_type"] not in ("model", "test"):
            continue
        if node["resource_type"] == "model":
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            relation = f'"{node["schema"]}"."{node["alias"]}"'
            found.append((node["name"], f"create or replace {kind} {relation} as {sql}"))
        else:
            found.append((node["name"], f"select count(*) from ({sql}) as failures"))
    return found


if __name__ == "__main__":
    main()
