"""dbt after ingestion: killed during a build, and with values that Tracker never had."""

import random
import re
import signal
import subprocess
import time
from unittest import mock

import orjson
import pytest

from ingest.tables import TABLES
from simulator import serve
from tests.conftest import BIN, ROOT, dbt, environment, ingest
from tests.resilience.conftest import query
from tests.resilience.faulty import Fault, FaultyRelay
from tests.resilience.test_crashes import KILLS, SEED
from tests.resilience.test_drift import older_release

pytestmark = pytest.mark.xdist_group("killed build")

PROJECT_ID = 2600001
UNKNOWN_VALUES = {
    f"/projects/{PROJECT_ID}/stories": {"story_type": "spike", "current_state": "frozen"},
    f"/projects/{PROJECT_ID}/activity": {"kind": "portal_open_activity"},
}


def unknown_values(path):
    """Give the first record of a list a value that Tracker never had."""

    def changed(body):
        records = orjson.loads(body)
        for each in records[:1]:
            each.update(UNKNOWN_VALUES[path])
        return orjson.dumps(records)

    return Fault(body=changed) if path in UNKNOWN_VALUES else None


def killed_build(path, delay):
    """Start `dbt run`, and kill it shortly after it started its first table."""
    run = subprocess.Popen(
        [BIN / "dbt", "run"],
        cwd=ROOT,
        env=environment(
            path,
            DBT_TARGET_PATH=str(path.parent / "target"),
            DBT_LOG_PATH=str(path.parent / "logs"),
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in run.stdout:
        if "START sql table model" in line:
            break
    time.sleep(delay)
    run.kill()
    run.communicate()
    return run.returncode


@pytest.fixture(scope="module")
def built(tiny_workspace, tmp_path_factory):
    """A warehouse with unknown values, and the result of a build after killed ones.

    An older release loaded it first, with fewer tables and columns and other types.
    """
    path = tmp_path_factory.mktemp("built") / "w.duckdb"
    rng = random.Random(SEED)
    with serve(tiny_workspace) as server, FaultyRelay(server, unknown_values) as relay:
        settings = {"api_token": server.token, "base_url": relay.base_url}
        older = older_release(
            "counts", "url", without_tables=["history_days"], estimate="double", deadline="text"
        )
        with mock.patch.dict(TABLES, older, clear=True):
            assert ingest(warehouse=path, **settings).returncode == 0
        for _ in range(max(1, KILLS // 10)):
            finished = ingest(warehouse=path, **settings)
            assert finished.returncode == 0, finished.stderr
            assert killed_build(path, rng.random() * 2) == -signal.SIGKILL
    return path, dbt("build", "--no-use-colors", warehouse=path)


def test_a_killed_build_is_repaired_by_the_next(built):
    path, build = built
    assert build.returncode == 0, build.stdout[-3000:]
    temporary_tables = (
        "select table_name from information_schema.tables "
        "where table_name like '%dbt_tmp%' or table_name like '%dbt_backup%'"
    )
    assert query(path, temporary_tables) == []
    assert sorted(each.name for each in path.parent.glob("w.duckdb*")) == [
        "w.duckdb",
        "w.duckdb.lock",
    ]


def test_values_that_tracker_never_had_are_kept_with_a_warning(built):
    path, build = built
    for name in ("expected_stg_pivotal_tracker__stories", "assert_activity_kinds_are_known"):
        assert re.search(rf"WARN 1 {name}\b", build.stdout), name
    frozen = "select current_state, story_type from marts.dim_story where current_state = 'frozen'"
    assert query(path, frozen) == [("frozen", "spike")]
