"""Copying raw tables to another warehouse; a second DuckDB file replaces the cloud."""

import os
import sys
import tomllib

import dlt
import duckdb
import pytest

from bi import build
from ingest.tables import TABLES
from ingest.warehouses import copy_to_cloud as copying
from ingest.warehouses.configured import COPY_TARGETS
from ingest.warehouses.duckdb.warehouse import DuckDBFile
from tests.conftest import ROOT

RAW = "pivotal_tracker_data"


@pytest.fixture
def source(built_warehouse, monkeypatch, tmp_path):
    monkeypatch.setattr(DuckDBFile, "pipelines_folder", tmp_path / "pipelines")
    return DuckDBFile(built_warehouse)


def differences(source, target):
    """The tables that differ between the files, by all columns of the first."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{source}' as one (read_only)")
        connection.execute(f"attach '{target}' as two (read_only)")
        found = connection.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            f"where database_name = 'one' and schema_name = '{RAW}' group by table_name"
        ).fetchall()
        columns = {table: names for table, names in found if table in TABLES}
        assert len(columns) > 15
        assert all("_dlt_load_id" in names for names in columns.values())
        differing = []
        for table, names in columns.items():
            listed = ", ".join(f'"{name}"' for name in names)
            one, two = (f"select {listed} from {each}.{RAW}.{table}" for each in ("one", "two"))
            both_directions = f"(({one}) except all ({two})) union all (({two}) except all ({one}))"
            if connection.execute(f"select 1 from ({both_directions}) limit 1").fetchone():
                differing.append(table)
        return differing


@pytest.mark.slow
def test_a_repeated_copy_has_all_rows_and_no_others(source, tmp_path):
    target = tmp_path / "target.duckdb"
    counts = copying.copy(source, dlt.destinations.duckdb(str(target)))
    assert counts["stories"] > 1000
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"insert into {RAW}.labels select * from {RAW}.labels limit 1")
    assert differences(source.path, target) == ["labels"]
    copying.copy(source, dlt.destinations.duckdb(str(target)))
    assert differences(source.path, target) == []


@pytest.mark.parametrize("target", ["", "duckdb", "oracle"])
def test_warehouses_that_ingestion_loads_itself_are_no_targets_of_copies(
    target, monkeypatch, capsys
):
    monkeypatch.setenv("WAREHOUSE_TARGET", target)
    assert copying.main() == 1
    assert capsys.readouterr().err.startswith(
        f"error: WAREHOUSE_TARGET is {target!r}: it must be one of"
    )


def test_a_missing_warehouse_is_reported_in_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WAREHOUSE_TARGET", "motherduck")
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "none.duckdb"))
    assert copying.main() == 1
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'none.duckdb'} does not exist yet: run make ingest\n"
    )


def test_a_missing_login_is_reported_in_one_line(source, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_TARGET", "motherduck")
    monkeypatch.setenv("WAREHOUSE_PATH", str(source.path))
    for name in list(os.environ):
        if name.startswith("DESTINATION__") or "motherduck_token" in name.lower():
            monkeypatch.delenv(name)
    assert copying.main() == 1
    message = capsys.readouterr().err
    assert message.startswith("error: motherduck: ")
    assert message.endswith("see .dlt/secrets.toml.example\n")
    assert message.count("\n") == 1


def test_dbt_without_a_login_is_reported_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_TARGET", "motherduck")
    monkeypatch.delenv("motherduck_token", raising=False)
    assert build.main([]) == 1
    assert capsys.readouterr().err == "error: MotherDuck requires a token; set motherduck_token\n"


def test_missing_packages_are_reported_in_one_line(source, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_TARGET", "snowflake")
    monkeypatch.setenv("WAREHOUSE_PATH", str(source.path))
    monkeypatch.setenv("DESTINATION__SNOWFLAKE__CREDENTIALS", "snowflake://a:b@c/d?warehouse=e")
    for name in list(sys.modules):
        if name.startswith("dlt.destinations.impl.snowflake"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    assert copying.main() == 1
    message = capsys.readouterr().err
    assert message.startswith(
        "error: snowflake: its packages are not installed: run make setup TARGET="
    )
    assert message.count("\n") == 1


def test_the_example_of_secrets_has_dlts_own_setting_names():
    text = (ROOT / ".dlt" / "secrets.toml.example").read_text()
    _, _, templates = text.partition("# For `make copy`")
    lines = [line[2:] for line in templates.splitlines() if line.startswith(("# [", "# "))]
    example = tomllib.loads(
        "\n".join(line for line in lines if line.startswith("[") or "=" in line)
    )
    assert example["destination"].keys() == set(COPY_TARGETS)
    for name, section in example["destination"].items():
        spec = getattr(dlt.destinations, name)().spec
        assert section.keys() <= spec.get_resolvable_fields().keys()
        known = set()
        for kind in _kinds(spec.get_resolvable_fields()["credentials"]):
            known |= kind.get_resolvable_fields().keys()
        assert section["credentials"].keys() <= known, name


def _kinds(hint):
    kinds = getattr(hint, "__args__", (hint,))
    return [each for each in kinds if hasattr(each, "get_resolvable_fields")]
