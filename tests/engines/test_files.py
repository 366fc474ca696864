"""Raw tables as files: Delta tables are merged, Parquet files replaced, and errors explained."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake

from ingest.pipeline import run
from ingest.warehouses.base import WarehouseError
from ingest.warehouses.configured import as_warehouse, configured_warehouse
from ingest.warehouses.files import warehouse as files
from ingest.warehouses.files.warehouse import configured_files
from simulator import serve, simulate
from tests.engines.engines import RAW, DuckDBEngine, FilesEngine
from tests.engines.loading import (
    assert_loads_like,
    assert_same_rows,
    kill_a_run,
    load,
    one_line,
    source_of,
)
from tests.engines.s3_server import SECRET
from tests.exactness.histories import world_of
from tests.ingest.test_pipeline import TWO_LABELS, ListReader
from tests.support.marts import build, differences


@pytest.fixture
def engine(tmp_path):
    return FilesEngine.in_a_folder(tmp_path)


@pytest.fixture
def parquet(tmp_path):
    return FilesEngine.in_a_folder(tmp_path, WAREHOUSE_FILES_FORMAT="parquet")


@pytest.fixture
def bucket(s3, tmp_path):
    return FilesEngine.in_a_bucket(s3, tmp_path)


@pytest.fixture
def file(tmp_path):
    return DuckDBEngine(tmp_path / "file")


@pytest.fixture
def opened(monkeypatch):
    """The warehouse of an engine, in this process."""

    def open_(engine):
        for name, value in engine.settings.items():
            monkeypatch.setenv(name, value)
        return configured_warehouse()

    return open_


def copy(engine, file):
    return file.ingest_here("files", engine.url)


# Delta tables -----------------------------------------------------------------------------------


def test_syncs_step_by_step_give_the_rows_that_duckdb_has_and_their_copy_its_marts(
    engine, file, models
):
    world = world_of(range(12))
    with serve(world.workspace) as server:
        for epoch in range(len(world.cuts.syncs_at)):
            world.play(epoch)
            assert_loads_like(engine, file, server)
        again = engine.ingest_here("api", **source_of(server))
        assert "unchanged" in again.stdout
        assert_same_rows(engine, file)
        copied = DuckDBEngine(engine.folder / "copied")
        done = copy(engine, copied)
        assert done.returncode == 0, done.stderr
        assert_same_rows(copied, engine, but=())
        for each in (file, copied):
            build(each.path, models)
        assert differences(file.path, copied.path, models) == []
        later = copied.ingest_here("api", **source_of(server))
        assert "unchanged" in later.stdout, "the copy does not continue from what was loaded"


def test_a_failed_first_run_leaves_nothing(engine, opened):
    with pytest.raises(WarehouseError, match="gave up"):
        load(opened(engine), fails_at="activity")
    assert list(Path(engine.url).iterdir()) == [Path(engine.url, ".lock")]


@pytest.mark.parametrize("tables", [1, 10])
def test_a_run_that_was_killed_while_it_loaded_is_finished_by_the_next(engine, file, tables):
    with serve(simulate(stories=60)) as server:
        logs = f"{RAW}/*/_delta_log/*.json"
        kill_a_run(engine, server, lambda: len(list(Path(engine.url).glob(logs))) >= tables)
        assert not list(Path(engine.url).glob(f"{RAW}/_dlt_loads/*")), "it was not killed"
        assert_loads_like(engine, file, server)


def test_a_column_missing_in_an_older_release_is_added(engine, opened):
    warehouse = opened(engine)
    load(warehouse)
    table = engine.rows("labels").drop_columns(["name"])
    write_deltalake(f"{engine.url}/{RAW}/labels", table, mode="overwrite", schema_mode="overwrite")
    load(warehouse)
    assert engine.query(f"select name from {RAW}.labels order by id") == [
        {"name": "a"},
        {"name": "b"},
    ]


def test_small_files_are_compacted_and_obsolete_ones_removed(engine, opened, monkeypatch):
    monkeypatch.setattr(files, "_MAX_FILES", 2)
    warehouse = opened(engine)
    load(warehouse)
    orphan = Path(engine.url, RAW, "labels", "part-00000-of-a-killed-run.parquet")
    orphan.write_bytes(b"")
    eight_days_ago = time.time() - 8 * 24 * 3600
    os.utime(orphan, (eight_days_ago, eight_days_ago))
    for _ in range(3):
        load(warehouse)
    assert len(DeltaTable(f"{engine.url}/{RAW}/extracts").file_uris()) <= 2
    assert engine.query(f"select count(*) as runs from {RAW}.extracts") == [{"runs": 4}]
    assert not orphan.exists()


# Parquet files ----------------------------------------------------------------------------------


def test_parquet_files_are_replaced_by_a_full_read(parquet, file):
    world = world_of(range(3))
    with serve(world.workspace) as server:
        for epoch in range(len(world.cuts.syncs_at)):
            world.play(epoch)
            done = parquet.ingest_here("api", **source_of(server))
            assert done.returncode == 0, done.stderr
            assert "Parquet files cannot be merged" in done.stdout
            assert copy(parquet, file).returncode == 0
            assert_same_rows(file, parquet, but=())
        fresh = DuckDBEngine(parquet.folder / "fresh")
        assert_loads_like(parquet, fresh, server)


def test_a_run_that_was_killed_while_it_replaced_files_is_repaired_by_the_next(parquet, file):
    with serve(simulate(stories=60)) as server:
        first = parquet.ingest_here("api", **source_of(server))
        assert first.returncode == 0, first.stderr
        before = set(Path(parquet.url, RAW).glob("*/*.parquet"))
        kill_a_run(parquet, server, lambda: not all(each.exists() for each in before))
        assert list(Path(parquet.url).glob(f"{RAW}/_dlt_loads/*")) == [], "it was not killed"
        assert "make ingest TARGET=files" in " ".join(one_line(copy(parquet, file)).split())
        assert not file.path.exists()
        assert_loads_like(parquet, file, server)


def test_parquet_files_are_not_replaced_when_a_project_could_not_be_read(parquet, opened):
    warehouse = opened(parquet)
    load(warehouse)
    reader = ListReader({"stories": [{"id": 8, "project_id": 1}]})
    reader.failed_project_ids, reader.skipped = [2], ["project 2: 500"]
    with pytest.raises(WarehouseError, match=r"nothing was loaded: project 2 .*project 2: 500"):
        run(reader, "api", "https://tracker.test", warehouse)
    assert parquet.query(f"select id from {RAW}.stories") == [{"id": 7}]


def test_parquet_files_are_not_replaced_by_another_source(parquet, opened):
    warehouse = opened(parquet)
    load(warehouse)
    with pytest.raises(WarehouseError, match="contains data of https://tracker.test, which other"):
        load(warehouse, name="other")
    assert parquet.query(f"select id from {RAW}.stories") == [{"id": 7}]


def test_one_format_does_not_continue_from_the_other(engine, opened):
    load(opened(engine))
    engine.settings["WAREHOUSE_FILES_FORMAT"] = "parquet"
    with pytest.raises(WarehouseError, match="contains Delta tables, not parquet; .* to delta"):
        load(opened(engine))


# Copies into DuckDB -----------------------------------------------------------------------------


def test_a_copy_replaces_an_older_copy_and_nothing_else(engine, file, opened):
    warehouse = opened(engine)
    load(warehouse)
    assert copy(engine, file).returncode == 0
    load(warehouse, {**TWO_LABELS, "labels": []})
    done = copy(engine, file)
    assert done.returncode == 0, done.stderr
    assert_same_rows(file, engine, but=())
    load(as_warehouse(file.path), {**TWO_LABELS, "labels": TWO_LABELS["labels"][:1]})
    assert "so copying would lose it; set WAREHOUSE_PATH" in one_line(copy(engine, file))
    assert file.query(f"select id from {RAW}.labels") == [{"id": 1}]


def test_an_incomplete_load_is_not_copied(engine, file, opened):
    warehouse = opened(engine)
    load(warehouse)
    assert copy(engine, file).returncode == 0
    load(warehouse, {**TWO_LABELS, "labels": TWO_LABELS["labels"][:1]})
    max(Path(engine.url, RAW, "_dlt_loads").iterdir()).unlink()
    assert "contains an incomplete load" in one_line(copy(engine, file))
    assert file.query(f"select count(*) as labels from {RAW}.labels") == [{"labels": 2}]


def test_a_bucket_is_copied_and_a_folder_without_tables_is_not(bucket, file, opened, tmp_path):
    load(opened(bucket))
    file.settings = {k: v for k, v in bucket.settings.items() if k.startswith("AWS_")}
    assert copy(bucket, file).returncode == 0
    assert_same_rows(file, bucket, but=())
    elsewhere = DuckDBEngine(tmp_path / "elsewhere")
    line = one_line(elsewhere.ingest_here("files", str(tmp_path)))
    assert f"{tmp_path} contains no raw tables: there is no {RAW}/extracts in it; write" in line
    assert not elsewhere.path.exists()
    assert not (tmp_path / ".lock").exists()
    assert "unset WAREHOUSE_TARGET" in one_line(bucket.ingest_here("files", str(tmp_path)))


# Failures ---------------------------------------------------------------------------------------


def test_a_bucket_that_does_not_exist(bucket):
    bucket.settings["WAREHOUSE_FILES"] = "s3://nowhere-at-all/raw"
    line = one_line(bucket.ingest_here("demo"))
    assert "there is no bucket nowhere-at-all; create it, or set WAREHOUSE_FILES" in line


def test_logins_that_are_wrong_missing_or_without_rights_and_no_secret_in_any_log(s3, bucket):
    unknown = {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}
    without_rights = s3.login_without_rights()
    with s3.checking_logins():
        for login, told in (
            (unknown, "refuses the login (InvalidAccessKeyId); check AWS_ACCESS_KEY_ID"),
            (
                without_rights,
                "refuses access; set WAREHOUSE_FILES to another folder, or grant this login",
            ),
        ):
            bucket.settings |= login
            done = bucket.ingest_here("demo")
            assert told in one_line(done)
            assert bucket.settings["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
    bucket.settings |= {"AWS_ACCESS_KEY_ID": "", "AWS_CONFIG_FILE": "none", "HOME": "none"}
    assert "no login is configured; set AWS_ACCESS_KEY_ID" in one_line(bucket.ingest_here("demo"))
    bucket.settings["AWS_PROFILE"] = "nobody"
    assert "no login (The config profile (nobody) could not" in one_line(bucket.ingest_here("demo"))
    logs = "".join(each.read_text() for each in (bucket.folder / "logs").iterdir())
    assert "refuses the login" in logs
    for secret in (SECRET, without_rights["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in logs


def test_no_secret_in_dlts_working_folder(bucket, opened):
    warehouse = opened(bucket)
    load(warehouse)
    texts = [each.read_bytes() for each in warehouse.pipelines_folder.rglob("*") if each.is_file()]
    assert any(b"filesystem" in each for each in texts)
    assert not any(SECRET.encode() in each for each in texts)


def test_a_server_that_is_down(bucket):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        bucket.settings["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{taken.getsockname()[1]}"
        line = one_line(bucket.ingest_here("demo"))
    assert "does not answer as S3 (Could not connect to the endpoint URL" in line
    assert "check the network, AWS_ENDPOINT_URL" in line


def test_a_folder_that_cannot_be_created(engine):
    engine.settings["WAREHOUSE_FILES"] = "/dev/null/raw"
    line = one_line(engine.ingest_here("demo"))
    assert "/dev/null/raw is not writable (Not a directory); set WAREHOUSE_FILES" in line


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("WAREHOUSE_FILES", "gs://bucket/raw", "use a folder or s3://bucket"),
        ("WAREHOUSE_FILES", "s3://", "is missing the bucket; use s3://bucket/prefix"),
        ("WAREHOUSE_FILES", "~/raw", "is neither a folder nor s3://bucket/prefix"),
        ("WAREHOUSE_FILES_FORMAT", "csv", "'csv', not delta or parquet"),
    ],
)
def test_settings_that_cannot_be_used(engine, setting, value, told):
    engine.settings[setting] = value
    assert told in one_line(engine.ingest_here("demo"))


def test_files_are_not_built(engine):
    assert "TARGET=files contains only raw tables; build from them" in one_line(
        engine.run(sys.executable, "-m", "bi.build")
    )


@pytest.mark.parametrize("package", ["deltalake", "s3fs"])
def test_a_package_that_is_not_installed(engine, opened, monkeypatch, package):
    opened(engine)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WarehouseError, match=f"require the package {package}; run make setup"):
        configured_files()
