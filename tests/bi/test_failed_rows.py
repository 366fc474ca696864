"""For a failed test, `make build` lists the failing rows and how to build without them."""

import json
import subprocess

import duckdb
import pytest

from bi import build
from bi.failed_rows import failures

CASES = {
    "a singular test with a story": (
        'select story_id from "w".marts.fct where estimate < 0',
        " fails: project 100, story 2060 (dump.json, line 3)",
        "excluded_story_ids: [2060]",
    ),
    "rows that break several rules of a model": (
        "select *, case when estimate is null then 'estimate is null; ' else '' end "
        "|| 'fct_key: several rows; ' as broken_rules "
        'from "w".marts.fct where fct_key = 2',
        " fails (estimate is null; fct_key: several rows): "
        "project 200, story 2061; project 300, story 2062 (b.csv, line 7)",
        "excluded_story_ids: [2061, 2062]",
    ),
    "an iteration": (
        "select '300-4' as iteration_key",
        " fails: project 300",
        "excluded_project_ids: [300]",
    ),
}


@pytest.fixture
def target(tmp_path):
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(
            "create schema marts; create schema staging; create schema pivotal_tracker_data;"
            "create table pivotal_tracker_data.projects as "
            "select unnest([300, 100, 200, 400, 500]) as id;"
            "create table marts.fct as select * from (values (1, 100, 2060, -1), "
            "(2, 200, 2061, null), (2, 300, 2062, 5)) t (fct_key, project_id, story_id, estimate);"
            "create table staging.stg_pivotal_tracker__stories as select * from (values "
            "(100, 2060, 'dump.json', 3), (200, 2061, null, null), (300, 2062, 'b.csv', 7)) "
            "t (project_id, story_id, source_file, source_line)"
        )
    return tmp_path


def write_results(target, sql):
    """The files of a run in which one test failed."""
    manifest = {"nodes": {"test.a": {"name": "a_test", "database": "w"}, "model.fct": {}}}
    results = [
        {"unique_id": "test.a", "status": "fail", "compiled_code": sql},
        {"unique_id": "model.fct", "status": "success", "compiled_code": "select 1"},
    ]
    (target / "manifest.json").write_text(json.dumps(manifest))
    (target / "run_results.json").write_text(json.dumps({"results": results}))


@pytest.mark.parametrize(("sql", "rows", "ids"), CASES.values(), ids=CASES)
def test_a_failed_test_names_its_rows_and_the_remedy(sql, rows, ids, target):
    write_results(target, sql)
    assert failures(target, target / "w.duckdb") == [
        f"a_test{rows}",
        f"to build without them: make build ARGS=\"--vars '{{{ids}}}'\"",
    ]


def test_a_model_that_stops_is_named_with_its_error_and_the_remedy(target):
    write_results(target, "select 1")
    message = (
        "Runtime Error in model fct (dbt_project/models/fct.sql)\n  Conversion Error: Could not "
        "convert string 'x' to INT64\n  \n  LINE 5: select cast(a as bigint)"
    )
    stopped = {"unique_id": "model.fct", "status": "error", "compiled_code": "", "message": message}
    manifest = {"nodes": {"model.fct": {"name": "fct"}}}
    (target / "manifest.json").write_text(json.dumps(manifest))
    (target / "run_results.json").write_text(json.dumps({"results": [stopped]}))
    assert failures(target, target / "w.duckdb") == [
        "fct stops: Conversion Error: Could not convert string 'x' to INT64",
        "to find the project whose data causes it, build without half of them, then without half "
        "of that half: make build ARGS=\"--vars '{excluded_project_ids: [100, 200]}'\"",
    ]


def test_a_build_that_did_not_run_reports_no_results_of_an_earlier_one(target, monkeypatch, capsys):
    write_results(target, next(iter(CASES.values()))[0])
    monkeypatch.setenv("DBT_TARGET_PATH", str(target))
    monkeypatch.setenv("WAREHOUSE_PATH", str(target / "w.duckdb"))
    monkeypatch.setenv("MARTS_PATH", str(target / "marts.duckdb"))
    monkeypatch.delenv("WAREHOUSE_TARGET", raising=False)
    stopped = subprocess.CompletedProcess([], 2)
    monkeypatch.setattr(build.subprocess, "run", lambda *_, **__: stopped)
    assert build.main([]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert [line for line in errors if "nothing was published" in line] == errors
