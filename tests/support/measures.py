"""The measures of the marts, the tests that guard them, and marts in which one measure is wrong."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import yaml

from tests.conftest import ROOT
from tests.support.changed_sql import Models
from tests.support.marts import key_of, query

# Numeric columns that are not measures: ids, positions, parts of a date.
NOT_MEASURES = re.compile(
    r"(^|_)(id|key|number|version|index|rank|seed|position|line|year|quarter|month|week|day)$"
)
NUMERIC = re.compile(r"(bigint|integer|smallint|double|decimal\b.*)")


@dataclass(frozen=True)
class Measure:
    """A numeric column of a mart.

    Attributes:
        guard: the name of the test that fails when the measure is wrong.
    """

    mart: str
    name: str
    data_type: str
    guard: str

    def __str__(self) -> str:
        return f"{self.mart}.{self.name}"


@dataclass(frozen=True)
class Mutation:
    """A measure that is wrong: null, or computed by SQL that was changed."""

    measure: Measure
    is_null: bool = False

    def __str__(self) -> str:
        return f"{self.measure} {'is null' if self.is_null else 'by changed SQL'}"


@cache
def properties() -> tuple[dict, ...]:
    """The contents of the marts' property files."""
    files = sorted((ROOT / "dbt_project" / "models" / "marts").glob("*/*.yml"))
    return tuple(yaml.load(path.read_text(), yaml.CSafeLoader) for path in files)


@cache
def measures() -> tuple[Measure, ...]:
    """All measures, as the marts' property files declare them."""
    return tuple(
        Measure(mart["name"], column["name"], column["data_type"], _guard(mart, column))
        for each in properties()
        for mart in each.get("models", [])
        if mart["name"] != "dim_date"
        for column in mart["columns"]
        if NUMERIC.fullmatch(column["data_type"])
        and (not NOT_MEASURES.search(column["name"]) or column["name"].endswith("_per_week"))
    )


def _guard(mart: dict, column: dict) -> str:
    named = [each.get("config", {}).get("meta", {}).get("guarded_by") for each in (column, mart)]
    return named[0] or named[1] or f"test_{mart['name']}"


def mutations(guard: str, *, every: bool) -> list[Mutation]:
    """Wrong measures of those that a test guards: one, or each in two ways with `every`."""
    guarded = [each for each in measures() if each.guard == guard]
    if not every:
        return [Mutation(each) for each in guarded[:1]]
    return [Mutation(each, is_null) for each in guarded for is_null in (False, True)]


def _nodes(built: Path) -> dict[str, dict]:
    """The models of a built warehouse in dbt's manifest, by "schema.name"."""
    nodes = json.loads((built.parent / "target" / "manifest.json").read_text())["nodes"].values()
    return {
        f"{node['schema']}.{node['alias']}": node
        for node in nodes
        if node["resource_type"] == "model"
    }


@contextmanager
def mutated(built: Path, mutation: Mutation) -> Iterator[Path]:
    """A copy of a built warehouse in which a mart's rows have a wrong measure."""
    copy = built.with_name("mutated.duckdb")
    if not copy.exists():
        shutil.copy(built, copy)
    mart = mutation.measure.mart
    with duckdb.connect(str(copy)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _create_wrong_rows(connection, mutation, *_models(built))
        connection.execute(f"alter table marts.{mart} rename to as_built")
        connection.execute(f"alter table marts.wrong rename to {mart}")
    try:
        yield copy
    finally:
        with duckdb.connect(str(copy)) as connection:
            connection.execute(f"drop table marts.{mart}")
            connection.execute(f"alter table marts.as_built rename to {mart}")


def _create_wrong_rows(
    connection: duckdb.DuckDBPyConnection,
    mutation: Mutation,
    models: Models,
    keys: dict[str, tuple[str, ...]],
) -> None:
    """Create `marts.wrong`: with null, or with the first changed SQL that makes a difference.

    Raises:
        LookupError: if none makes a difference.
    """
    mart, column = f"marts.{mutation.measure.mart}", mutation.measure.name
    queries = models.changed(mart, column)
    if mutation.is_null:
        queries = iter(
            [f"select *, null as {column} from (select * exclude ({column}) from {mart})"]
        )
    matches = " and ".join(
        f"changed.{each} is not distinct from built.{each}" for each in keys[mart]
    )
    for each in queries:
        with suppress(duckdb.BinderException, duckdb.ConversionException):
            connection.execute(
                f"create or replace table marts.wrong as select built.* "
                f"replace (cast(changed.{column} as {mutation.measure.data_type}) as {column}) "
                f"from {mart} as built left join ({each}) as changed on {matches}"
            )
            if connection.execute(f"from {mart} except all from marts.wrong limit 1").fetchone():
                return
    raise LookupError(f"no changed SQL makes a difference to {mutation.measure}")


@cache
def _models(built: Path) -> tuple[Models, dict[str, tuple[str, ...]]]:
    """The models of a built warehouse, and the keys of the marts."""
    sql, keys = {}, {}
    for name, node in _nodes(built).items():
        if node["schema"] != "staging":
            sql[name] = node["compiled_code"].replace(f'"{node["database"]}".', "")
            if node["schema"] == "marts":
                keys[name] = key_of(node)
    columns: dict[str, dict[str, dict[str, str]]] = {}
    for schema, table, column, data_type in query(
        built,
        "select table_schema, table_name, column_name, data_type "
        "from information_schema.columns order by all",
    ):
        columns.setdefault(schema, {}).setdefault(table, {})[column] = data_type
    return Models(sql, columns), keys
