"""Another dbt project can use this one as a package and configure it by variables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.conftest import ROOT
from tests.support import crafted

STORY = {
    "id": 101, "project_id": 1, "name": "Search", "story_type": "feature",
    "current_state": "accepted", "estimate": 3, "created_at": "2024-01-01T09:00:00Z",
    "accepted_at": "2024-01-09T09:00:00Z",
}  # fmt: skip
VARIABLES = {
    "tracker_schema": "landed", "tracker_database": "theirs", "tracker_marts_schema": "tracker",
    "tracker_rework_enabled": False, "tracker_history_enabled": False,
}  # fmt: skip
FILES = {
    "dbt_project.yml": {"name": "theirs", "profile": "theirs", "vars": VARIABLES},
    "packages.yml": {"packages": [{"local": str(ROOT)}]},
    "profiles.yml": {
        "theirs": {
            "target": "production",
            "outputs": {
                name: {"type": "duckdb", "path": "theirs.duckdb", "schema": schema}
                for name, schema in (("production", "main"), ("anna", "dbt_anna"))
            },
        }
    },
}


def dbt(folder, *arguments):
    finished = subprocess.run(
        [Path(sys.executable).with_name("dbt"), *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("DBT_")},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return json.loads((folder / "target" / "manifest.json").read_text())


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A user's project, with raw tables in a schema of another name."""
    folder = tmp_path_factory.mktemp("theirs")
    path = crafted.crafted_warehouse(
        folder / "theirs.duckdb", {"projects": [{"id": 1, "name": "Shop"}], "stories": [STORY]}
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema landed")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'pivotal_tracker_data'"
        ).fetchall():
            connection.execute(f"create table landed.{name} as from pivotal_tracker_data.{name}")
        connection.execute("drop schema pivotal_tracker_data cascade")
    for name, content in FILES.items():
        (folder / name).write_text(yaml.safe_dump(content))
    (folder / "models").mkdir()
    (folder / "models" / "open_stories.sql").write_text(
        "select story_id from {{ ref('tracker', 'dim_story') }} where not is_deleted"
    )
    (folder / "dbt_packages").mkdir()
    subprocess.run(
        [Path(sys.executable).with_name("dbt"), "deps", "--quiet"], cwd=folder, check=True
    )
    return folder


def test_the_configured_schemas_are_read_and_built(theirs):
    manifest = dbt(theirs, "build", "--exclude", "resource_type:unit_test")
    with duckdb.connect(str(theirs / "theirs.duckdb"), read_only=True) as connection:
        assert connection.execute("select * from main.open_stories").fetchall() == [(101,)]
        built = dict(
            connection.execute(
                "select table_schema, count(*) from information_schema.tables group by table_schema"
            ).fetchall()
        )
    assert built.keys() == {"landed", "main", "staging", "intermediate", "tracker"}
    marts = {
        Path(node["original_file_path"]).parts[-2]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "tracker"
    }
    # The subjects trust and reports need the history.
    assert marts == {"core", "flow", "iterations", "plans"}
    examples = [each for each in manifest["nodes"].values() if each["resource_type"] == "analysis"]
    assert {each["refs"][0]["name"] for each in examples} <= {
        node["name"] for node in manifest["nodes"].values()
    }
    assert not any("rejection" in each["name"] for each in examples)
    assert manifest["exposures"] == manifest["metrics"] == manifest["saved_queries"] == {}


def test_a_target_with_another_schema_has_separate_schemas(theirs):
    manifest = dbt(theirs, "parse", "--target", "anna")
    schemas = {
        node["schema"] for node in manifest["nodes"].values() if node["resource_type"] == "model"
    }
    assert schemas == {"dbt_anna", "dbt_anna_staging", "dbt_anna_intermediate", "dbt_anna_tracker"}


@pytest.mark.parametrize(
    "subject", ["flow", "iterations", "rework", "history", "plans", "trust", "reports"]
)
def test_any_subject_can_be_disabled(theirs, subject):
    nodes = dbt(theirs, "parse", "--vars", f"{{tracker_{subject}_enabled: false}}")["nodes"]
    assert "model.tracker.dim_story" in nodes
    assert not [each for each in nodes.values() if each["fqn"][:3] == ["tracker", "marts", subject]]
