"""Assistants can query the published copy through the MCP server of .mcp.json."""

import json
import subprocess
from decimal import Decimal

import duckdb
import pytest

from bi.publish import publish
from tests.conftest import ROOT

# Questions of the README, with the SQL that an assistant would write after reading the comments.
QUESTIONS = {
    "How fast are we?": """
        select velocity from fct_iteration_velocity inner join dim_project using (project_id)
        where project_name = 'Mobile App' and iteration_number = 38
    """,
    "How long does a story take?": """
        select count(*), quantile_disc(cycle_time_seconds, 0.85) from fct_story_cycle_time
    """,
    "How much comes back from acceptance?": """
        select count(*), count(distinct story_id) from fct_rejection
    """,
    "Where does work pile up?": """
        select story_state, sum(story_count) as stories from fct_flow_daily
        where flow_date = date '2025-04-01'
        group by story_state order by stories desc, story_state
    """,
    "Who did what?": """
        select person_name, count(*) as activities
        from fct_activity inner join dim_person on performed_by_id = person_id
        group by person_name order by activities desc, person_name limit 3
    """,
}
FORBIDDEN = "create table forbidden as select 1"


@pytest.fixture(scope="module")
def answers(built_warehouse, tmp_path_factory):
    marts = tmp_path_factory.mktemp("published") / "marts.duckdb"
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'marts'"
            ).fetchall()
        ]
    publish(built_warehouse, marts, names)
    (server,) = json.loads((ROOT / ".mcp.json").read_text())["mcpServers"].values()
    arguments = [str(marts) if each == "marts.duckdb" else each for each in server["args"]]
    request = {
        "command": str(ROOT / server["command"]),
        "arguments": arguments,
        "table": "fct_iteration_velocity",
        "statements": [*QUESTIONS.values(), FORBIDDEN],
    }
    finished = subprocess.run(
        [ROOT / ".venv-mcp" / "bin" / "python", ROOT / "tests" / "ecosystem" / "assistant.py"],
        input=json.dumps(request),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture(scope="module")
def warehouse(built_warehouse):
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        connection.execute("set search_path = 'marts'")
        yield connection


def test_every_table_and_column_has_a_comment(answers, warehouse):
    tables = {table["name"]: table["comment"] for table in answers["tables"]}
    marts = warehouse.execute(
        "select table_name, comment from duckdb_tables() where schema_name = 'marts'"
    ).fetchall()
    assert tables.items() >= dict(marts).items()
    assert all(tables.values())
    assert all(column["comment"] for column in answers["columns"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_the_readme_is_answered(question, answers, warehouse):
    index = list(QUESTIONS).index(question)
    rows = json.loads(answers["queries"][index])["rows"]
    expected = warehouse.execute(QUESTIONS[question]).fetchall()
    assert rows == [
        [float(value) if isinstance(value, Decimal) else value for value in row] for row in expected
    ]
    assert all(value is not None for row in rows for value in row)


def test_the_velocity_equals_the_one_in_the_readme(answers):
    readme = (ROOT / "README.md").read_text()
    (velocity,) = json.loads(answers["queries"][0])["rows"][0]
    assert f"\n38                5.0000           {velocity}  " in readme


def test_nothing_can_be_written(answers):
    assert "read-only" in answers["queries"][-1]
