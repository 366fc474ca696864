"""The measures of the marts, the tests that guard them, and marts in which one measure is wrong."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import yaml

from tests.conftest import ROOT

MODELS = ROOT / "dbt_project" / "models"
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
    """A measure, and the expression that replaces it."""

    measure: Measure
    replacement: str

    def __str__(self) -> str:
        return f"{self.measure} = {self.replacement}"


@cache
def measures() -> tuple[Measure, ...]:
    """All measures, as the marts' property files declare them."""
    return tuple(
        Measure(mart["name"], column["name"], column["data_type"], _guard(mart, column))
        for path in sorted(MODELS.glob("marts/*/*.yml"))
        for mart in yaml.safe_load(path.read_text()).get("models", [])
        if mart["name"] != "dim_date"
        for column in mart["columns"]
        if NUMERIC.fullmatch(column["data_type"])
        and (not NOT_MEASURES.search(column["name"]) or column["name"].endswith("_per_week"))
    )


def _guard(mart: dict, column: dict) -> str:
    named = [each.get("config", {}).get("meta", {}).get("guarded_by") for each in (column, mart)]
    return named[0] or named[1] or f"test_{mart['name']}"


def mutations(guard: str, *, every: bool) -> list[Mutation]:
    """Wrong values of the measures that a test guards: one per mart, or all with `every`."""
    guarded = [each for each in measures() if each.guard == guard]
    if not every:
        first = {each.mart: each for each in reversed(guarded)}
        return [Mutation(each, f"{each.name} + 1") for each in first.values()]
    return [
        Mutation(each, replacement)
        for each in guarded
        for replacement in (f"{each.name} + 1", f"cast(null as {each.data_type})")
    ]


@contextmanager
def mutated(built: Path, mutation: Mutation) -> Iterator[Path]:
    """A copy of a built warehouse whose mart has a wrong measure.

    In the copy, the mart is a view of the built rows with one column replaced by the expression.
    """
    copy = built.with_name("mutated.duckdb")
    if not copy.exists():
        shutil.copy(built, copy)
    mart, column = mutation.measure.mart, mutation.measure.name
    with duckdb.connect(str(copy)) as connection:
        connection.execute(f"alter table marts.{mart} rename to {mart}_as_built")
        connection.execute(
            f"create view marts.{mart} as select * replace ({mutation.replacement} as {column}) "
            f"from marts.{mart}_as_built"
        )
    try:
        yield copy
    finally:
        with duckdb.connect(str(copy)) as connection:
            connection.execute(f"drop view marts.{mart}")
            connection.execute(f"alter table marts.{mart}_as_built rename to {mart}")
