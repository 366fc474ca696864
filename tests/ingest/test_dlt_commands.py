"""What dlt's own commands and functions find of a run of `python -m ingest`."""

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
    """A warehouse of two labels, and the folder of its pipeline."""
    path = tmp_path / "w.duckdb"
    load(path)
    folder = Path(make_pipeline(path).pipelines_dir)
    yield path, folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("info", "completed load packages"),
        ("trace", "loaded to destination warehouse"),
        ("schema", "story_transitions"),
        ("load-package", "is in LOADED state"),
    ],
)
def test_the_command_line_knows_the_run(loaded, command, said):
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
    assert said in finished.stdout


def test_a_dataset_is_of_the_file_that_warehouse_path_names(loaded, tmp_path, monkeypatch):
    path, folder = loaded
    monkeypatch.setenv("WAREHOUSE_PATH", str(path))
    attached = dlt.attach(PIPELINE_NAME, pipelines_dir=str(folder))
    assert len(attached.dataset().labels.fetchall()) == 2
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "other.duckdb"))
    load(tmp_path / "other.duckdb", {"labels": [{"id": 3, "project_id": 1, "name": "c"}]})
    other = dlt.pipeline(PIPELINE_NAME, pipelines_dir=str(folder))
    assert other.dataset().labels.select("name").fetchall() == [("c",)]


def test_an_environment_of_the_repository_points_dlt_at_it():
    """`make setup` copies this file into the environment, where Python reads it at its start."""
    code = (
        "import os, site, sys; os.environ.pop('DLT_DATA_DIR', None); "
        "sys.prefix = '/srv/tracker/v'; "
        f"site.addpackage({str(ROOT / 'requirements')!r}, 'repository.pth', set()); "
        "print(os.environ['DLT_DATA_DIR'], sys.path[-1])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert printed.split() == ["/srv/tracker/.dlt", "/srv/tracker"]
