"""dlt's own commands and functions work on runs of `python -m ingest`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dlt
import pytest

from ingest.warehouses.configured import PIPELINE_NAME, make_pipeline
from tests.conftest import ROOT
from tests.ingest.test_pipeline import load


@pytest.fixture
def loaded(tmp_path):
    """A warehouse with two labels, and its pipeline's folder."""
    path = tmp_path / "w.duckdb"
    load(path)
    folder = Path(make_pipeline(path).pipelines_dir)
    yield path, folder
    shutil.rmtree(folder)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("info", "completed load packages"),
        ("trace", "loaded to destination warehouse"),
        ("schema", "story_transitions"),
        ("load-package", "is in LOADED state"),
    ],
)
def test_the_command_line_shows_the_run(loaded, command, expected):
    path, folder = loaded
    finished = subprocess.run(
        [Path(sys.executable).with_name("dlt"), "pipeline"]
        + ["--pipelines-dir", str(folder), PIPELINE_NAME, command],
        cwd=ROOT,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "WAREHOUSE_PATH": str(path),
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert expected in finished.stdout


def test_a_dataset_reads_the_file_in_warehouse_path(loaded, tmp_path, monkeypatch):
    path, folder = loaded
    monkeypatch.setenv("WAREHOUSE_PATH", str(path))
    attached = dlt.attach(PIPELINE_NAME, pipelines_dir=str(folder))
    assert len(attached.dataset().labels.fetchall()) == 2
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "other.duckdb"))
    load(tmp_path / "other.duckdb", {"labels": [{"id": 3, "project_id": 1, "name": "c"}]})
    other = dlt.pipeline(PIPELINE_NAME, pipelines_dir=str(folder))
    assert other.dataset().labels.select("name").fetchall() == [("c",)]


def test_dlt_uses_the_repository_of_its_environment():
    """`make setup` copies this file into the environment, where Python reads it at startup."""
    code = (
        "import os, site, sys; os.environ.pop('DLT_DATA_DIR', None); "
        "sys.prefix = '/srv/tracker/v'; "
        f"site.addpackage({str(ROOT / 'requirements')!r}, 'repository.pth', set()); "
        "print(os.environ['DLT_DATA_DIR'], sys.path[-1])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert printed.split() == ["/srv/tracker/.dlt", "/srv/tracker"]
