"""dbt from its own folder, partial builds, and failed builds (each parses the whole project)."""

import json
import shutil
from pathlib import Path

import duckdb

from tests.conftest import ROOT, build, dbt


def test_dbt_in_its_own_folder_uses_the_same_warehouse(built_warehouse, tmp_path):
    shown = dbt(
        "show", "--inline", "select count(*) as projects from marts.dim_project", "--output",
        "json", "--quiet", warehouse=built_warehouse, cwd=ROOT / "dbt_project", artifacts=tmp_path,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stdout
    assert json.loads(shown.stdout)["show"] == [{"projects": 8}]


def test_neither_a_partial_nor_a_failed_build_is_published(built_warehouse, tmp_path):
    warehouse = Path(shutil.copy(built_warehouse, tmp_path / "warehouse.duckdb"))
    made = build("--select", "dim_date", warehouse=warehouse)
    assert made.returncode == 0, made.stdout
    assert "A partial build is not published: " in made.stdout
    path = tmp_path / "marts.duckdb"
    assert not path.exists()

    shutil.copy2(built_warehouse.parent / "marts.duckdb", path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop table intermediate.int_projects")
    made = build("--select", "dim_project", warehouse=warehouse)
    assert made.returncode == 1
    assert made.stderr == (
        f"error: the build failed, so nothing was published: {path} is unchanged\n"
    )
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
