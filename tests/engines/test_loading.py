"""Loading into each engine gives the same rows as DuckDB, never twice, and one run at a time."""

import os
import time

import pytest

from ingest.warehouses.base import WarehouseError
from ingest.warehouses.configured import as_warehouse, configured_warehouse
from tests.engines.engines import RAW, DuckDBEngine, FilesEngine, PostgresEngine
from tests.engines.loading import assert_same_rows, load
from tests.ingest.test_pipeline import TWO_LABELS

# Texts that engines easily get wrong by quoting, escaping, or treating them as null.
HARD_TEXTS = [
    "", " ", "null", "\\N", 'it\'s "quoted", 100 %', "two\nlines\r\nand\ta tab", "back\\slash",
    "Ünï ✓ 🚀 \u200d \u0301", "{{ jinja }}, {braces}", "NUL \0, twice \0\0, as an escape \\u0000",
    "x" * 20_000,
]  # fmt: skip
HARD_STORIES = {
    "stories": [
        {"id": number, "project_id": 1, "name": text, "description": text or None,
         "estimate": number / 8, "labels": [{"id": 1, "name": text}],
         "created_at": "2024-03-31T00:59:59.999999Z", "surprise": {text: [text]}}
        for number, text in enumerate(HARD_TEXTS, start=1)
    ]
}  # fmt: skip


@pytest.fixture(params=["postgres", "folder", "bucket"])
def engine(request, tmp_path):
    if request.param == "folder":
        return FilesEngine.in_a_folder(tmp_path)
    if request.param == "bucket":
        return FilesEngine.in_a_bucket(request.getfixturevalue("s3"), tmp_path)
    server = request.getfixturevalue("postgres")
    return PostgresEngine.of(server, tmp_path / f"db{time.time_ns()}")


@pytest.fixture
def warehouse(engine, monkeypatch):
    for name, value in engine.settings.items():
        monkeypatch.setenv(name, value)
    return configured_warehouse()


def test_hard_values_equal_duckdbs(engine, warehouse, tmp_path):
    file = DuckDBEngine(tmp_path / "file")
    load(warehouse, HARD_STORIES)
    load(as_warehouse(file.path), HARD_STORIES)
    assert_same_rows(engine, file)
    assert {row["name"] for row in engine.query(f"select name from {RAW}.stories")} == {
        text.replace("\0", "\ufffd") for text in HARD_TEXTS
    }


def test_a_second_run_loads_nothing_twice_and_removes_deleted_rows(engine, warehouse):
    load(warehouse)
    load(warehouse, {**TWO_LABELS, "labels": TWO_LABELS["labels"][:1]})
    assert engine.query(f"select id, is_removed from {RAW}.labels") == [
        {"id": 1, "is_removed": None}
    ]
    assert engine.query(f"select count(*) as runs from {RAW}.extracts") == [{"runs": 2}]


def test_the_demo_and_real_data_do_not_mix(warehouse):
    load(warehouse, kind="demo")
    way_out = f"contains the demo.*{warehouse.alternative}"
    with pytest.raises(WarehouseError, match=way_out) as error:
        load(warehouse, kind="api")
    assert "\n" not in str(error.value)


def test_a_failed_later_run_leaves_the_warehouse_unchanged(engine, warehouse):
    load(warehouse)
    with pytest.raises(WarehouseError, match="gave up"):
        load(warehouse, {"stories": [{"id": 8, "project_id": 1}]}, fails_at="activity")
    assert engine.query(f"select id from {RAW}.stories") == [{"id": 7}]


def test_a_concurrent_run_is_refused_and_names_the_first(engine, warehouse):
    with warehouse.locked():
        refused = engine.ingest_here("demo")
    assert refused.returncode == 1
    assert f"in use by python -m ingest (PID {os.getpid()}); wait for it" in refused.stderr
    with warehouse.reading() as reading:
        assert reading.columns("stories") == {}
