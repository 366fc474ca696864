import pytest

from tests.engines.comparing import contents, mart_keys
from tests.engines.engines import DuckDBEngine, PostgresEngine, SparkEngine
from tests.engines.postgres_server import postgres_server
from tests.engines.s3_server import s3_server
from tests.engines.sail import sail_server


@pytest.fixture(scope="session")
def postgres():
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def duckdb_demo(tmp_path_factory):
    """The demo in DuckDB, loaded and built with the users' commands."""
    engine = DuckDBEngine(tmp_path_factory.mktemp("duckdb"))
    engine.load_demo()
    return engine


@pytest.fixture(scope="session")
def postgres_demo(postgres, tmp_path_factory):
    """The same in PostgreSQL."""
    engine = PostgresEngine.of(postgres, tmp_path_factory.mktemp("postgres") / "demo")
    engine.load_demo()
    return engine


@pytest.fixture(scope="session")
def sail(tmp_path_factory):
    with sail_server(tmp_path_factory.mktemp("sail")) as server:
        yield server


@pytest.fixture(scope="session")
def spark_demo(sail, tmp_path_factory):
    """The same in Delta files, built by Sail."""
    engine = SparkEngine.of(sail, tmp_path_factory.mktemp("spark"))
    engine.load_demo()
    return engine


@pytest.fixture(scope="session")
def keys(duckdb_demo):
    return mart_keys(duckdb_demo.manifest())


@pytest.fixture(scope="session")
def duckdb_marts(duckdb_demo, keys):
    return contents(duckdb_demo, keys)
