"""Build marts without dbt, by running its compiled SQL directly, and compare two builds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb

from tests.conftest import dbt


@dataclass(frozen=True)
class CompiledModels:
    """All models, their tests, and the example queries as SQL.

    Attributes:
        statements: the statements that build the models, in dbt's order.
        keys: the key of each mart.
        checks: by name, a query for the rows that violate a mart's constraint or a test of
            severity error.
        analyses: by name, the example queries.
    """

    statements: tuple[str, ...]
    keys: dict[str, tuple[str, ...]]
    checks: dict[str, str]
    analyses: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """A cell, or a whole row, that differs between two builds of a mart.

    Attributes:
        row: the differing row in the first build, or in the second if the first lacks it.
        column: None if one build lacks the row.
    """

    mart: str
    row: dict[str, object]
    key: tuple[object, ...]
    column: str | None
    first: object
    second: object

    def __str__(self) -> str:
        where = f"marts.{self.mart} {'/'.join(map(str, self.key))}"
        if self.column is None:
            return f"{where}: the row is {self.first} in the first, {self.second} in the second"
        return f"{where}.{self.column}: first {show(self.first)}, second {show(self.second)}"


def compiled_models(warehouse: Path, *arguments: str, **settings: str) -> CompiledModels:
    """Compile the project with dbt once; the warehouse need not exist."""
    made = dbt("compile", "--quiet", *arguments, warehouse=warehouse, **settings)
    assert made.returncode == 0, made.stdout + made.stderr
    target = warehouse.parent / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    results = json.loads((target / "run_results.json").read_text())["results"]
    statements, keys, checks, analyses = [], {}, {}, {}
    for result in results:
        node = nodes[result["unique_id"]]
        sql = (result["compiled_code"] or "").replace(f'"{node["database"]}".', "")
        if node["resource_type"] == "analysis":
            analyses[node["name"]] = sql
        if node["resource_type"] == "test" and node["config"]["severity"].lower() == "error":
            checks[node["name"]] = sql
        if node["resource_type"] != "model":
            continue
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        name = f'{node["schema"]}."{node["alias"]}"'
        statements.append(f"create or replace {kind} {name} as {sql}")
        if node["schema"] == "marts":
            keys[node["alias"]] = key_of(node)
            checks |= _constraints(node)
    schemas = ("staging", "intermediate", "marts")
    created = [f"create schema if not exists {each}" for each in schemas]
    return CompiledModels((*created, *statements), keys, checks, analyses)


def _constraints(node: dict) -> dict[str, str]:
    """By name, a query for the rows of a mart that violate a constraint of its contract."""
    broken = {
        f"{name} is not null": f"{name} is null"
        for name, column in node["columns"].items()
        for each in column["constraints"]
        if each["type"] == "not_null"
    }
    of_columns = [each for column in node["columns"].values() for each in column["constraints"]]
    for each in node["constraints"] + of_columns:
        if each["type"] == "check":
            broken[each["expression"]] = f"not ({each['expression']})"
    mart = f'{node["schema"]}."{node["alias"]}"'
    key = ", ".join(key_of(node))
    queries = {name: f"select * from {mart} where {where}" for name, where in broken.items()}
    queries[f"one row per {key}"] = f"select {key} from {mart} group by {key} having count(*) > 1"
    return {f"{node['alias']}: {name}": query for name, query in queries.items()}


def broken_checks(warehouse: Path, models: CompiledModels) -> dict[str, list[tuple]]:
    """By name, the rows that violate a constraint or a test of severity error; empty if none do."""
    broken = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, query in models.checks.items():
            rows = connection.execute(query).fetchmany(20)
            if rows:
                broken[name] = rows
    return broken


def build(warehouse: Path, models: CompiledModels) -> None:
    """Build all models of a warehouse."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for statement in models.statements:
            connection.execute(statement)


def differences(first: Path, second: Path, models: CompiledModels) -> list[Difference]:
    """All differing cells between the marts of two warehouses; rows are matched by key."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{first}' as first (read_only)")
        connection.execute(f"attach '{second}' as second (read_only)")
        return [
            each
            for mart, key in sorted(models.keys.items())
            for each in _mart_differences(connection, mart, key)
        ]


def query(warehouse: Path, statement: str) -> list[tuple]:
    """The rows that a query returns from a warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(statement).fetchall()


def rows(warehouse: Path, mart: str) -> list[dict[str, object]]:
    """The rows of a mart, with timestamps in seconds since the epoch and exact decimals."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return [
            {name: plain(value) for name, value in row.items()}
            for row in _dicts(connection, f"select * from marts.{mart}")
        ]


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return int(value.timestamp())
    return Fraction(value) if isinstance(value, Decimal) else value


def show(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def key_of(node: dict) -> tuple[str, ...]:
    """The columns of a mart's primary key."""
    for constraint in node["constraints"]:
        if constraint["type"] == "primary_key":
            return tuple(constraint["columns"])
    for name, column in node["columns"].items():
        if any(each["type"] == "primary_key" for each in column["constraints"]):
            return (name,)
    raise AssertionError(f"{node['name']} has no primary key")


def _mart_differences(
    connection: duckdb.DuckDBPyConnection, mart: str, key: tuple[str, ...]
) -> Iterable[Difference]:
    only = "select * from {}.marts.{} except all select * from {}.marts.{}"
    first = _by_key(_dicts(connection, only.format("first", mart, "second", mart)), key)
    second = _by_key(_dicts(connection, only.format("second", mart, "first", mart)), key)
    for each in sorted(first.keys() | second.keys(), key=str):
        one, two = first.get(each), second.get(each)
        if one is None or two is None:
            there = ("there", "missing") if two is None else ("missing", "there")
            yield Difference(mart, one or two, each, None, *there)
            continue
        for column, value in one.items():
            if not same(value, two[column]):
                yield Difference(mart, one, each, column, value, two[column])


def same(one: object, two: object) -> bool:
    """Whether two cells are equal, up to rounding: doubles may be summed in another order."""
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-12)
    return one == two


def _dicts(connection: duckdb.DuckDBPyConnection, statement: str) -> list[dict[str, object]]:
    cursor = connection.execute(statement)
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _by_key(
    found: list[dict[str, object]], key: tuple[str, ...]
) -> dict[tuple[object, ...], dict[str, object]]:
    by_key = {tuple(row[name] for name in key): row for row in found}
    assert len(by_key) == len(found), f"{key} is no key"
    return by_key
