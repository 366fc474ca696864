"""Each mart has an example query, in `analyses/`, that answers its question with rows."""

import re

import duckdb
import pytest

from tests.conftest import ROOT

QUERIES = ROOT / "dbt_project" / "analyses"
MARTS = sorted(path.stem for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.sql"))


@pytest.fixture(scope="module")
def connection(built_warehouse):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_answers_its_question(mart, connection):
    text = (QUERIES / f"{mart}.sql").read_text()
    question = text.splitlines()[0]
    assert question.startswith("-- ")
    assert question.endswith("?")
    assert len(text.splitlines()) <= 25
    assert f"ref('{mart}')" in text
    statement = re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"marts.\1", text)
    assert connection.execute(statement).fetchall()


def test_every_example_query_is_of_a_mart():
    assert {path.stem for path in QUERIES.glob("*.sql")} == set(MARTS)
