"""The marts are equal on every engine, also after a run that finds nothing new."""

import json

from ingest.tables import TABLES
from tests.engines.comparing import contents, differences, raw_rows

# Tables that differ between runs.
BOOKKEEPING = {"extracts"}


def test_raw_tables_of_postgres_are_those_of_duckdb(duckdb_demo, postgres_demo):
    for name, table in TABLES.items():
        if name in BOOKKEEPING:
            continue
        columns = list(table.all_columns)
        one, two = (raw_rows(each, name, columns) for each in (duckdb_demo, postgres_demo))
        assert one == two, name


def test_every_mart_of_postgres_equals_duckdb(duckdb_marts, postgres_demo, keys):
    assert len(keys) > 20
    assert all(duckdb_marts.values())
    assert differences(duckdb_marts, contents(postgres_demo, keys)) == []


def test_a_second_run_into_postgres_changes_nothing(postgres_demo, keys):
    before = contents(postgres_demo, keys)
    again = postgres_demo.ingest("demo", "--json")
    assert json.loads(again.stdout)["extract_mode"] == "incremental"
    assert json.loads(again.stdout)["requests"] == 4
    postgres_demo.build()
    assert differences(before, contents(postgres_demo, keys)) == []


def test_every_mart_of_spark_equals_duckdb(duckdb_marts, spark_demo, keys):
    assert differences(duckdb_marts, contents(spark_demo, keys)) == []


def test_a_second_run_with_spark_changes_nothing(spark_demo, keys):
    before = contents(spark_demo, keys)
    again = spark_demo.ingest("demo", "--json")
    assert json.loads(again.stdout)["extract_mode"] == "incremental"
    built = spark_demo.dbt("run")
    assert built.returncode == 0, built.stdout[-3000:]
    assert differences(before, contents(spark_demo, keys)) == []


def test_a_difference_is_detected(duckdb_marts):
    story, row = next(iter(duckdb_marts["dim_story"].items()))
    changed = {**duckdb_marts["dim_story"], story: {**row, "story_name": "another"}}
    lines = differences(duckdb_marts, {**duckdb_marts, "dim_story": changed})
    assert len(lines) == 1
    assert "story_name" in lines[0]
    fewer = {key: each for key, each in duckdb_marts["dim_story"].items() if key != story}
    assert len(differences(duckdb_marts, {**duckdb_marts, "dim_story": fewer})) == 1
