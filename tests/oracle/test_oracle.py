"""The main marts equal a computation in plain Python from the demo's event log, cell by cell."""

import math

from tests.support import marts, oracle


def mart(path, name, *key):
    """Rows of a mart by its key, a value or a tuple of several."""
    rows = marts.rows(path, name)
    by_key = {
        row[key[0]] if len(key) == 1 else tuple(row[column] for column in key): row for row in rows
    }
    assert len(by_key) == len(rows)
    return by_key


def differences(expected, actual):
    """The differing cells as (key, column, expected, actual), including missing and extra rows."""
    found = [(key, "row", "expected", "missing") for key in expected.keys() - actual.keys()]
    found += [(key, "row", "not expected", "found") for key in actual.keys() - expected.keys()]
    for key in expected.keys() & actual.keys():
        for column, value in expected[key].items():
            if not same(value, actual[key][column]):
                found.append((key, column, value, actual[key][column]))
    return sorted(found, key=str)


def same(expected, actual):
    if isinstance(expected, float) and isinstance(actual, float):
        return math.isclose(expected, actual, rel_tol=1e-9)
    return expected == actual and (expected is None) == (actual is None)


def check(expected, actual):
    found = differences(expected, actual)
    assert not found, f"{len(found)} cells differ, the first: {found[:5]}"
    assert expected


def test_fct_story_cycle_time(built_warehouse, workspace, iterations):
    expected = oracle.story_cycle_time(workspace, workspace.now, iterations)
    check(expected, mart(built_warehouse, "fct_story_cycle_time", "story_id"))


def test_fct_activity(built_warehouse, workspace):
    check(oracle.activity(workspace), mart(built_warehouse, "fct_activity", "activity_id"))


def test_dim_project(built_warehouse, workspace, iterations):
    expected = oracle.project(workspace, workspace.now, iterations)
    check(expected, mart(built_warehouse, "dim_project", "project_id"))


def test_the_comparison_finds_a_wrong_cell_and_a_missing_row():
    assert differences({1: {"a": None}, 2: {"a": 1}}, {1: {"a": 0}}) == [
        (1, "a", None, 0),
        (2, "row", "expected", "missing"),
    ]
