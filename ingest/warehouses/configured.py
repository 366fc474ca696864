"""Which warehouse is used: DuckDB by default, or the engine that WAREHOUSE_TARGET names."""

from __future__ import annotations

import os
from pathlib import Path

import dlt

from ingest.run.settings import SettingsError, warehouse_path
from ingest.warehouses.base import DATASET, Warehouse

PIPELINE_NAME = "pivotal_tracker_pipeline"
TARGETS = ("duckdb", "postgres", "files", "spark")
# Ingestion does not write to these itself: `copy_to_cloud` copies a DuckDB file into them.
COPIED = ("snowflake", "bigquery", "redshift", "databricks", "motherduck")


def configured_warehouse() -> Warehouse:
    """The warehouse that WAREHOUSE_TARGET and the settings of that engine name.

    Raises:
        SettingsError: when there is no such engine, or its settings cannot be used.
        WarehouseError: when what it needs is not installed.
    """
    target = os.environ.get("WAREHOUSE_TARGET") or "duckdb"
    if target == "duckdb":
        return warehouse_of(warehouse_path())
    if target == "postgres":
        from ingest.warehouses.postgres.warehouse import PostgresDatabase, settings_of_environment

        return PostgresDatabase(settings_of_environment())
    if target in ("files", "spark"):  # Spark reads what lies there
        from ingest.warehouses.files.warehouse import files_of_environment

        return files_of_environment()
    if target in COPIED:
        raise SettingsError(
            f"ingestion does not write to {target} itself: unset WAREHOUSE_TARGET, make ingest, "
            f"then make copy TARGET={target}"
        )
    *others, last = TARGETS
    raise SettingsError(
        f"WAREHOUSE_TARGET is {target!r}: ingestion writes to {', '.join(others)} and {last}"
    )


def warehouse_of(place: Path | Warehouse) -> Warehouse:
    """A warehouse as it is, or the DuckDB file of a path."""
    from ingest.warehouses.duckdb.warehouse import DuckDBFile

    return DuckDBFile(place) if isinstance(place, Path) else place


def make_pipeline(place: Path | Warehouse) -> dlt.Pipeline:
    """The dlt pipeline of one warehouse.

    Each has working folders of its own: pending packages of two warehouses must not meet.
    """
    warehouse = warehouse_of(place)
    return dlt.pipeline(
        PIPELINE_NAME,
        pipelines_dir=str(warehouse.pipelines_folder),
        destination=warehouse.destination(),
        dataset_name=DATASET,
    )
