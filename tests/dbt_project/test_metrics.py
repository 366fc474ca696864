"""`dim_metric` defines every measure, and names a test that fails when the measure is wrong."""

import ast
import json
import os
from functools import cache

import duckdb
import pytest

from tests.conftest import ROOT
from tests.support.changed_sql import Models
from tests.support.measures import NOT_MEASURES, measures, mutated, mutations, properties

HOW_TO = (
    "In the mart's YAML, name a test under config: meta: guarded_by (of the mart or the column), "
    "or write test_<mart> in tests/oracle/. Such tests are also run on marts with wrong measures."
)


@pytest.fixture(scope="module")
def connection(built_warehouse):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def metrics(connection):
    cursor = connection.execute("select * from marts.dim_metric")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_every_measure_of_a_mart_is_defined(connection, metrics):
    columns = connection.execute(
        "select table_name || '.' || column_name from information_schema.columns "
        "where table_schema = 'marts' and table_name != 'dim_date' and (data_type in "
        "('BIGINT', 'INTEGER', 'SMALLINT', 'HUGEINT', 'DOUBLE') or data_type like 'DECIMAL%')"
    ).fetchall()
    measured = {
        name for (name,) in columns if not NOT_MEASURES.search(name) or name.endswith("_per_week")
    }
    defined = {(metric["metric_key"], metric["guarded_by"]) for metric in metrics}
    assert {name for name, _ in defined} == measured, (
        "macros/published_measures.sql and NOT_MEASURES must agree on what a measure is"
    )
    assert {(str(each), each.guard) for each in measures()} == defined


def test_every_measure_has_a_unit(metrics):
    unknown = [metric["metric_key"] for metric in metrics if metric["unit"] == "unknown"]
    assert not unknown, (
        "name the unit under config: meta: unit of the column, or in unit_of_measure (macros)"
    )


@pytest.fixture(scope="module")
def data_tests(built_warehouse):
    """{name: SQL} of all singular data tests."""
    target = built_warehouse.parent / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
    return {
        node["name"]: node["compiled_code"].replace(f'"{node["database"]}".', "")
        for node in nodes
        if node["resource_type"] == "test" and not node.get("test_metadata")
    }


@cache
def unit_tests():
    """Names of all unit tests of marts."""
    return {test["name"] for each in properties() for test in each.get("unit_tests", [])}


def oracle_tests():
    """Names of the tests that compare a mart with plain Python; they also run on wrong marts."""
    return {
        node.name
        for path in (ROOT / "tests" / "oracle").glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and "built_warehouse" in {argument.arg for argument in node.args.args}
    }


def test_every_guard_is_a_test_that_is_run_on_wrong_measures(data_tests):
    known = oracle_tests() | data_tests.keys() | unit_tests()
    assert {str(each): each.guard for each in measures() if each.guard not in known} == {}, HOW_TO


@pytest.mark.parametrize(
    "measure", [each for each in measures() if each.guard in unit_tests()], ids=str
)
def test_a_unit_test_fails_if_the_sql_of_its_measure_is_changed(
    measure, connection, built_warehouse
):
    (path,) = (built_warehouse.parent / "target" / "run").rglob(f"{measure.guard}.sql")
    model, _ = path.read_text().rsplit("-- Union actual and expected results", 1)
    query = f"{model} select {measure.name} from dbt_internal_unit_test_actual"

    def values(query):
        return sorted(connection.execute(query).fetchall(), key=str)

    expected = values(query)
    assert any(
        values(each) != expected for each in Models({"": query}, {}).changed("", measure.name)
    )


MUTATIONS = [
    mutation
    for guard in sorted({each.guard for each in measures() if each.guard.startswith("assert_")})
    for mutation in mutations(guard, every="EVERY_MEASURE" in os.environ)
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_data_test_fails_if_its_measure_is_wrong(mutation, data_tests, built_warehouse):
    with (
        mutated(built_warehouse, mutation) as path,
        duckdb.connect(str(path), read_only=True) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        assert connection.execute(data_tests[mutation.measure.guard]).fetchone()


def test_measures_described_as_never_null_are_never_null(connection, metrics):
    never_null = [metric for metric in metrics if metric["edge_rules"] == "Never null."]
    wrong = [
        metric["metric_key"]
        for metric in never_null
        if connection.execute(
            f"select count(*) - count({metric['metric_name']}) from marts.{metric['mart_name']}"
        ).fetchone()[0]
    ]
    assert not wrong, "explain in the column's description when it is null"
