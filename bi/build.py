"""Build and test all models, and publish the marts when everything passed: `python -m bi.build`.

`make build` runs it while nothing loads the warehouse. Arguments go to `dbt build`. Only a DuckDB
file has a published copy: another warehouse is shared as it is.
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

_MOTHERDUCK_TOKEN = "motherduck_token"  # what DuckDB's extension reads
# A build of some models leaves the others as they were: that is no state to publish.
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
    code = subprocess.run(dbt, cwd=ROOT).returncode
    if code != 0:
        for line in _failures(warehouse):
            print(f"error: {line}", file=sys.stderr)
        return _fail(f"the build failed, so nothing is published: {_state_of(target)}", code)
    if any(argument.partition("=")[0] in _PARTIAL for argument in arguments):
        print(f"A build of some models is not published: {_state_of(target)}.")
        return 0
    try:
        published = publish(warehouse, target, _built_marts())
    except PublishError as error:
        return _fail(f"{error}; {_state_of(target)}")
    for mart, (before, now) in published.shrunk.items():
        print(f"warning: {mart} has {now:,} rows, {before:,} in the copy published before")
    as_of = f"{published.as_of:%Y-%m-%d %H:%M:%S} UTC" if published.as_of else "no extract"
    print(
        f"Published {len(published.rows)} marts, {sum(published.rows.values()):,} rows, "
        f"as of {as_of}, to {published.path}"
    )
    return 0


def _build_elsewhere(dbt: list[str]) -> int:
    """Build in another warehouse than a file; its readers share the warehouse itself."""
    settings = {}
    if os.environ["WAREHOUSE_TARGET"] == "motherduck" and not os.environ.get(_MOTHERDUCK_TOKEN):
        return _fail(f"MotherDuck asks for a token; set {_MOTHERDUCK_TOKEN}")
    if os.environ["WAREHOUSE_TARGET"] == "files":
        return _fail(
            "files hold raw tables only; build from them with TARGET=spark, or without TARGET "
            "after make ingest FILES=..."
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
    """What the tests that failed found; nothing where dbt did not get so far."""
    try:
        return failures(_target_folder(), warehouse)
    except (OSError, KeyError, ValueError, duckdb.Error):
        return []


def _built_marts() -> list[str]:
    """The marts of the build that has just run, by dbt's own record of it."""
    nodes = json.loads((_target_folder() / "manifest.json").read_bytes())["nodes"].values()
    return [
        node["alias"]
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] == "marts"
    ]


def _state_of(target: Path) -> str:
    return f"{target} is as it was" if target.exists() else f"there is no {target} yet"


def _fail(message: str, code: int = 1) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
