"""Temporary faults of a host do not change the result; permanent ones give one clear message.

tests/ingest/api/http/test_retries.py tries each kind of fault on one request; these tests run whole
loads through the command line.
"""

import hashlib
import time

import pytest

from ingest.api.http.client import ClientSettings, TrackerClient
from ingest.api.http.errors import RetriesExhausted
from simulator import ServerOptions, serve
from tests.conftest import ingest
from tests.resilience.conftest import (
    assert_same_rows,
    ingest_project,
    leftovers,
    query,
    raw_tables,
    rows_of_the_server,
)
from tests.resilience.faulty import FAULTS, Fault, FaultyRelay, one_in_five
from tests.support.host_check import short_waits


@pytest.fixture(scope="module")
def server(tiny_workspace):
    with serve(tiny_workspace) as server:
        yield server


@pytest.fixture(scope="module")
def expected(server):
    return rows_of_the_server(server)


@pytest.fixture(autouse=True)
def client_with_short_timeouts():
    with short_waits(timeout=(5, 0.3), max_attempts=8):
        yield


def load(path, relay, server, *arguments):
    return ingest(*arguments, warehouse=path, api_token=server.token, base_url=relay.base_url)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_one_line(finished, *parts):
    errors = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    assert finished.returncode == 1
    assert len(errors) == 1
    assert "Traceback" not in finished.stderr
    for part in parts:
        assert part in errors[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_warehouse_is_the_same_if_a_fifth_of_the_requests_fail(server, expected, path, seed):
    with FaultyRelay(server, one_in_five(seed)) as relay:
        finished = load(path, relay, server)
    assert finished.returncode == 0, finished.stderr
    assert relay.faults_count > 5
    assert_same_rows(raw_tables(path), expected)
    assert leftovers(path) == []


def test_a_load_survives_every_kind_of_fault(server, expected, path):
    """Each kind of fault occurs once during a load."""
    waiting = list(FAULTS.values())

    def choose(request_path):
        has_answered = request_path != "/me" and "/projects/" in request_path
        return waiting.pop() if waiting and has_answered else None

    with FaultyRelay(server, choose) as relay:
        finished = load(path, relay, server)
    assert finished.returncode == 0, finished.stderr
    assert (waiting, relay.faults_count) == ([], len(FAULTS))
    assert_same_rows(raw_tables(path), expected)


@pytest.mark.parametrize("name", FAULTS)
def test_after_the_last_retry_there_is_a_one_line_error_and_no_change(
    server, tmp_path, name, loaded
):
    """The lists of one project fail permanently; the warehouse is as after the previous load."""
    if name == "a slow connection":
        pytest.skip("it is whole in the end")
    before = digest(loaded)

    def choose(request_path):
        return FAULTS[name] if request_path.endswith("/epics") else None

    with FaultyRelay(server, choose) as relay:
        finished = load(loaded, relay, server)
    reason = "web page instead of JSON" if "web page" in name else "tried 8 times"
    assert_one_line(finished, "/epics", reason)
    assert digest(loaded) == before
    assert leftovers(loaded) == [] or all("normalize" in str(each) for each in leftovers(loaded))


@pytest.fixture(scope="module")
def loaded(server, tmp_path_factory):
    path = tmp_path_factory.mktemp("loaded") / "w.duckdb"
    finished = ingest_project(server, path)
    assert finished.returncode == 0, finished.stderr
    return path


def test_a_permanently_failing_first_load_leaves_no_file(server, path):
    with FaultyRelay(server, lambda path: FAULTS["500 with JSON"]) as relay:
        assert_one_line(load(path, relay, server), "500 unhandled_condition")
    assert not path.exists()


def test_a_project_that_becomes_forbidden_is_skipped_and_named(tiny_workspace, path):
    """Its labels were read before access was lost; the other projects are complete."""
    closed = sorted(tiny_workspace.projects)[1]
    seen = []

    def before_request(request):
        if request.path.startswith(f"/projects/{closed}/"):
            seen.append(request.path)
            if request.path.endswith(("/stories", "/activity", "/epics")):
                body = b'{"kind":"error","code":"unauthorized_operation","error":"No."}'
                return 403, {"Content-Type": "application/json"}, body
        return None

    options = ServerOptions(before_request=before_request)
    with serve(tiny_workspace, options=options) as server:
        finished = ingest(warehouse=path, api_token=server.token, base_url=server.base_url)
    assert f"/projects/{closed}/labels" in seen
    assert finished.returncode == 1
    (skipped,) = [line for line in finished.stdout.splitlines() if "note: project" in line]
    assert str(closed) in skipped
    assert tiny_workspace.projects[closed].name in skipped
    stories = query(path, "select distinct project_id from pivotal_tracker_data.activity")
    others = {each for each in tiny_workspace.projects if each != closed}
    assert {project_id for (project_id,) in stories} == others


def test_an_endlessly_dripping_response_times_out(server):
    """Each byte arrives in time, but the response never ends."""
    send_slowly = Fault(drip_seconds=0.15)
    started = time.monotonic()
    with (
        FaultyRelay(server, lambda path: send_slowly) as relay,
        TrackerClient(
            relay.base_url,
            server.token,
            ClientSettings(timeout=(1, 5), answer_seconds=0.3, max_attempts=2),
            sleep=lambda _: None,
        ) as client,
        pytest.raises(
            RetriesExhausted, match=r"still sending when the time was over \(tried 2 times\)"
        ),
    ):
        client.get("/projects")
    assert time.monotonic() - started < 5


def test_a_truncated_message_shows_no_part_of_a_secret():
    token = "0123456789abcdef0123456789abcdef"
    error = RetriesExhausted("GET /me", "x" * (300 - len(token) // 2) + token).without([token])
    assert token[:8] not in str(error)
    assert len(str(error)) < 600
