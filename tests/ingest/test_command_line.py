"""The command line as users see it: its output, messages and exit codes."""

import json
import os
from pathlib import Path

import duckdb
import pytest

from simulator.server import PASSWORD
from tests.conftest import ROOT, dbt, ingest
from tests.support.marts import query
from tests.support.scripted import Reply, ScriptedServer

SENTINEL = "0123456789abcdef0123456789abcdef"

STORIES = """[{"kind": "story", "id": 7, "project_id": 9, "name": "x", "story_type": "bug",
"current_state": "started", "created_at": "2024-01-01T00:00:00Z",
"updated_at": "2024-01-01T00:00:00Z"}]"""


def assert_one_line_error(finished, *parts):
    """Exit code 1, and one line on standard error with all parts and without a traceback."""
    lines = finished.stderr.strip().splitlines()
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    error = lines[-1]
    assert error.startswith("error: ")
    for part in parts:
        assert part in error


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.duckdb"


@pytest.fixture
def loaded(demo_server, path):
    """A warehouse with one small project of the demo, read as an API."""
    finished = ingest_from(demo_server, path, "--project", smallest_project(demo_server))
    assert finished.returncode == 0, finished.stderr
    return path


def smallest_project(server):
    projects = server.workspace.projects.values()
    return str(min(projects, key=lambda project: (project.version, project.id)).id)


def ingest_from(server, path, *arguments, **settings):
    host = {"api_token": server.token, "base_url": server.base_url}
    return ingest(*arguments, warehouse=path, **host, **settings)


def test_help_shows_examples_and_exit_codes(path):
    finished = ingest("--help", warehouse=path)
    assert finished.returncode == 0
    assert "examples:" in finished.stdout
    assert "exit codes: 0 success; 1 the run failed" in finished.stdout


@pytest.mark.parametrize("arguments", [["--projct", "1"], ["dmo"], ["--project", "x"]])
def test_wrong_usage_ends_with_2(path, arguments):
    assert ingest(*arguments, warehouse=path).returncode == 2
    assert not path.exists()


def test_a_configured_token_means_the_api(demo_server, path):
    finished = ingest_from(demo_server, path, "--project", smallest_project(demo_server))
    assert finished.returncode == 0, finished.stderr
    assert f"Reading the API at {demo_server.base_url}: a token is configured." in finished.stdout
    assert "Next: " in finished.stdout.splitlines()[-1]
    assert str(path) in finished.stdout
    # Without a terminal, there is one line per resource.
    assert len([line for line in finished.stderr.splitlines() if line.startswith("stories: ")]) == 1


def test_a_single_requested_project_is_read(demo_server, loaded):
    project_id = int(smallest_project(demo_server))
    assert query(loaded, "select distinct project_id from pivotal_tracker_data.labels") == [
        (project_id,)
    ]
    assert query(loaded, "select id from pivotal_tracker_data.projects") == [(project_id,)]


def test_user_name_and_password_are_exchanged_for_the_token(demo_server, workspace, path):
    finished = ingest(
        "--project",
        smallest_project(demo_server),
        warehouse=path,
        username=workspace.people[workspace.me_id].username,
        password=PASSWORD,
        base_url=demo_server.base_url,
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.one_in(2)
@pytest.mark.parametrize("project_ids", ["[{0}]", "{0}", "{0}, {0}", '["{0}"]'])
def test_project_ids_can_be_configured(demo_server, path, project_ids):
    project_ids = project_ids.format(smallest_project(demo_server))
    finished = ingest_from(demo_server, path, project_ids=project_ids)
    assert finished.returncode == 0, finished.stderr
    assert query(path, "select count(*) from pivotal_tracker_data.projects") == [(1,)]


def test_project_ids_that_are_not_numbers_are_refused(path):
    finished = ingest(warehouse=path, api_token=SENTINEL, project_ids="alpha")
    assert_one_line_error(finished, "project_ids", "alpha")


def test_without_a_token_the_error_says_where_to_put_one(path):
    finished = ingest("api", warehouse=path)
    assert_one_line_error(finished, "api_token", ".dlt/secrets.toml")
    assert not path.exists()


def test_a_wrong_token_is_reported_in_one_line_without_it(demo_server, loaded):
    before = loaded.read_bytes()
    finished = ingest(warehouse=loaded, api_token=SENTINEL, base_url=demo_server.base_url)
    assert_one_line_error(finished, "invalid_authentication", "api_token")
    assert SENTINEL not in finished.stdout + finished.stderr
    assert loaded.read_bytes() == before


def test_an_unreachable_host_is_named(path):
    finished = ingest(warehouse=path, api_token=SENTINEL, base_url="http://127.0.0.1:9/services/v5")
    assert_one_line_error(finished, "127.0.0.1:9", "base_url")
    assert not path.exists()


def test_a_project_that_does_not_exist_is_named(demo_server, loaded):
    before = loaded.read_bytes()
    finished = ingest_from(demo_server, loaded, "--project", "424242")
    assert_one_line_error(finished, "424242", "--project")
    assert loaded.read_bytes() == before


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<!doctype html><html>Tracker has been switched off</html>"), (404, b"<html></html>")],
)
def test_a_web_page_instead_of_the_api_is_an_error_about_base_url(path, status, body):
    with ScriptedServer(lambda _: Reply(status, body, {"Content-Type": "text/html"})) as server:
        finished = ingest(warehouse=path, api_token=SENTINEL, base_url=server.base_url)
    assert_one_line_error(finished, "base_url")


def test_plain_http_to_another_host_is_refused(path):
    finished = ingest(
        warehouse=path, api_token=SENTINEL, base_url="http://tracker.invalid/services/v5"
    )
    assert_one_line_error(finished, "https")


def test_a_file_that_is_not_a_database_is_refused(path):
    path.write_text("id,title\n" * 999)
    assert_one_line_error(ingest("demo", warehouse=path), str(path), "WAREHOUSE_PATH")
    assert path.read_text() == "id,title\n" * 999


def test_a_folder_without_write_permission_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "w.duckdb"
    assert_one_line_error(ingest("demo", warehouse=path), str(path), "WAREHOUSE_PATH")


def test_a_forbidden_project_is_named_and_the_others_are_loaded(workspace, path):
    from simulator import ServerOptions, serve

    closed, open_one = sorted(workspace.projects)[:2]
    with serve(workspace, options=ServerOptions(forbidden_projects={closed})) as server:
        chosen = ("--project", str(closed), "--project", str(open_one))
        finished = ingest_from(server, path, *chosen)
    assert finished.returncode == 1
    assert "note: " in finished.stdout
    assert workspace.projects[closed].name in finished.stdout
    labels = query(path, "select distinct project_id from pivotal_tracker_data.labels")
    assert labels == [(open_one,)]


def test_no_secret_is_left_in_any_file(demo_server, tmp_path, loaded):
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert demo_server.token.encode() not in file.read_bytes(), file
    pipelines = ROOT / ".dlt" / "pipelines"
    for file in pipelines.rglob("*"):
        if file.is_file():
            assert demo_server.token.encode() not in file.read_bytes(), file


def as_json(finished):
    """The JSON object on standard output, which contains nothing else."""
    (line,) = finished.stdout.splitlines()
    return json.loads(line)


def test_with_json_standard_output_contains_only_json(demo_server, path):
    finished = ingest_from(demo_server, path, "--json", "--project", smallest_project(demo_server))
    summary = as_json(finished)
    assert finished.returncode == summary["exit_code"] == 0
    assert (summary["warehouse"], summary["source_kind"]) == (str(path), "api")
    assert (summary["source_name"], summary["extract_mode"]) == (demo_server.base_url, "full")
    (stored,) = query(path, "select count(*) from pivotal_tracker_data.activity")[0]
    assert summary["rows_by_table"]["activity"] == stored
    assert summary["requests"] > 10
    assert summary["retries"] == 0
    assert 0 < summary["seconds"] < 120
    assert (summary["error"], summary["skipped"], summary["failed_project_ids"]) == (None, [], [])
    assert summary["drift"] == {"undeclared": [], "misfits": []}
    assert "python -m ingest --json" in Path(summary["log"]).read_text()
    help_text = ingest("--help", warehouse=path).stdout
    assert all(key in help_text for key in summary)


def test_json_also_reports_a_failure(path):
    finished = ingest(
        "--json", warehouse=path, api_token=SENTINEL, base_url="http://127.0.0.1:9/services/v5"
    )
    summary = as_json(finished)
    assert finished.returncode == summary["exit_code"] == 1
    assert "127.0.0.1:9" in summary["error"]
    assert (summary["requests"], summary["rows_by_table"]) == (None, {})
    assert_one_line_error(finished, "127.0.0.1:9", f"(log: {summary['log']})")


def test_only_the_logs_of_the_latest_runs_are_kept(path):
    from ingest.run.log import MAX_LOG_FILES

    logs = path.parent / "logs"
    logs.mkdir()
    for number in range(30):
        (logs / f"ingest-20200101T0000{number:02}Z-1.log").write_text("old")
        (logs / f"ingest-20200101T0000{number:02}Z-1.log.1").write_text("older")
    (logs / "dbt.log").write_text("of dbt")
    ingest("api", warehouse=path)
    runs = sorted(logs.glob("ingest-*.log"))
    assert len(runs) == MAX_LOG_FILES
    assert "no api_token is configured" in runs[-1].read_text()
    assert len(list(logs.glob("ingest-*.log.1"))) == MAX_LOG_FILES - 1
    assert (logs / "dbt.log").exists()


def test_the_size_of_a_log_is_limited(path, monkeypatch):
    import logging

    from ingest.run.log import MAX_LOG_BYTES, run_log

    monkeypatch.setenv("INGEST_LOG_PATH", str(path.parent))
    with run_log() as log:
        for number in range(3 * MAX_LOG_BYTES // 1000):
            logging.getLogger("ingest.test").info("%d %s", number, "x" * 1000)
    sizes = [file.stat().st_size for file in path.parent.glob("ingest-*.log*")]
    assert len(sizes) == 2
    assert max(sizes) <= MAX_LOG_BYTES
    assert log.path.exists()


def test_a_full_disk_stops_the_log_but_not_the_run(path, capsys, monkeypatch):
    """A failed write of a log handler must not print a traceback."""
    import logging

    from ingest.run.log import run_log

    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    monkeypatch.setenv("INGEST_LOG_PATH", str(path.parent))
    with run_log() as log:
        (handler,) = [
            each
            for each in logging.getLogger("ingest").handlers
            if getattr(each, "baseFilename", "") == str(log.path)
        ]
        handler.stream = Path("/dev/full").open("w")  # noqa: SIM115 - closed with the log
        logging.getLogger("ingest").info("no room for this %s", "x" * 100_000)
    assert "Traceback" not in capsys.readouterr().err


def test_a_warehouse_on_a_full_disk_is_reported_in_one_line(path):
    from ingest.warehouses.duckdb.file import explain_failure

    full = duckdb.TransactionException(
        'Failed to commit: Could not write file "w.duckdb.wal": No space left on device'
    )
    assert explain_failure(path, full) == (
        f"the disk of {path} is full; free some space and run this again"
    )


def test_an_invalid_settings_file_is_reported_in_one_line_with_its_path(
    path, tmp_path, monkeypatch
):
    from dlt.common.configuration.exceptions import ConfigurationException

    from ingest.run.settings import SettingsError, load_settings

    def broken(*_, **__):
        raise ConfigurationException(
            "A problem encountered when loading secrets.toml from paths ['.dlt']:\n"
            "Unexpected end of file at line 2 col 31\nmore"
        )

    monkeypatch.setattr("ingest.run.settings.resolve_configuration", broken)
    with pytest.raises(SettingsError, match=r"secrets\.toml.* at line 2 col 31$"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_in_flight", "0"),
        ("requests_per_second", "-1"),
        ("requests_per_second", "nan"),
        ("nested_levels", "0"),
        ("nested_levels", "255"),
        ("refused_rows", "0"),
    ],
)
def test_an_invalid_limit_is_reported_in_one_line(path, name, value):
    finished = ingest("api", warehouse=path, api_token=SENTINEL, **{name: value})
    assert_one_line_error(finished, f"{name} is {float(value):g}")
    assert not path.exists()


def test_a_run_continues_without_a_log(path):
    (path.parent / "logs").write_text("a file")
    assert_one_line_error(ingest("api", warehouse=path), "no api_token")


def test_a_bug_is_reported_in_one_line_and_its_traceback_is_in_the_log(path, monkeypatch):
    def broken(*_, **__):
        raise KeyError("a bug\nof two lines")

    monkeypatch.setattr("ingest.__main__.run", broken)
    finished = ingest("--json", "api", warehouse=path, api_token=SENTINEL)
    assert_one_line_error(finished, "KeyError", "this is a bug")
    log = Path(as_json(finished)["log"]).read_text()
    assert "Traceback" in log
    assert "in broken" in log


ODD_PATHS = {
    "a space": "a b.duckdb",
    "a quote in the folder": "it's/w.duckdb",
    "unicode": "ünïcode ✓.duckdb",
    "a question mark": "what?.duckdb",
    "a percent sign": "a%20b.duckdb",
    "no suffix": "warehouse",
    "braces": "{{x}}.duckdb",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ODD_PATHS.values(), ids=ODD_PATHS.keys())
def test_an_odd_warehouse_path_works(tmp_path, name):
    from tests.ingest.test_pipeline import load

    load(tmp_path / name)
    assert query(tmp_path / name, "select count(*) from pivotal_tracker_data.labels") == [(2,)]
    load(tmp_path / name)


REFUSED_PATHS = {
    "in memory": ":memory:",
    "MotherDuck": "md:my_database",
    "MotherDuck, spelt out": "motherduck:my_database",
    "another database": "sqlite:w.db",
    "a web address": "https://example.com/w.duckdb",
    "a bucket": "s3://bucket/w.duckdb",
    "a line break": "{}/a\nb.duckdb",
    "a quote": "{}/it's.duckdb",
    "a double quote": '{}/a"b.duckdb',
    "a semicolon": "{}/a;b.duckdb",
    "the name of a schema": "{}/pivotal_tracker_data.duckdb",
    "the name of a catalog": "{}/temp.duckdb",
    "a tilde": "~/w.duckdb",
}


@pytest.mark.parametrize("value", REFUSED_PATHS.values(), ids=REFUSED_PATHS.keys())
def test_a_path_that_is_not_a_plain_file_is_refused(tmp_path, value, monkeypatch):
    environment = {"WAREHOUSE_PATH": value.format(tmp_path), "INGEST_LOG_PATH": str(tmp_path)}
    monkeypatch.setattr("tests.conftest.environment", lambda *_, **__: environment)
    finished = ingest("demo", warehouse=tmp_path)
    assert_one_line_error(finished, "WAREHOUSE_PATH is ", "use the path of a DuckDB file")
    assert list(tmp_path.glob("*duckdb*")) == []


def test_an_sqlite_file_is_refused_without_a_download(path):
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("create table stories (id)")
    before = path.read_bytes()
    assert_one_line_error(ingest("demo", warehouse=path), "is not a DuckDB file", "WAREHOUSE_PATH")
    assert path.read_bytes() == before


def test_an_empty_file_counts_as_missing(path):
    from tests.ingest.test_pipeline import load

    path.touch()
    load(path)
    assert query(path, "select count(*) from pivotal_tracker_data.labels") == [(2,)]


def test_a_database_with_other_tables_is_never_deleted(path):
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table precious as select 1 as one")
    finished = ingest(warehouse=path, api_token=SENTINEL, base_url="http://127.0.0.1:9/services/v5")
    assert_one_line_error(finished, "127.0.0.1:9")
    assert query(path, "select one from precious") == [(1,)]


@pytest.mark.slow
def test_a_relative_warehouse_path_means_the_repository_in_both_folders(tmp_path, monkeypatch):
    from ingest.run.settings import warehouse_path

    relative = os.path.relpath(tmp_path / "w.duckdb", ROOT)
    monkeypatch.setenv("WAREHOUSE_PATH", relative)
    assert warehouse_path() == tmp_path / "w.duckdb"
    for folder, seen_from_there in ((ROOT, relative), (ROOT / "dbt_project", f"../{relative}")):
        checked = dbt("debug", "--connection", warehouse=relative, cwd=folder)
        assert f"path: {seen_from_there}" in checked.stdout
        assert (tmp_path / "w.duckdb").exists()
        (tmp_path / "w.duckdb").unlink()


NONE_OF_B = "b.json: none of its rows could be loaded"


@pytest.mark.parametrize(
    ("contents", "code", "error"),
    [
        ({"a.json": STORIES}, 0, ""),
        ({"a.json": STORIES, "b.json": "{"}, 1, "b.json: is invalid JSON: "),
        ({"a.json": STORIES, "b.json": '{"kind": "story", "id": "x"}'}, 1, NONE_OF_B),
        ({"b.json": '{"kind": "story", "id": "x"}'}, 1, NONE_OF_B),
        ({"b.json": "[]"}, 1, "none of the rows could be loaded"),
        ({"b.json": "{"}, 1, "there is nothing to load: "),
    ],
    ids=["all", "a broken file", "a file of refused rows", "refused rows", "an empty list", "none"],
)
def test_an_archive_that_was_not_read_in_full_exits_with_1(path, tmp_path, contents, code, error):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_text(content)
    finished = ingest("archive", str(folder), warehouse=path)
    assert (finished.returncode, error in finished.stderr) == (code, True), finished.stderr
    assert len(finished.stderr.splitlines()) == code
    if "a.json" in contents:
        with duckdb.connect(str(path), read_only=True) as connection:
            count = "select count(*) from pivotal_tracker_data.stories"
            assert connection.execute(count).fetchone() == (1,)


@pytest.mark.parametrize("field", ["comments", "undeclared"])
def test_a_record_of_a_file_is_nested_no_deeper_than_configured(path, tmp_path, field):
    (story,) = json.loads(STORIES)
    stories = [{**story, "id": number, field: value} for number, value in ((1, [{}]), (2, [[{}]]))]
    (tmp_path / "a.json").write_text(json.dumps(stories))
    ingest("archive", str(tmp_path / "a.json"), warehouse=path, nested_levels=3)
    assert query(path, "select id from pivotal_tracker_data.stories") == [(1,)]
    refused = "select record_number, column_name, reason from pivotal_tracker_data.rejected_rows"
    assert query(path, refused) == [(2, field, "nested more than 3 levels deep")]


def test_refused_rows_of_a_file_are_listed_up_to_the_configured_number(path, tmp_path):
    (story,) = json.loads(STORIES)
    (tmp_path / "a.json").write_text(json.dumps([story, *[{**story, "id": "x"}] * 4]))
    ingest("archive", str(tmp_path / "a.json"), warehouse=path, refused_rows=2)
    refused = "select reason from pivotal_tracker_data.rejected_rows order by record_number"
    assert query(path, refused)[2:] == [("and 2 more, from record 4 to record 5",)]


def test_loading_older_versions_than_stored_is_not_a_failure(path, tmp_path):
    newer = STORIES.replace("2024-01-01", "2024-01-02")
    for name, content in {"a.json": newer, "b.json": STORIES}.items():
        (tmp_path / name).write_text(content)
        finished = ingest("archive", str(tmp_path / name), warehouse=path)
        assert finished.returncode == 0, finished.stderr


def test_a_summary_shows_the_first_of_many_fields(tmp_path):
    story = {"kind": "story", "id": 7, "project_id": 9, "name": "x"}
    record = story | {f"field_{number:03}": number for number in range(120)}
    (tmp_path / "dump.json").write_text(json.dumps([record]))
    finished = ingest("archive", str(tmp_path / "dump.json"), warehouse=tmp_path / "w.duckdb")
    fields = [line for line in finished.stdout.splitlines() if "kept in extra_fields" in line]
    assert len(fields) == 51
    assert fields[-1] == "  kept in extra_fields: 70 more (see the log)"
