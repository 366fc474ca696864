"""Load the raw tables of a DuckDB warehouse into fakesnow, and run dbt there, in this process.

Runs in an environment of its own (.venv-fakesnow): python build.py FOLDER WAREHOUSE DBT-ARGUMENTS.
The folder then holds the database as a DuckDB file.
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
# fakesnow numbers the elements of a list in the order in which they happen to come.
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
    """The raw tables, made by Snowflake's DDL."""
    connection = snowflake.connector.connect(database="TRACKER", schema="PUBLIC")
    cursor = connection.cursor()
    cursor.execute(f"create schema {RAW}")
    duckdb = connection._duck_conn  # rows go past the SQL of Snowflake
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
