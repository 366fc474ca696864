"""Each mart has an example query in analyses/, which answers its question in docs/marts.md."""

import re

import duckdb
import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "dbt_project" / "analyses"
ANALYSES = sorted(path.stem.removeprefix("example_") for path in FOLDER.glob("example_*.sql"))
QUESTIONS = dict(
    re.findall(
        r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$",
        (ROOT / "docs" / "marts.md").read_text(),
        re.MULTILINE,
    )
)
# The demo has no differences from Tracker beyond the tolerances, and its API provides all data.
NULL_IN_THE_DEMO = {
    "fct_reconciliation": {"explanation"},
    "rpt_data_coverage": {"missing", "remedies"},
}


@pytest.fixture(scope="module")
def connection(built_warehouse):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def test_every_mart_has_an_example_with_the_question_of_the_catalogue(connection):
    marts = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'marts'"
    ).fetchall()
    assert {name for (name,) in marts} == set(ANALYSES)
    questions = {
        name: (FOLDER / f"example_{name}.sql").read_text().splitlines()[0] for name in ANALYSES
    }
    assert questions == {name: f"-- {QUESTIONS.get(name)}" for name in ANALYSES}


@pytest.mark.parametrize("name", ANALYSES)
def test_an_example_reads_its_mart_and_has_rows_in_the_demo(name, models, connection):
    query = models.analyses[f"example_{name}"]
    assert f'"marts"."{name}"' in query
    cursor = connection.execute(query)
    columns = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    assert rows
    known = {
        column
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
        if set(values) != {None}
    }
    assert set(columns) - known <= NULL_IN_THE_DEMO.get(name, set())
