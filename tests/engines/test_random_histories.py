"""Random histories, synced step by step, give the same marts on other engines as on DuckDB."""

import os

import pytest

from simulator import serve
from tests.engines.comparing import contents, differences
from tests.engines.engines import DuckDBEngine, PostgresEngine, SparkEngine
from tests.exactness.histories import HISTORIES_PER_WORKSPACE, world_of
from tests.support.marts import build, compiled_models

_FIRST = int(os.environ.get("ENGINES_FIRST_SEED", "0"))
_WORKSPACES = int(os.environ.get("ENGINES_WORKSPACES", "1"))
WORKSPACES = [
    range(first, first + HISTORIES_PER_WORKSPACE)
    for first in range(
        _FIRST, _FIRST + _WORKSPACES * HISTORIES_PER_WORKSPACE, HISTORIES_PER_WORKSPACE
    )
]


@pytest.fixture(scope="module")
def postgres_models(postgres, tmp_path_factory):
    engine = PostgresEngine.of(postgres, tmp_path_factory.mktemp("compiled") / "compiled")
    return compiled_models(engine.path, **engine.settings)


@pytest.mark.parametrize("seeds", WORKSPACES, ids=lambda seeds: f"seeds {seeds[0]} to {seeds[-1]}")
def test_the_same_syncs_give_the_same_marts(
    seeds, postgres, sail, models, postgres_models, tmp_path
):
    database = PostgresEngine.of(postgres, tmp_path / f"synced_{seeds[0]}")
    files = SparkEngine.of(sail, tmp_path / "files")
    file = DuckDBEngine(tmp_path / "synced")
    world = world_of(seeds)
    with serve(world.workspace) as server:
        for epoch in range(len(world.cuts.syncs_at)):
            world.play(epoch)
            for engine in (file, database, files):
                _sync(server, engine)
    build(file.path, models)
    tables = (each.replace("create or replace", "create") for each in postgres_models.statements)
    database.execute(*tables)
    built = files.dbt("run")
    assert built.returncode == 0, built.stdout[-3000:]
    assert world.counts.total() > 20 * len(seeds)
    expected = contents(file, models.keys)
    for engine in (database, files):
        assert differences(expected, contents(engine, models.keys)) == []


def _sync(server, engine):
    done = engine.ingest_here("api", base_url=server.base_url, api_token=server.token)
    assert done.returncode == 0, done.stderr[-600:]
