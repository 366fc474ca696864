"""Load the raw tables of a DuckDB warehouse into fakesnow, and run dbt on it in this process.

Run it in its own environment (.venv-fakesnow): python build.py FOLDER WAREHOUSE DBT-ARGUMENTS. The
folder then contains the database as a DuckDB file.
"""

import re
import sys
from string import Template

import fakesnow
import fakesnow.macros
import snowflake.connector
from dbt.cli.main import dbtRunner

RAW = "pivotal_tracker_data"
TYPES = {
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL(18,4)": "decimal(18, 4)",
    "VARCHAR": "varchar",
    "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
}
# fakesnow numbers the elements of a list in arbitrary order.
FLATTEN = """
create or replace macro ${catalog}._fs_flatten(input) as table
    select
        hash(to_json(input)) as SEQ, null::varchar as KEY, null::varchar as PATH,
        places.place as INDEX, to_json(input) -> places.place as VALUE, to_json(input) as THIS
    from (
        select unnest(range(cast(json_array_length(to_json(input)) as bigint))) as place
    ) as places
"""


def load(warehouse: str) -> None:
    """Create the raw tables with Snowflake's DDL, and fill them."""
    connection = snowflake.connector.connect(database="TRACKER", schema="PUBLIC")
    cursor = connection.cursor()
    cursor.execute(f"create schema {RAW}")
    duckdb = connection._duck_conn  # rows are inserted directly, without Snowflake's SQL
    duckdb.execute(f"attach '{warehouse}' as source (read_only)")
    found = duckdb.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = "
        f"'source' and schema_name = '{RAW}' order by table_name, column_index"
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in found:
        tables.setdefault(table, {})[column] = TYPES[kind]
    for table, columns in tables.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        cursor.execute(f"create table {RAW}.{table} ({listed})")
        names = ", ".join(f'"{name}"' for name in columns)
        duckdb.execute(
            f"insert into TRACKER.{RAW}.{table} ({names}) select {names} from source.{RAW}.{table}"
        )


folder, warehouse, *arguments = sys.argv[1:]
fakesnow.macros.FS_FLATTEN = Template(re.sub(r"\s+", " ", FLATTEN))
with fakesnow.patch(db_path=folder):
    load(warehouse)
    sys.exit(not dbtRunner().invoke(arguments).success)
