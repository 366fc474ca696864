"""`dbt source freshness` reports on every engine when data was last read."""

import json

import pytest

from ingest.tables import TABLES
from simulator import serve, simulate
from tests.engines.engines import RAW, DuckDBEngine, PostgresEngine, SparkEngine
from tests.engines.loading import source_of

LONG_AGO = "2020-02-29 12:00:00+00"


@pytest.fixture(scope="module", params=["duckdb", "postgres", "spark"])
def engine(request, tmp_path_factory):
    """A small workspace that was just loaded."""
    folder = tmp_path_factory.mktemp("freshness")
    if request.param == "duckdb":
        engine = DuckDBEngine(folder)
    elif request.param == "postgres":
        engine = PostgresEngine.of(request.getfixturevalue("postgres"), folder)
    else:
        engine = SparkEngine.of(request.getfixturevalue("sail"), folder)
    with serve(simulate(stories=20)) as server:
        done = engine.ingest_here("api", **source_of(server))
    assert done.returncode == 0, done.stderr
    return engine


def test_data_that_was_just_read_is_fresh(engine):
    assert freshness(engine) == {"pass"}


def test_data_read_long_ago_is_not_fresh(engine):
    if isinstance(engine, SparkEngine):
        engine.delta("extracts").update(updates={"ended_at": f"cast('{LONG_AGO}' as timestamp)"})
    else:
        engine.execute(f"update {RAW}.extracts set ended_at = '{LONG_AGO}'")
    assert freshness(engine) == {"warn"}


def freshness(engine):
    """dbt's freshness status of the raw tables."""
    done = engine.dbt("source", "freshness")
    assert done.returncode == 0, done.stdout
    results = json.loads((engine.folder / "target" / "sources.json").read_text())["results"]
    assert len(results) >= len(TABLES)
    return {each["status"] for each in results}
