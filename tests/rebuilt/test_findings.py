"""Each rule of `dq_finding` finds its odd cases and nothing else."""

from collections import defaultdict

import duckdb
import pytest

from tests.support.crafted import crafted_warehouse
from tests.support.marts import build, compiled_models
from tests.support.odd_workspace import EXCLUDED, EXPECTED, odd_records


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    path = tmp_path_factory.mktemp("findings") / "warehouse.duckdb"
    crafted_warehouse(path, odd_records(), dates_only=frozenset([201]))
    build(path, compiled_models(path, "--vars", EXCLUDED))
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="module")
def found(connection):
    keys = defaultdict(set)
    for rule, key in connection.execute(
        "select rule_name, entity_key from marts.dq_finding"
    ).fetchall():
        keys[rule].add(key)
    return keys


def test_every_rule_fires(connection):
    rules = connection.execute("select rule_name from marts.dq_rule").fetchall()
    assert {rule for (rule,) in rules} == set(EXPECTED)
    assert all(EXPECTED.values())


@pytest.mark.parametrize("rule", EXPECTED)
def test_a_rule_finds_what_is_odd_and_nothing_else(rule, found):
    assert found[rule] == EXPECTED[rule]


def test_a_finding_contains_its_evidence(connection):
    evidence = dict(
        connection.execute(
            "select finding_key, evidence from marts.dq_finding where finding_key in ("
            "'version_hole-1-3', 'story_name_duplicated-125', 'unaccepted_after_close-129', "
            "'estimate_changed_after_acceptance-110', 'points_off_scale-120')"
        ).fetchall()
    )
    assert evidence == {
        "version_hole-1-3": "project_version 3 to 3",
        "story_name_duplicated-125": "story_id 125, 126",
        "unaccepted_after_close-129": "iteration_key 1-1",
        "estimate_changed_after_acceptance-110": "activity_id 1_1",
        "points_off_scale-120": "estimate 5, point_scale 0,1,2,3",
    }


def test_gaps_are_ranges_between_read_versions(connection):
    periods = connection.execute(
        "select first_project_version, last_project_version, row_count, is_hole "
        "from marts.fct_history_coverage where project_id = 1 and source_name = 'activities' "
        "order by period_number"
    ).fetchall()
    assert periods == [(1, 2, 2, False), (3, 3, 1, True), (4, 5, 2, False)]


@pytest.mark.parametrize("column", ["project_id", "story_id"])
def test_no_mart_has_a_row_of_excluded_data(column, connection):
    marts = connection.execute(
        "select distinct table_name from information_schema.columns "
        "where table_schema = 'marts' and column_name = ?",
        [column],
    ).fetchall()
    assert len(marts) > 10
    excluded = {"project_id": "4", "story_id": "132, 401"}[column]
    for (mart,) in marts:
        rows = connection.execute(f"select * from marts.{mart} where {column} in ({excluded})")
        assert mart == "dq_finding" or not rows.fetchall(), mart
