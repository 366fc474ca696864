"""Dagster has one graph of assets from the raw tables to the published copy, and runs the demo."""

import json
import os
import subprocess
from pathlib import Path

import duckdb
import pytest

from ingest.tables import TABLES
from ingest.warehouses.duckdb.file import locked
from tests.conftest import ROOT

BIN = ROOT / ".venv-dagster" / "bin"
GRAPH = """
import json
from orchestration.definitions import defs
graph = defs.resolve_asset_graph()
keys = graph.get_all_asset_keys()
print(json.dumps({
    "parents": {"/".join(key.path): ["/".join(each.path) for each in graph.get(key).parent_keys]
                for key in keys},
    "checks": len(list(graph.asset_check_keys)),
    "schedules": [each.cron_schedule for each in defs.schedules],
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dagster")
    (folder / "dagster.yaml").write_text((ROOT / "orchestration" / "dagster.yaml").read_text())
    return os.environ | {
        "DAGSTER_HOME": str(folder),
        "WAREHOUSE_PATH": str(folder / "warehouse.duckdb"),
        "MARTS_PATH": str(folder / "marts.duckdb"),
        "INGEST_LOG_PATH": str(folder / "logs"),
        "PYTHONPATH": str(ROOT),
        "WAIT": "0",
    }


def run(environment, *command):
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200
    )


def test_raw_tables_models_and_the_copy_are_one_graph(environment):
    finished = run(environment, BIN / "python", "-c", GRAPH)
    assert finished.returncode == 0, finished.stderr
    graph = json.loads(finished.stdout.splitlines()[-1])
    parents = graph["parents"]
    raw = {f"pivotal_tracker/{name}" for name in TABLES}
    assert raw <= parents.keys()
    read = {each for key, keys in parents.items() if key.startswith("staging/") for each in keys}
    assert raw - read == {"pivotal_tracker/me"} & (raw - read)
    marts = {path.stem for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    assert {f"marts/{name}" for name in marts} == set(parents["published_copy"])
    assert graph["checks"] > 100
    assert graph["schedules"] == ["15 3 * * *"]


def test_a_run_waits_for_the_lock_and_names_its_holder(environment):
    with locked(Path(environment["WAREHOUSE_PATH"]), what="the nightly run"):
        finished = run(
            environment,
            *(BIN / "dagster", "asset", "materialize", "-m", "orchestration.definitions"),
            *("--select", "pivotal_tracker/stories"),
        )
    assert finished.returncode != 0
    assert "is in use by the nightly run" in finished.stderr


def test_the_demo_is_materialised_and_published(environment):
    finished = run(
        environment,
        *(BIN / "dagster", "job", "execute", "-m", "orchestration.definitions"),
        *("-j", "everything"),
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert "RUN_SUCCESS" in finished.stderr
    with duckdb.connect(environment["MARTS_PATH"], read_only=True) as connection:
        assert connection.execute("select count(*) from dim_project").fetchone() == (8,)
