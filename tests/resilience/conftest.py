"""A small workspace, and the expected content of the warehouse after loading it."""

import shutil
from pathlib import Path

import duckdb
import pytest

from ingest.api.http.client import TrackerClient
from ingest.api.lists.catalogue import ApiOptions
from ingest.api.reader import ApiReader
from ingest.tables import TABLES
from ingest.warehouses.configured import make_pipeline
from simulator import simulate
from tests.conftest import ingest
from tests.support.marts import query

RAW = "pivotal_tracker_data"
BOOKKEEPING = {"extracts"}


@pytest.fixture(scope="session")
def tiny_workspace():
    """A workspace with few stories; tests must not change it."""
    return simulate(stories=60)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "w.duckdb"
    yield path
    shutil.rmtree(Path(make_pipeline(path).pipelines_dir), ignore_errors=True)


def raw_tables(path):
    """The rows of every raw table, without columns that vary from run to run."""
    return {
        name: query(path, f"select {columns(table)} from {RAW}.{name}")
        for name, table in TABLES.items()
        if name not in BOOKKEEPING
    }


def columns(table):
    return ", ".join(f'"{name}"' for name in table.all_columns)


def rows_of_the_server(server, project_ids=None):
    """The expected rows, read directly from a server without dlt."""
    with TrackerClient(server.base_url, server.token) as client, duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        reader = ApiReader(client, ApiOptions(project_ids=project_ids))
        read = {name: [] for name in TABLES if name not in BOOKKEEPING}
        for name in reader.tables():
            for batch in reader.read(name):
                connection.register("batch", batch)
                rows = connection.execute(f"select {columns(TABLES[name])} from batch").fetchall()
                read[name] += rows
        return read


def ingest_project(server, path, *arguments, base_url=None):
    """Run the command line for the first project of a server, or of a relay in front of it."""
    host = {"api_token": server.token, "base_url": base_url or server.base_url}
    project = ("--project", str(min(server.workspace.projects)))
    return ingest(*arguments, *project, warehouse=path, **host)


def assert_same_rows(stored, expected):
    for name, rows in expected.items():
        assert sorted(stored[name], key=str) == sorted(rows, key=str), name
    assert stored.keys() == expected.keys()


def leftovers(path):
    """Files beside the warehouse and in dlt's working folder that should not exist after a run."""
    working = Path(make_pipeline(path).working_dir)
    extracted = [
        each
        for each in (working / "normalize").iterdir()
        if each.is_dir() and each.name != "extracted"
    ]
    pending = [
        package
        for folder in ("normalize/extracted", "load/new", "load/normalized")
        for package in (working / folder).iterdir()
    ]
    beside = [
        each
        for each in path.parent.iterdir()
        if each.name.startswith(path.name + ".") and each.suffix != ".lock"
    ]
    return [*extracted, *pending, *beside]
