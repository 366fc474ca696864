"""The notebook `bi/explore.py` runs as a script and can be exported as a page."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT, environment


@pytest.fixture
def settings(built_warehouse, published):
    return environment(built_warehouse, MARTS_PATH=str(published.path))


@pytest.mark.slow
def test_it_runs_as_a_script_from_any_folder(settings, tmp_path):
    script = ROOT / "bi" / "explore.py"
    run = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=settings, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_it_shows_raw_tables_marts_and_an_answer(
    built_warehouse, published, marts, tmp_path, monkeypatch
):
    # Copies, because DuckDB attaches a file once per process, and other tests may have it open.
    for name, path in (("WAREHOUSE_PATH", built_warehouse), ("MARTS_PATH", published.path)):
        monkeypatch.setenv(name, str(shutil.copy(path, tmp_path)))
    from bi.explore import app

    _, values = app.run()
    raw_counts = dict(
        zip(values["row_counts"]["table_name"], values["row_counts"]["row_count"], strict=True)
    )
    assert raw_counts["stories"] > 1000
    assert len(values["raw_stories"]) == 5
    assert len(values["raw_changes"]) == 5
    assert set(values["marts"]["mart"]) == {*marts, "publication"}
    assert values["marts"]["description"].notna().all()
    assert "cycle_time_seconds" in set(values["columns"]["column_name"])
    assert len(values["days_by_estimate"]) > 5
    assert values["chart"].to_dict()["encoding"]["y"]["field"] == "median_days"


@pytest.mark.slow
def test_it_exports_as_a_page(settings, tmp_path):
    page = tmp_path / "explore.html"
    run = subprocess.run(
        [sys.executable, "-m", "marimo", "export", "html", "bi/explore.py", "-o", str(page)],
        cwd=ROOT,
        env=settings | {"HOME": os.environ.get("HOME", str(tmp_path))},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "Do larger stories take longer?" in page.read_text()
