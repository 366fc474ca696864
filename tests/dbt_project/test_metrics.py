"""`dim_metric` defines every measure that is published, and each is guarded by a test."""

import ast
import re

import duckdb
import pytest
import yaml

from tests.conftest import ROOT

PROJECT = ROOT / "dbt_project"
# Numeric columns that measure nothing: ids, places in an order, parts of a date.
NOT_MEASURES = re.compile(
    r"(^|_)(id|key|number|version|index|rank|seed|position|line|year|quarter|month|week|day)$"
)
HOW_TO = (
    "In the mart's YAML, name a test under config: meta: guarded_by (of the mart or the column), "
    "or write test_<mart> in tests/oracle/; it must speak of the column."
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
    measures = {
        name for (name,) in columns if not NOT_MEASURES.search(name) or name.endswith("_per_week")
    }
    assert {metric["metric_key"] for metric in metrics} == measures, (
        "macros/published_measures.sql and NOT_MEASURES here must agree on what a measure is"
    )


def test_every_measure_has_a_unit(metrics):
    unknown = [metric["metric_key"] for metric in metrics if metric["unit"] == "unknown"]
    assert not unknown, (
        "name the unit under config: meta: unit of the column, or in unit_of_measure (macros)"
    )


def guards():
    """The text of each test by its name: pytest with its module and oracles, dbt's tests."""
    found = {}
    oracles = {path.name: path.read_text() for path in (ROOT / "tests" / "oracle").glob("*.py")}
    shared = "".join(oracles.values()) + (ROOT / "tests" / "support" / "oracle.py").read_text()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = text + shared
    for path in (PROJECT / "tests").glob("*.sql"):
        found[path.stem] = path.read_text()
    for path in (PROJECT / "models").rglob("*.yml"):
        for test in (yaml.safe_load(path.read_text()) or {}).get("unit_tests", []):
            found[test["name"]] = yaml.safe_dump(test)
    return found


def unguarded(metrics, tests):
    """Measures whose guard does not exist, or says nothing of them."""
    return {
        metric["metric_key"]: metric["guarded_by"]
        for metric in metrics
        if not mentions(tests.get(metric["guarded_by"], ""), metric["metric_name"])
    }


def mentions(text, name):
    """Whether a text holds a name, or makes it of one word, as f"p{each}_seconds" does."""
    made = re.findall(r'f"([a-z0-9_{}]+)"', text)
    patterns = (re.sub(r"\{\w+\}", "[a-z0-9]+", each) for each in made)
    return name in text or any(re.fullmatch(each, name) for each in patterns)


def test_every_measure_is_guarded_by_a_test_that_speaks_of_it(metrics):
    assert not unguarded(metrics, guards()), HOW_TO


def test_a_guard_that_does_not_exist_or_speaks_of_something_else_is_found():
    tests = {"test_it": "story_count"}
    metrics = [
        {"metric_key": "a.story_count", "metric_name": "story_count", "guarded_by": "test_it"},
        {"metric_key": "a.points", "metric_name": "points", "guarded_by": "test_it"},
        {"metric_key": "b.story_count", "metric_name": "story_count", "guarded_by": "test_b"},
    ]
    assert set(unguarded(metrics, tests)) == {"a.points", "b.story_count"}


def test_a_measure_is_null_only_where_its_description_says_so(connection, metrics):
    silent = [metric for metric in metrics if metric["edge_rules"] == "Never null."]
    wrong = [
        metric["metric_key"]
        for metric in silent
        if connection.execute(
            f"select count(*) - count({metric['metric_name']}) from marts.{metric['mart_name']}"
        ).fetchone()[0]
    ]
    assert not wrong, "say in the column's description when it is null"
