"""The configured warehouse: DuckDB by default, or the engine in WAREHOUSE_TARGET."""

from __future__ import annotations

import os
from pathlib import Path

import dlt
from dlt.common.versioned_state import json_decode_state
from dlt.pipeline.pipeline import Pipeline

from ingest.run.settings import SettingsError, warehouse_path
from ingest.warehouses.base import DATASET, Warehouse

PIPELINE_NAME = "pivotal_tracker_pipeline"
TARGETS = ("duckdb", "postgres", "files", "spark")
# Ingestion does not write to these directly: `copy_to_cloud` copies a DuckDB file into them.
COPY_TARGETS = ("snowflake", "bigquery", "redshift", "databricks", "motherduck")


def configured_warehouse() -> Warehouse:
    """The warehouse given by WAREHOUSE_TARGET and the engine's own settings.

    Raises:
        SettingsError: if there is no such engine, or its settings are invalid.
        WarehouseError: if a package that it needs is not installed.
    """
    target = os.environ.get("WAREHOUSE_TARGET") or "duckdb"
    if target == "duckdb":
        return as_warehouse(warehouse_path())
    if target == "postgres":
        from ingest.warehouses.postgres.warehouse import PostgresDatabase, environment_settings

        return PostgresDatabase(environment_settings())
    if target in ("files", "spark"):  # Spark reads the same files
        from ingest.warehouses.files.warehouse import configured_files

        return configured_files()
    if target in COPY_TARGETS:
        raise SettingsError(
            f"ingestion does not write to {target} directly: unset WAREHOUSE_TARGET, make ingest, "
            f"then make copy TARGET={target}"
        )
    *others, last = TARGETS
    raise SettingsError(
        f"WAREHOUSE_TARGET is {target!r}: ingestion writes to {', '.join(others)} and {last}"
    )


def as_warehouse(place: Path | Warehouse) -> Warehouse:
    """Return a warehouse unchanged; turn a path into the warehouse of that DuckDB file."""
    from ingest.warehouses.duckdb.warehouse import DuckDBFile

    return DuckDBFile(place) if isinstance(place, Path) else place


def make_pipeline(place: Path | Warehouse) -> dlt.Pipeline:
    """The dlt pipeline of a warehouse.

    Each warehouse has its own working folder, so that pending load packages are never loaded into
    the wrong one.
    """
    warehouse = as_warehouse(place)
    return dlt.pipeline(
        PIPELINE_NAME,
        pipelines_dir=str(warehouse.pipelines_folder),
        destination=warehouse.destination(),
        dataset_name=DATASET,
    )


def last_destination(warehouse: Warehouse) -> str | None:
    """The destination that a warehouse's pipeline last loaded into; None if it never ran.

    Another script may have used the same pipeline name and folder for another destination.
    """
    state = warehouse.pipelines_folder / PIPELINE_NAME / Pipeline.STATE_FILE
    if not state.exists():
        return None
    destination: str | None = json_decode_state(state.read_text()).get("destination_name")
    return destination or "a default destination"
