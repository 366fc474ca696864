"""Build and test all models, and publish the marts if everything passes: `python -m bi.build`.

`make build` runs it with exclusive use of the warehouse. Arguments are passed on to `dbt build`.
Only a DuckDB file has a published copy; other warehouses are shared directly.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb

from bi import spark
from bi.failed_rows import failures
from bi.publish import PublishError, publish
from ingest.run.settings import ROOT, SettingsError, marts_path, warehouse_path
from ingest.warehouses.base import WarehouseError

_MOTHERDUCK_TOKEN = "motherduck_token"  # the name that DuckDB's extension expects
# After a partial build the marts may be inconsistent, so they are not published.
_PARTIAL = {
    *("-s", "-m", "--select", "--model", "--models", "--exclude", "--selector"),
    *("--resource-type", "--exclude-resource-type", "--empty", "--sample"),
}


def main(arguments: list[str]) -> int:
    """Run `dbt build` with these arguments, then publish; the exit code is dbt's, or 1."""
    dbt = [str(Path(sys.executable).with_name("dbt")), "build", *arguments]
    if os.environ.get("WAREHOUSE_TARGET", "") not in ("", "duckdb"):
        return _build_elsewhere(dbt)
    try:
        target = marts_path()
        warehouse = warehouse_path()
    except SettingsError as error:
        return _fail(str(error))
    # If dbt stops before it runs anything, the results of an earlier build must not be reported.
    (_target_folder() / "run_results.json").unlink(missing_ok=True)
    code = subprocess.run(dbt, cwd=ROOT).returncode
    if code != 0:
        for line in _failures(warehouse):
            print(f"error: {line}", file=sys.stderr)
        return _fail(f"the build failed, so nothing was published: {_state_of(target)}", code)
    if any(argument.partition("=")[0] in _PARTIAL for argument in arguments):
        print(f"A partial build is not published: {_state_of(target)}.")
        return 0
    try:
        published = publish(warehouse, target, built_marts())
    except PublishError as error:
        return _fail(f"{error}; {_state_of(target)}")
    for mart, (before, now) in published.shrunk.items():
        print(f"warning: {mart} has {now:,} rows; the previous copy had {before:,}")
    as_of = f"{published.as_of:%Y-%m-%d %H:%M:%S} UTC" if published.as_of else "no extract"
    print(
        f"Published {len(published.rows)} marts, {sum(published.rows.values()):,} rows, "
        f"as of {as_of}, to {published.path}"
    )
    return 0


def _build_elsewhere(dbt: list[str]) -> int:
    """Build in a warehouse other than DuckDB; its users query the warehouse itself."""
    settings = {}
    if os.environ["WAREHOUSE_TARGET"] == "motherduck" and not os.environ.get(_MOTHERDUCK_TOKEN):
        return _fail(f"MotherDuck requires a token; set {_MOTHERDUCK_TOKEN}")
    if os.environ["WAREHOUSE_TARGET"] == "files":
        return _fail(
            "TARGET=files contains only raw tables; build from them with TARGET=spark, or without "
            "TARGET after make ingest FILES=..."
        )
    try:
        if os.environ["WAREHOUSE_TARGET"] == "spark":
            settings = spark.settings_of_environment()
    except (SettingsError, WarehouseError) as error:
        return _fail(str(error))
    return subprocess.run(dbt, cwd=ROOT, env=os.environ | settings).returncode


def _target_folder() -> Path:
    return ROOT / os.environ.get("DBT_TARGET_PATH", "target")


def _failures(warehouse: Path) -> list[str]:
    """Descriptions of the failed models and tests; empty if dbt did not get that far."""
    try:
        return failures(_target_folder(), warehouse)
    except (OSError, KeyError, ValueError, duckdb.Error):
        return []


def built_marts() -> list[str]:
    """The marts of the build that has just run, according to dbt's manifest."""
    nodes = json.loads((_target_folder() / "manifest.json").read_bytes())["nodes"].values()
    return [
        node["alias"]
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] == "marts"
    ]


def _state_of(target: Path) -> str:
    return f"{target} is unchanged" if target.exists() else f"{target} does not exist yet"


def _fail(message: str, code: int = 1) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
