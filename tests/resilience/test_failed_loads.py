"""A failed load leaves the warehouse unchanged, and the next load works."""

import csv
import os
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import dlt
import pytest

from ingest import pipeline
from ingest.warehouses.configured import make_pipeline
from ingest.warehouses.duckdb.destination import _Client
from tests.conftest import ROOT, environment
from tests.ingest.test_pipeline import TWO_LABELS, load
from tests.resilience.conftest import leftovers, query, raw_tables

HEADER = ["Id", "Title", "Type", "Current State", "Created at", "Description"]
NEXT = {"labels": [{"id": 3, "project_id": 1, "name": "c"}]}


def duplicates(number):
    return [{"id": number, "project_id": 1, "name": each} for each in "xy"]


def failed_package(message):
    """The folder in which, according to the message, the failed package is kept."""
    return Path(message.partition("is kept in ")[2])


def test_a_load_that_the_warehouse_rejects_does_not_block_the_next(path, monkeypatch):
    """A duplicate key that was not removed once made every later load fail."""
    load(path)
    before = raw_tables(path)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "keep_one_row_per_key", lambda folder: {})
        records = {"stories": [{"id": 9, "project_id": 1}], "labels": duplicates(1)}
        with pytest.raises(pipeline.LoadFailed, match="the warehouse is unchanged") as error:
            load(path, records)
    assert "\n" not in str(error.value)
    assert raw_tables(path) == before
    assert list(failed_package(str(error.value)).iterdir())
    assert not make_pipeline(path).has_pending_data
    load(path, {**TWO_LABELS, **NEXT})
    assert query(path, "select id from pivotal_tracker_data.labels order by 1") == [(3,)]
    shutil.rmtree(failed_package(str(error.value)))


@pytest.mark.parametrize("is_first", [True, False], ids=["first load", "later load"])
@pytest.mark.parametrize("step", ["normalize", "load", "merge"])
def test_after_any_failed_load_the_next_one_works(path, monkeypatch, is_first, step):
    if not is_first:
        load(path)
        before = raw_tables(path)

    def fail(*_, **__):
        raise RuntimeError("a bug in\nsome library")

    with monkeypatch.context() as patched:
        if step == "merge":
            patched.setattr(_Client, "complete_load", fail)  # after all tables are written
        else:
            patched.setattr(f"dlt.Pipeline.{step}", fail)
        with pytest.raises(
            pipeline.LoadFailed, match="RuntimeError: a bug in some library; "
        ) as error:
            load(path, NEXT)
    assert "\n" not in str(error.value)
    if is_first:
        assert not path.exists()
    else:
        assert raw_tables(path) == before
    load(path)
    assert query(path, "select id from pivotal_tracker_data.labels order by 1") == [(1,), (2,)]


def test_a_package_left_by_an_earlier_run_does_not_block_this_one(path, monkeypatch):
    """The state after a run that was killed between reading and loading."""
    load(path)
    failures = [KeyboardInterrupt(), RuntimeError("unreadable")]
    normalize = dlt.Pipeline.normalize

    def fail_twice(self):
        if failures:
            raise failures.pop(0)
        return normalize(self)

    monkeypatch.setattr(dlt.Pipeline, "normalize", fail_twice)
    with pytest.raises(KeyboardInterrupt):
        load(path, {"labels": duplicates(1)})
    assert make_pipeline(path).has_pending_data
    summary = load(path, NEXT)
    assert [each.partition("; ")[0] for each in summary.notes] == [
        "the data read by an earlier run was not loaded: RuntimeError: unreadable"
    ]
    assert query(path, "select id from pivotal_tracker_data.labels order by 1") == [(3,)]


def test_a_kill_while_a_file_is_rewritten_is_repaired(path, monkeypatch):
    load(path)

    def die(rows, file):
        file.write_bytes(b"incomplete")
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr("ingest.contract.pq.write_table", die)
        with pytest.raises(KeyboardInterrupt):
            load(path, {"labels": duplicates(5)})
    load(path, NEXT)
    assert query(path, "select id from pivotal_tracker_data.labels order by 1") == [(3,)]
    assert leftovers(path) == []


def export(path, rows, seed=1):
    """An export with incompressible texts."""
    rng = random.Random(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            text = rng.randbytes(500).hex()
            writer.writerow([seed * 10**6 + number, "x", "bug", "started", "Nov 22, 2014", text])
    return path


def ingest_with_size_limit(path, export_path, most_bytes=None):
    """Load an export in a process with a limit on file sizes."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [sys.executable, "-m", "ingest", "archive", str(export_path)],
        cwd=ROOT,
        env=environment(path),
        preexec_fn=limit if most_bytes else None,
        capture_output=True,
        text=True,
        timeout=240,
    )


def assert_a_large_load_fails_and_a_small_one_works(path, small, large, most_bytes=None):
    """A large load does not fit; the stored rows are kept, and a small load still works."""
    before = raw_tables(path) if path.exists() else None
    full = ingest_with_size_limit(path, large, most_bytes)
    assert (full.returncode, "is full; free some space" in full.stderr) == (1, True), full.stderr
    assert len(full.stderr.splitlines()) == 1
    assert (raw_tables(path) if path.exists() else None) == before
    assert not make_pipeline(path).has_pending_data
    after = ingest_with_size_limit(path, small, most_bytes)
    assert after.returncode == 0, after.stderr
    assert query(path, "select count(*) from pivotal_tracker_data.stories where id < 2000000")


@pytest.mark.parametrize("is_first", [True, False], ids=["first load", "later load"])
def test_a_file_size_limit_leaves_the_warehouse_unchanged(path, tmp_path, is_first):
    small = export(tmp_path / "small.csv", 20)
    if not is_first:
        assert ingest_with_size_limit(path, export(tmp_path / "old.csv", 3_000, 3)).returncode == 0
    # The rows fit into dlt's own file, but not into the warehouse together with the stored rows.
    large = export(tmp_path / "large.csv", 6_000 if is_first else 4_000, 2)
    assert_a_large_load_fails_and_a_small_one_works(
        path, small, large, (5 if is_first else 6) << 20
    )


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 20 MB, if this process has the right to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("is_first", [True, False], ids=["first load", "later load"])
def test_a_full_disk_leaves_the_warehouse_unchanged(small_disk, tmp_path, is_first):
    path = small_disk / "w.duckdb"
    small = export(tmp_path / "small.csv", 20)
    if not is_first:
        assert ingest_with_size_limit(path, export(tmp_path / "old.csv", 3_000, 3)).returncode == 0
    try:
        assert_a_large_load_fails_and_a_small_one_works(
            path, small, export(tmp_path / "large.csv", 25_000, 2)
        )
    finally:
        shutil.rmtree(make_pipeline(path).pipelines_dir, ignore_errors=True)
