"""A run loads everything or nothing, and no row twice."""

import gc
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingest import pipeline, source
from ingest.api.http.client import TrackerClient
from ingest.api.reader import ApiReader
from ingest.pipeline import run
from ingest.records import Drift, removal_rows, to_arrow
from ingest.tables import TABLES
from ingest.warehouses.base import WarehouseError
from ingest.warehouses.configured import make_pipeline
from ingest.warehouses.duckdb import file as warehouse
from tests.support.marts import query


class ListReader:
    """A reader with given records."""

    def __init__(self, records, fails_at=None):
        self.records = records
        self.fails_at = fails_at
        self.as_of = datetime(2025, 4, 30, 17, tzinfo=UTC)
        self.project_ids = [1]
        self.requests_count = 0
        self.skipped = []
        self.failed_project_ids = []
        self.drift = Drift()
        self.extract_mode = "full"
        self.copied_tables = {}
        self.notes = []

    def continue_from(self, stored, can_copy_tables=False):
        self.stored_ids = stored.story_ids(1)

    def as_of_files(self):
        return {}

    def close(self):
        pass

    def failure(self, rows):
        return None

    def tables(self):
        return ["labels", "stories", "activity"]

    def read(self, table_name):
        if table_name == self.fails_at:
            raise WarehouseError("the reader gave up")
        if table_name in self.records:
            yield to_arrow(TABLES[table_name], self.records[table_name], "api", self.drift)

    def keys_listed(self, table_name, project_id):
        table = TABLES[table_name]
        return {
            tuple(record[name] for name in table.key)
            for record in self.records.get(table_name, [])
            if record.get("project_id") == project_id
        }


TWO_LABELS = {
    "labels": [{"id": 1, "project_id": 1, "name": "a"}, {"id": 2, "project_id": 1, "name": "b"}],
    "stories": [{"id": 7, "project_id": 1, "name": "Search"}],
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.duckdb"


def load(path, records=TWO_LABELS, kind="api", **options):
    return run(ListReader(records, **options), kind, "https://tracker.test", path)


def test_every_raw_table_exists_after_the_first_run_even_when_empty(path):
    load(path, {})
    tables = query(
        path,
        "select table_name from information_schema.tables "
        "where table_schema = 'pivotal_tracker_data' and table_name not like '\\_dlt%' escape '\\'",
    )
    assert {name for (name,) in tables} == set(TABLES)


def test_columns_in_the_warehouse_are_the_declared_ones(path):
    load(path, {})
    for table in TABLES.values():
        stored = query(
            path,
            "select column_name from information_schema.columns "
            f"where table_schema = 'pivotal_tracker_data' and table_name = '{table.name}'",
        )
        assert {name for (name,) in stored} == {*table.all_columns, "_dlt_load_id"}


def test_a_second_run_loads_nothing_twice(path):
    load(path)
    load(path)
    assert query(path, "select count(*) from pivotal_tracker_data.labels") == [(2,)]
    assert query(path, "select count(*) from pivotal_tracker_data.extracts") == [(2,)]


def test_a_row_missing_from_a_complete_listing_is_removed(path):
    load(path)
    load(path, {**TWO_LABELS, "labels": TWO_LABELS["labels"][:1]})
    assert query(path, "select id, is_removed from pivotal_tracker_data.labels") == [(1, None)]
    load(path, {**TWO_LABELS, "labels": []})
    assert query(path, "select count(*) from pivotal_tracker_data.labels") == [(0,)]


def test_the_first_rows_of_an_empty_table_are_written_like_others(path):
    load(path, {})
    load(path)
    load(path, {**TWO_LABELS, "labels": [{"id": 1, "project_id": 1, "name": "c"}]})
    assert query(path, "select id, name from pivotal_tracker_data.labels") == [(1, "c")]


def test_a_table_without_rows_has_no_load_job(path):
    load(path, {})
    jobs = pipeline_jobs(path)
    load(path)
    assert jobs == {"extracts", "_dlt_pipeline_state"}
    assert pipeline_jobs(path) == {"labels", "stories", "extracts"}


def pipeline_jobs(path):
    """The tables for which the latest load had a file."""
    load_info = make_pipeline(path).last_trace.last_load_info
    return {
        job.job_file_info.table_name
        for package in load_info.load_packages
        for job in package.jobs["completed_jobs"]
    }


def test_texts_are_stored_once_and_compressed(path):
    change = {"kind": "story", "change_type": "update", "new_values": {"description": "w " * 200}}
    changes = [[{**change, "id": number}] * (1 + number % 20) for number in range(4000)]
    load(
        path,
        {"activity": [{"guid": f"1_{at}", "changes": each} for at, each in enumerate(changes)]},
    )
    staged = "select count(*) from pivotal_tracker_data_staging.activity"
    kept = "select sum(length(changes)) from pivotal_tracker_data.activity"
    assert query(path, staged) == [(0,)]
    assert query(path, kept)[0][0] > 3 * path.stat().st_size


def test_a_run_restores_the_garbage_collector(path):
    before = gc.get_threshold(), gc.get_freeze_count()
    load(path)
    with pytest.raises(WarehouseError):
        load(path, fails_at="stories")
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


class RepeatingReader(ListReader):
    """Returns one label twice, with the names `first` and `second`, on one or two pages."""

    def __init__(self, first, second, pages):
        label = {"id": 1, "project_id": 1}
        both = [{**label, "name": "first", **first}, {**label, "name": "second", **second}]
        self.pages = [both] if pages == 1 else [both[:1], both[1:]]
        super().__init__({})

    def read(self, table_name):
        for page in self.pages if table_name == "labels" else ():
            yield to_arrow(TABLES["labels"], page, "api", self.drift)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("first", "second", "loaded"),
    [
        ({"updated_at": "2024-01-02T00:00:00Z"}, {"updated_at": "2024-01-01T00:00:00Z"}, "first"),
        ({"updated_at": "2024-01-01T00:00:00Z"}, {"updated_at": "2024-01-02T00:00:00Z"}, "second"),
        ({}, {}, "second"),
    ],
    ids=["the first is newer", "the second is newer", "equally new"],
)
@pytest.mark.parametrize("pages", [1, 2], ids=["one page", "two pages"])
def test_a_duplicate_key_is_loaded_once(path, monkeypatch, first, second, loaded, pages):
    monkeypatch.setattr(source, "_BATCH_BYTES", 1)
    for _ in range(2):
        summary = run(RepeatingReader(first, second, pages), "api", "https://tracker.test", path)
        assert query(path, "select name from pivotal_tracker_data.labels") == [(loaded,)]
        assert summary.rows_by_table["labels"] == 1
        assert summary.notes == ["labels: 1 duplicate row was removed; the newest are kept"]


def test_the_more_trusted_of_two_equally_new_rows_is_loaded(path):
    label = {"id": 1, "project_id": 1, "updated_at": "2024-01-02T00:00:00Z"}

    class TwoSources(ListReader):
        def read(self, table_name):
            for origin in ("api", "json") if table_name == "labels" else ():
                yield to_arrow(TABLES["labels"], [{**label, "name": origin}], origin, self.drift)

    run(TwoSources({}), "api", "https://tracker.test", path)
    assert query(path, "select name from pivotal_tracker_data.labels") == [("api",)]


def test_an_invalid_record_becomes_a_row_of_rejected_rows(path):
    class RefusingReader(ListReader):
        def read(self, table_name):
            if table_name == "labels":
                odd = [{"id": "x", "project_id": 1}, {"id": 2, "project_id": 1}]
                yield to_arrow(TABLES["labels"], odd, "api", self.drift, request="GET /labels")

    summary = run(RefusingReader({}), "api", "https://tracker.test", path)
    assert query(path, "select id from pivotal_tracker_data.labels") == [(2,)]
    columns = "table_name, request, record_number, column_name, value, reason, file, line"
    assert query(path, f"select {columns} from pivotal_tracker_data.rejected_rows") == [
        ("labels", "GET /labels", 1, "id", "x", "no usable key", None, None)
    ]
    assert summary.rows_by_table["rejected_rows"] == 1


@pytest.mark.parametrize("signal", [KeyboardInterrupt, duckdb.InterruptException])
def test_an_interruption_while_reading_is_passed_on(path, monkeypatch, signal):
    def interrupted(*_):
        raise signal

    load(path)
    monkeypatch.setattr(ListReader, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(path, {"stories": [{"id": 8, "project_id": 1}]})
    assert query(path, "select id from pivotal_tracker_data.stories") == [(7,)]


def test_a_reader_is_closed_before_its_rows_are_loaded(path, monkeypatch):
    stories = "select id from pivotal_tracker_data.stories order by 1"
    load(path)
    found = []
    monkeypatch.setattr(ListReader, "close", lambda reader: found.append(query(path, stories)))
    load(path, {"stories": [{"id": 8, "project_id": 1}]})
    assert found == [[(7,)]]
    assert query(path, stories) == [(7,), (8,)]


def test_rows_of_projects_that_were_not_read_are_kept(path):
    other = {"labels": [{"id": 5, "project_id": 2, "name": "other"}]}
    load(path, other)
    load(path)
    assert query(path, "select count(*) from pivotal_tracker_data.labels") == [(3,)]


def test_a_failed_first_run_leaves_no_file(path):
    with pytest.raises(WarehouseError, match="gave up"):
        load(path, fails_at="activity")
    assert not path.exists()


def test_a_failed_later_run_leaves_the_warehouse_unchanged(path):
    load(path)
    before = path.read_bytes()
    with pytest.raises(WarehouseError, match="gave up"):
        load(path, {"stories": [{"id": 8, "project_id": 1}]}, fails_at="activity")
    assert query(path, "select id from pivotal_tracker_data.stories") == [(7,)]
    load(path)
    assert query(path, "select id from pivotal_tracker_data.stories") == [(7,)]
    assert len(before) > 0


@pytest.mark.parametrize(("first", "second"), [("api", "demo"), ("demo", "api")])
def test_the_demo_and_real_data_do_not_mix(path, first, second):
    load(path, kind=first)
    before = path.read_bytes()
    with pytest.raises(
        WarehouseError, match=r"contains (data of|the demo).*set WAREHOUSE_PATH to another file"
    ) as error:
        load(path, kind=second)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


def test_dlt_users_can_read_the_dataset(path):
    load(path)
    dataset = make_pipeline(path).dataset()
    assert dataset.labels.df()["name"].tolist() == ["a", "b"]
    counts = dict(dataset.row_counts().fetchall())
    assert counts["stories"] == 1


def test_dlt_keeps_no_folder_outside_the_repository(path, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    load(path)
    assert list(home.iterdir()) == []


def test_the_file_opens_with_older_clients(path):
    load(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        tags = connection.execute(
            "select tags from duckdb_databases() where path is not null"
        ).fetchone()[0]
    assert tags["storage_version"].startswith("v1.4.0")


def test_a_warehouse_deleted_by_hand_is_created_again(path):
    load(path)
    path.unlink()
    load(path)
    assert query(path, "select count(*) from pivotal_tracker_data.labels") == [(2,)]


def test_a_warehouse_without_dlts_folder_can_be_continued(path):
    """As with a scheduler that keeps only the file between runs."""
    load(path, TWO_LABELS)
    shutil.rmtree(make_pipeline(path).pipelines_dir)
    new = {"id": 3, "project_id": 1, "name": "c"}
    load(path, {"labels": [TWO_LABELS["labels"][1], new]})
    labels = query(path, "select id, name from pivotal_tracker_data.labels order by id")
    assert labels == [(2, "b"), (3, "c")]


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(WarehouseError, match="is a folder"):
        load(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_folder_without_write_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WarehouseError, match="is not writable"):
        load(tmp_path / "w.duckdb")


def test_a_program_that_uses_the_warehouse_is_named(path):
    load(path)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
            "print('open', flush=True); sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        with pytest.raises(WarehouseError, match=rf"in use by .* \(PID {holder.pid}\)"):
            load(path)
    finally:
        holder.communicate()
    load(path)


def test_a_second_run_at_the_same_time_is_refused_with_the_pid_of_the_first(path):
    with warehouse.locked(path), pytest.raises(WarehouseError, match=rf"PID {os.getpid()}"):
        load(path)
    load(path)


def test_a_row_now_listed_by_another_project_is_moved_not_removed(path):
    load(path)
    moved = {"labels": [{"id": 1, "project_id": 2, "name": "a"}]}
    reader = ListReader(moved)
    reader.project_ids = [1, 2]
    run(reader, "api", "https://tracker.test", path)
    labels = query(path, "select id, project_id from pivotal_tracker_data.labels")
    assert labels == [(1, 2)]


def test_rows_that_a_reader_removes_are_deleted_and_not_counted(path):
    class RemovingReader(ListReader):
        def read(self, table_name):
            yield from super().read(table_name)
            if table_name == "stories":
                yield removal_rows(TABLES["stories"], [(7,)])

    load(path)
    summary = run(RemovingReader({}), "api", "https://tracker.test", path)
    assert query(path, "select count(*) from pivotal_tracker_data.stories") == [(0,)]
    assert summary.rows_by_table["stories"] == 0


class CopyingReader(ListReader):
    """States that the owner's activities are those of the projects and one more."""

    def tables(self):
        return ["activity", "my_activity"]

    def continue_from(self, stored, can_copy_tables=False):
        assert can_copy_tables

    def read(self, table_name):
        yield from super().read(table_name)
        if table_name == "my_activity":
            self.copied_tables = {"my_activity": "activity"}


def activities(*numbers):
    return [{"guid": f"1_{each}", "project_id": 1, "project_version": each} for each in numbers]


COPIED = {"activity": activities(1, 2, 3), "my_activity": activities(4)}


def my_activity(path):
    found = query(path, "select guid from pivotal_tracker_data.my_activity order by guid")
    return [guid for (guid,) in found]


def test_rows_of_one_table_are_copied_to_another(path):
    summary = run(CopyingReader(COPIED), "api", "https://tracker.test", path)
    assert my_activity(path) == ["1_1", "1_2", "1_3", "1_4"]
    assert (summary.rows_by_table["activity"], summary.rows_by_table["my_activity"]) == (3, 4)
    assert query(path, "select count(*) from pivotal_tracker_data.activity") == [(3,)]
    run(CopyingReader(COPIED | {"my_activity": []}), "api", "https://tracker.test", path)
    assert my_activity(path) == ["1_1", "1_2", "1_3", "1_4"]


def test_a_copy_missing_after_a_killed_run_is_made_by_the_next(path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    load(path, {})
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "_copy_tables", killed)
        with pytest.raises(KeyboardInterrupt):
            run(CopyingReader(COPIED), "api", "https://tracker.test", path)
    load(path, {})
    assert my_activity(path) == ["1_1", "1_2", "1_3", "1_4"]


def test_tables_are_copied_on_a_file_system_without_links(path, monkeypatch):
    def refused(*_):
        raise OSError

    monkeypatch.setattr(Path, "hardlink_to", refused)
    run(CopyingReader(COPIED), "api", "https://tracker.test", path)
    assert my_activity(path) == ["1_1", "1_2", "1_3", "1_4"]


def test_a_table_without_new_rows_is_not_loaded_again(path):
    load(path)
    load(path, {"stories": TWO_LABELS["stories"]})
    loads = query(path, "select load_id from pivotal_tracker_data._dlt_loads order by inserted_at")
    last_load = loads[-1][0]
    tables_loaded_last = query(
        path,
        f"select 'labels' from pivotal_tracker_data.labels where _dlt_load_id = '{last_load}' "
        "union all "
        f"select 'stories' from pivotal_tracker_data.stories where _dlt_load_id = '{last_load}'",
    )
    assert tables_loaded_last == [("stories",)]


def test_a_column_of_a_newer_release_is_added_even_without_new_rows(path, monkeypatch):
    columns = {**TABLES["epics"].columns}
    del columns["completed_at"]
    with monkeypatch.context() as older:
        older.setitem(TABLES, "epics", replace(TABLES["epics"], columns=columns))
        load(path)
    load(path, {})
    assert query(path, "select completed_at from pivotal_tracker_data.epics") == []


def test_a_reader_receives_the_stored_rows_before_it_reads(path):
    load(path)
    reader = ListReader({})
    reader.extract_mode, reader.notes = "incremental", ["projects: 1 unchanged"]
    summary = run(reader, "api", "https://tracker.test", path)
    assert reader.stored_ids == {7}
    assert summary.extract_mode == "incremental"
    assert "  projects: 1 unchanged" in summary.lines("next")
    modes = query(path, "select extract_mode from pivotal_tracker_data.extracts order by as_of")
    assert {mode for (mode,) in modes} == {"full", "incremental"}


def test_an_unchanged_demo_is_synced_by_four_requests(tmp_path, demo_server):
    path = tmp_path / "w.duckdb"

    def sync():
        with TrackerClient(demo_server.base_url, demo_server.token) as client:
            return run(ApiReader(client), "demo", "the demo workspace", path)

    assert sync().extract_mode == "full"
    before = query(path, "select * from pivotal_tracker_data.projects")
    again = sync()
    assert (again.extract_mode, again.requests_count) == ("incremental", 4)
    assert query(path, "select * from pivotal_tracker_data.projects") == before
    assert query(path, "select count(*) from pivotal_tracker_data.extracts") == [(2,)]
