"""Copy the raw tables from the DuckDB file to a cloud warehouse.

Run `make ingest`, then `make copy TARGET=snowflake`. Whole tables are copied through dlt's own
destination, with the credentials in `.dlt/secrets.toml` or in environment variables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import dlt
import duckdb
import pyarrow as pa
from dlt.common.destination.reference import AnyDestination_CO as AnyDestination
from dlt.common.exceptions import DltException, MissingDependencyException
from dlt.common.schema.typing import TTableSchemaColumns

from ingest.run.log import run_log
from ingest.run.settings import SettingsError, warehouse_path
from ingest.tables import TABLES
from ingest.warehouses.base import DATASET, WarehouseError
from ingest.warehouses.configured import COPY_TARGETS
from ingest.warehouses.duckdb.warehouse import DuckDBFile

PIPELINE_NAME = "pivotal_tracker_copy"  # its section of .dlt/config.toml
_BATCH_ROWS = 100_000


def main() -> int:
    """Copy to the warehouse in WAREHOUSE_TARGET. Returns the exit code."""
    target = os.environ.get("WAREHOUSE_TARGET", "")
    try:
        if target not in COPY_TARGETS:
            raise SettingsError(
                f"WAREHOUSE_TARGET is {target!r}: it must be one of {', '.join(COPY_TARGETS)}"
            )
        with run_log(into_file=False):
            copied = copy(DuckDBFile(warehouse_path()), getattr(dlt.destinations, target)())
    except (SettingsError, WarehouseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except DltException as error:
        print(f"error: {target}: {_explain(error, target)}", file=sys.stderr)
        return 1
    for name, rows in copied.items():
        print(f"  {name:<20} {rows:>10,}")
    print(f"Copied to {target}. Next: make build TARGET={target}")
    return 0


def copy(source: DuckDBFile, destination: AnyDestination) -> dict[str, int]:
    """Replace a destination's raw tables with those of a file. Returns the rows of each table.

    Rows keep their load id, by which the marts date them.

    Raises:
        WarehouseError: if the file is in use or does not exist yet.
        DltException: if the destination reports an error.
    """
    if not source.exists():
        raise WarehouseError(f"{source.name} does not exist yet: run make ingest")
    pipeline = dlt.pipeline(
        PIPELINE_NAME,
        pipelines_dir=str(source.pipelines_folder / f"copy_to_{destination.destination_name}"),
        destination=destination,
        dataset_name=DATASET,
    )
    with source.locked(), duckdb.connect(source.name, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [DATASET]
        ).fetchall()
        tables = [name for (name,) in found if name in TABLES]
        pipeline.run([_resource(connection, name) for name in tables])
        return {name: connection.table(f"{DATASET}.{name}").shape[0] for name in tables}


def _resource(connection: duckdb.DuckDBPyConnection, name: str) -> dlt.sources.DltResource:
    table = TABLES[name]
    schema = table.arrow_schema.append(pa.field("_dlt_load_id", pa.string(), nullable=False))
    columns = ", ".join(f'"{column}"' for column in schema.names)

    def batches() -> Iterator[pa.Table]:
        reader = connection.cursor().sql(f"select {columns} from {DATASET}.{name}")
        found = False
        for batch in reader.to_arrow_reader(_BATCH_ROWS):
            found = True
            yield pa.table(batch).cast(schema)
        if not found:
            yield schema.empty_table()

    hints: TTableSchemaColumns = {
        **table.dlt_columns,
        "_dlt_load_id": {"data_type": "text", "nullable": False},
    }
    return dlt.resource(batches(), name=name, columns=hints, write_disposition="replace")


def _explain(error: DltException, target: str) -> str:
    """The error's first line, and how to fix it."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    for each in (error, cause):
        if isinstance(each, MissingDependencyException):
            return f"its packages are not installed: run make setup TARGET={target}"
    first = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
    return f"{first}; see .dlt/secrets.toml.example"


if __name__ == "__main__":
    sys.exit(main())
