"""The notebook `bi/explore.py` runs as a script and can be exported as a page."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, environment


@pytest.fixture
def settings(built_warehouse, published):
    return environment(built_warehouse, MARTS_PATH=str(published.path))


def test_it_runs_as_a_script_from_any_folder(settings, tmp_path):
    script = ROOT / "bi" / "explore.py"
    run = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=settings, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_it_shows_raw_tables_marts_and_an_answer(settings, marts, monkeypatch):
    for name in ("WAREHOUSE_PATH", "MARTS_PATH"):
        monkeypatch.setenv(name, settings[name])
    from bi.explore import app

    _, shown = app.run()
    raw_counts = dict(
        zip(shown["row_counts"]["table_name"], shown["row_counts"]["row_count"], strict=True)
    )
    assert raw_counts["stories"] > 1000
    assert len(shown["raw_stories"]) == 5
    assert len(shown["raw_changes"]) == 5
    assert set(shown["marts"]["mart"]) == {*marts, "publication"}
    assert shown["marts"]["description"].notna().all()
    assert "cycle_time_seconds" in set(shown["columns"]["column_name"])
    assert len(shown["days_by_estimate"]) > 5
    assert shown["chart"].to_dict()["encoding"]["y"]["field"] == "median_days"


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
