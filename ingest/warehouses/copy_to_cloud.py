"""Copy the raw tables of the DuckDB warehouse into one that needs an account.

`make ingest`, then `make copy TARGET=snowflake`: whole tables, by dlt's own destination of that
name, with the login that dlt finds in `.dlt/secrets.toml` or in environment variables.
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
from ingest.warehouses.configured import COPIED
from ingest.warehouses.duckdb.warehouse import DuckDBFile

PIPELINE_NAME = "pivotal_tracker_copy"  # its section of .dlt/config.toml
_BATCH_ROWS = 100_000


def main() -> int:
    """Copy to the warehouse that WAREHOUSE_TARGET names; the exit code."""
    target = os.environ.get("WAREHOUSE_TARGET", "")
    try:
        if target not in COPIED:
            raise SettingsError(f"WAREHOUSE_TARGET is {target!r}: name one of {', '.join(COPIED)}")
        with run_log(into_file=False):
            copied = copy(DuckDBFile(warehouse_path()), getattr(dlt.destinations, target)())
    except (SettingsError, WarehouseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except DltException as error:
        print(f"error: {target}: {_explained(error, target)}", file=sys.stderr)
        return 1
    for name, rows in copied.items():
        print(f"  {name:<20} {rows:>10,}")
    print(f"Copied to {target}. Next: make build TARGET={target}")
    return 0


def copy(source: DuckDBFile, destination: AnyDestination) -> dict[str, int]:
    """Replace the raw tables of a destination by those of a file; how many rows each has.

    Rows keep the load that they came with: marts say by it when a figure was read.

    Raises:
        WarehouseError: when the file is in use, or nothing was loaded into it yet.
        DltException: when the destination refuses.
    """
    if not source.is_there():
        raise WarehouseError(f"there is no {source.name} yet: make ingest makes it")
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


def _explained(error: DltException, target: str) -> str:
    """The first line of what went wrong, and the way out."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    for each in (error, cause):
        if isinstance(each, MissingDependencyException):
            return f"its packages are not installed; make setup TARGET={target} installs them"
    first = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
    return f"{first}; see .dlt/secrets.toml.example"


if __name__ == "__main__":
    sys.exit(main())
