"""After a first build on Snowflake, as simulated by fakesnow, every mart equals DuckDB's.

fakesnow translates Snowflake's SQL to DuckDB's with sqlglot. It does not support comments with
quotes, composite keys in the DDL of a table, or temporary tables, so the build does without them.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.conftest import ROOT, WITH_UNIT_TESTS
from tests.engines.comparing import contents, differences
from tests.engines.engines import DuckDBEngine, Engine

FOLDER = Path(__file__).parent / "fakesnow"


@dataclass
class SnowflakeEngine(Engine):
    """fakesnow, which stores a database in a DuckDB file."""

    def query(self, statement: str) -> list[dict]:
        path = self.folder / "database" / "TRACKER.db"
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            cursor = connection.execute(statement)
            names = [column[0].lower() for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def first_build(warehouse: Path, folder: Path) -> SnowflakeEngine:
    """Copy the raw tables of a DuckDB file, build all models, and run all tests."""
    project = folder / "project"
    shutil.copytree(ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(FOLDER / "macros", project / "macros" / "fakesnow")
    settings = yaml.safe_load((project / "dbt_project.yml").read_text())
    (project / "dbt_project.yml").write_text(yaml.safe_dump(_without_comments(settings)))
    (folder / "database").mkdir()
    login = {"SNOWFLAKE_ACCOUNT": "fake", "SNOWFLAKE_USER": "fake", "SNOWFLAKE_PASSWORD": "fake"}
    engine = SnowflakeEngine(
        folder,
        {"WAREHOUSE_TARGET": "snowflake", "DBT_PROJECT_DIR": str(project)}
        | {"DBT_PROFILES_DIR": str(project)}
        | login,
    )
    built = engine.run(
        ROOT / ".venv-fakesnow" / "bin" / "python",
        FOLDER / "build.py",
        folder / "database",
        warehouse,
        "build",
        *WITH_UNIT_TESTS,
    )
    assert built.returncode == 0, built.stdout[-6000:] + built.stderr[-2000:]
    assert "WARN=0 ERROR=0 SKIP=0" in built.stdout
    return engine


def _without_comments(settings: object) -> object:
    if not isinstance(settings, dict):
        return settings
    kept = {name: each for name, each in settings.items() if name != "+persist_docs"}
    return {name: _without_comments(each) for name, each in kept.items()}


@pytest.fixture(scope="module")
def snowflake(duckdb_demo: DuckDBEngine, tmp_path_factory) -> SnowflakeEngine:
    return first_build(duckdb_demo.path, tmp_path_factory.mktemp("snowflake"))


def test_every_mart_of_a_first_build_equals_duckdb(snowflake, duckdb_marts, keys):
    assert len(keys) > 20
    assert differences(duckdb_marts, contents(snowflake, keys)) == []
