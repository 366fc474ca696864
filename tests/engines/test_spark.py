"""Spark (Sail) as a warehouse: how tables are replaced, and one-line errors."""

import shutil
import socket
import sys

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from bi import spark
from ingest.run.settings import SettingsError
from simulator import serve, simulate
from tests.engines.engines import SparkEngine
from tests.engines.loading import source_of

NOBODY = "sc://127.0.0.1:1"


@pytest.fixture
def copy(spark_demo, sail, tmp_path):
    """A copy of the demo's files, which a test may damage."""
    engine = SparkEngine.of(sail, tmp_path)
    shutil.copytree(spark_demo.url, engine.url)
    return engine


# Tables -----------------------------------------------------------------------------------------


def test_each_constraint_of_a_contract_is_checked(spark_demo):
    asked = 0
    for node in spark_demo.manifest()["nodes"].values():
        if node["resource_type"] != "model" or node["schema"] != "marts":
            continue
        constraints = list(node["constraints"])
        for column in node["columns"].values():
            constraints += column["constraints"]
        kinds = [each["type"] for each in constraints]
        run = spark_demo.folder / "target" / "run" / node["package_name"]
        statement = (run / node["original_file_path"]).read_text()
        assert statement.count("raise_error(") == kinds.count("not_null") + kinds.count("check")
        asked += statement.count("raise_error(")
    assert asked > 300


def test_a_row_that_violates_a_contract_leaves_the_table_unchanged(copy):
    before = copy.rows("fct_activity", "marts")
    copy.delta("activity").update(updates={"kind": "null"}, predicate="project_version = 7")
    built = copy.dbt("run", "-s", "+fct_activity")
    assert built.returncode == 1
    assert "a row has activity_kind is null" in built.stdout
    assert "ERROR=1" in built.stdout
    assert copy.rows("fct_activity", "marts") == before


def test_a_table_is_replaced_by_one_commit_whatever_its_columns_were(copy):
    expected = copy.rows("dim_metric", "marts")
    others = pa.table({"metric_key": [1], "other": ["x"]})
    place = f"{copy.url}/marts/dim_metric"
    write_deltalake(place, others, mode="overwrite", schema_mode="overwrite")
    before = copy.delta("dim_metric", "marts").version()
    built = copy.dbt("run", "-s", "dim_metric")
    assert built.returncode == 0, built.stdout
    assert copy.delta("dim_metric", "marts").version() == before + 1
    assert copy.rows("dim_metric", "marts").sort_by("metric_key") == expected.sort_by("metric_key")


def test_plain_parquet_files_give_tables_of_parquet(sail, tmp_path):
    engine = SparkEngine.of(sail, tmp_path)
    engine.settings["WAREHOUSE_FILES_FORMAT"] = "parquet"
    with serve(simulate(stories=60)) as server:
        loaded = engine.ingest_here("api", **source_of(server))
    assert loaded.returncode == 0, loaded.stderr
    built = engine.dbt("run", "-s", "dim_metric", "stg_pivotal_tracker__stories")
    assert built.returncode == 0, built.stdout[-3000:]
    run = engine.folder / "target" / "run" / "tracker"
    statement = next(run.rglob("dim_metric.sql")).read_text()
    assert "using parquet" in statement
    assert "location" not in statement


# Failures ---------------------------------------------------------------------------------------


def refused(engine, monkeypatch, **settings):
    """The one-line error of a build without a requirement."""
    for name, value in (engine.settings | settings).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        spark.settings_of_environment()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_server_that_is_down(spark_demo):
    settings = spark_demo.settings | {"SPARK_REMOTE": f"{NOBODY}/;token=s3cret"}
    engine = SparkEngine(spark_demo.folder, settings)
    built = engine.run(
        sys.executable, "-m", "ingest.warehouses.exclusive", sys.executable, "-m", "bi.build"
    )
    assert built.returncode == 1
    assert built.stderr.startswith("error: no Spark Connect server answers at 127.0.0.1:1; start")
    assert "set SPARK_REMOTE to sc://host:port" in built.stderr
    assert built.stderr.count("\n") == 1
    assert "s3cret" not in built.stdout + built.stderr


def test_another_program_at_that_address(spark_demo, monkeypatch):
    monkeypatch.setattr(spark, "_TIMEOUT_SECONDS", 1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        host, port = other.getsockname()
        line = refused(spark_demo, monkeypatch, SPARK_REMOTE=f"sc://{host}:{port}")
    assert f"no Spark Connect server answers at {host}:{port}" in line


def test_an_invalid_address(spark_demo, monkeypatch):
    line = refused(spark_demo, monkeypatch, SPARK_REMOTE="localhost:50051/token=s3cret")
    assert line == "SPARK_REMOTE must be a URL such as sc://host:port"


@pytest.mark.parametrize("package", ["dbt.adapters.spark", "pyspark"])
def test_a_package_that_is_not_installed(package, spark_demo, monkeypatch):
    monkeypatch.setattr(spark, "find_spec", lambda name: None if name == package else object())
    line = refused(spark_demo, monkeypatch)
    assert line == f"Spark requires the package {package}; run make setup TARGET=spark"


def test_nothing_loaded(sail, tmp_path, monkeypatch):
    engine = SparkEngine.of(sail, tmp_path)
    line = refused(engine, monkeypatch)
    assert line == f"nothing is loaded into {engine.url}; run make ingest TARGET=spark"


def test_a_relative_folder_is_refused(sail, tmp_path):
    engine = SparkEngine.of(sail, tmp_path)
    engine.settings["WAREHOUSE_FILES"] = "raw"
    built = engine.dbt("run", "-s", "dim_metric")
    assert built.returncode != 0
    assert "WAREHOUSE_FILES is 'raw': Spark needs a whole path, or a URL" in built.stdout
