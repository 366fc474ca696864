"""The nightly run as Dagster assets: raw tables, models and the published copy, in one graph.

`make dagster` opens it. Each step takes the same lock as `python -m ingest` and `make build`, so
runs started by cron, a shell and Dagster never overlap.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetSelection,
    AssetSpec,
    Definitions,
    Failure,
    MaterializeResult,
    ScheduleDefinition,
    asset,
    define_asset_job,
)
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets
from dagster_dlt import DagsterDltTranslator, dlt_assets
from dagster_dlt.translator import DltResourceTranslatorData
from dlt.extract import DltResource

from bi.build import built_marts
from bi.publish import publish
from ingest.run.settings import ROOT, marts_path, warehouse_path
from ingest.tables import TABLES
from ingest.warehouses.configured import configured_warehouse, make_pipeline

WAIT_SECONDS = float(os.environ.get("WAIT") or 600)  # how long to wait for another run

project = DbtProject(project_dir=ROOT, profiles_dir=ROOT)
dbt_cli = DbtCliResource(
    project_dir=project, dbt_executable=str(Path(sys.executable).with_name("dbt"))
)
newest = max(path.stat().st_mtime for path in (ROOT / "dbt_project").rglob("*"))
if not project.manifest_path.exists() or project.manifest_path.stat().st_mtime < newest:
    dbt_cli.cli(["parse", "--quiet"], target_path=ROOT / project.target_path).wait()


@dlt.source(name="pivotal_tracker")
def declared_tables() -> Iterator[DltResource]:
    """The raw tables as dlt resources, which define the assets; `python -m ingest` loads them."""
    for table in TABLES.values():
        yield dlt.resource([], name=table.name, primary_key=table.key, columns=table.dlt_columns)


class RawTables(DagsterDltTranslator):
    """Raw tables are the sources of the dbt project, under the same keys."""

    def get_asset_spec(self, data: DltResourceTranslatorData) -> AssetSpec:
        """Name and describe the asset of a raw table."""
        return (
            super()
            .get_asset_spec(data)
            .replace_attributes(
                key=AssetKey(["pivotal_tracker", data.resource.name]),
                deps=[],
                description=TABLES[data.resource.name].description,
                group_name="raw",
            )
        )


@dlt_assets(
    name="ingest",
    dlt_source=declared_tables(),
    dlt_pipeline=make_pipeline(configured_warehouse()),
    dagster_dlt_translator=RawTables(),
)
def raw_tables(context: AssetExecutionContext) -> Iterator[MaterializeResult[Any]]:
    """Load Tracker: the API if a token is configured, otherwise the demo."""
    command = [sys.executable, "-m", "ingest", "--json", "--wait", str(WAIT_SECONDS)]
    finished = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    outcome = json.loads(finished.stdout)
    for line in [*(outcome["notes"] or ()), *(outcome["skipped"] or ())]:
        context.log.info(line)
    if finished.returncode:
        raise Failure(outcome["error"] or "not everything could be read; see the log of the run")
    for key in context.selected_asset_keys:
        rows = outcome["rows_by_table"].get(key.path[-1], 0)
        yield MaterializeResult(asset_key=key, metadata={"rows loaded": rows})


@dbt_assets(name="build", manifest=project.manifest_path, project=project)
def models(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Build and test the models; the tests become asset checks."""
    with configured_warehouse().locked(WAIT_SECONDS, "dagster"):
        yield from dbt.cli(["build"], context=context).stream()


@asset(deps=[key for key in models.keys if key.path[0] == "marts"])
def published_copy() -> MaterializeResult[Any]:
    """`marts.duckdb`, which BI tools open; replaced after every test has passed."""
    with configured_warehouse().locked(WAIT_SECONDS, "dagster"):
        published = publish(warehouse_path(), marts_path(), built_marts())
    rows = sum(published.rows.values())
    return MaterializeResult(metadata={"path": str(published.path), "rows": rows})


everything = define_asset_job("everything", AssetSelection.all())
publishing = define_asset_job("publish", AssetSelection.assets(published_copy))

defs = Definitions(
    assets=[raw_tables, models, published_copy],
    jobs=[everything, publishing],
    schedules=[ScheduleDefinition(job=everything, cron_schedule="15 3 * * *")],
    resources={"dbt": dbt_cli},
)
