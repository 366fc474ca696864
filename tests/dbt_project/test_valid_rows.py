"""The generic test `valid_rows` names each rule that a row breaks."""

import json

import duckdb
import pytest

DIMENSIONS = """
create schema marts;
create table marts.dim_story as select 2060 as story_id;
create table marts.dim_epic as select 31 as epic_id;
create table marts.dim_person as select 9 as person_id;
create table marts.dim_date as select date '2024-06-01' as calendar_date;
"""
COMMENTS = """
create table marts.fct_comment as
select * from (values
    (1, 100, 2060, null, 9, date '2024-06-01'),
    (2, 100, 2060, null, null, date '2024-06-01'),
    (2, 100, null, 31, 9, null),
    (null, 100, 2060, null, 9, date '2024-06-01'),
    (3, 100, 2061, null, 9, date '2024-06-01'),
    (4, 100, null, 32, 8, date '2024-06-02')
) as comments (comment_id, project_id, story_id, epic_id, person_id, created_date);
"""
STORIES = """
create or replace table marts.dim_story as
select * from (values
    (1, 100, 'feature', 'started'), (2, 100, null, null), (3, 100, 'spike', 'started'),
    (4, 100, 'epic', 'frozen')
) as stories (story_id, project_id, story_type, current_state);
"""


@pytest.fixture(scope="module")
def data_tests(built_warehouse):
    """{name: SQL} of the build's data tests."""
    target = built_warehouse.parent / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
    return {
        node["name"]: node["compiled_code"].replace(f'"{node["database"]}".', "")
        for node in nodes
        if node["resource_type"] == "test"
    }


@pytest.mark.parametrize(
    ("table", "test", "broken"),
    [
        (
            COMMENTS,
            "valid_fct_comment",
            [
                (2, "comment_id: several rows; "),
                (2, "comment_id: several rows; "),
                (3, "story_id is not in dim_story; "),
                (
                    4,
                    "person_id is not in dim_person; created_date is not in dim_date; ",
                ),
                (None, "comment_id is null; "),
            ],
        ),
        (COMMENTS, "references_of_fct_comment", [(4, "epic_id is not in dim_epic; ")]),
        (
            STORIES,
            "expected_dim_story",
            [
                (3, "story_type has another value; "),
                (4, "story_type has another value; current_state has another value; "),
            ],
        ),
    ],
    ids=["errors", "a mart of another subject", "values that Tracker never had"],
)
def test_each_rule_that_a_row_breaks_is_named(table, test, broken, data_tests):
    with duckdb.connect() as connection:
        connection.execute(DIMENSIONS + table)
        key = "story_id" if "dim_story" in test else "comment_id"
        found = connection.execute(
            f"select {key}, broken_rules from ({data_tests[test]}) order by all"
        ).fetchall()
    assert found == broken
