"""Temporary errors are retried, and the result is complete."""

import gzip
import itertools
import json
import threading
from email.utils import format_datetime

import pytest

from ingest.api.http.errors import RetriesExhausted, Unreachable
from ingest.api.http.pace import Pace
from tests.ingest.api.conftest import TOKEN, error_body, truncated_json
from tests.support.scripted import Reply

GOOD = [{"id": number, "name": "Zoë 🚀"} for number in range(50)]
HTML = b"<html><body>Bad gateway</body></html>"
HTML_HEADERS = {"Content-Type": "text/html"}
GZIPPED = gzip.compress(json.dumps(GOOD).encode())
GZIP_HEADERS = {"Content-Encoding": "gzip"}
STALL = 2.0  # seconds

FAULTS = {
    "429": Reply(429, error_body("too_many_requests")),
    "429 with an empty body": Reply(429, b""),
    "500 with JSON": Reply(500, error_body("unhandled_condition")),
    "502 with HTML": Reply(502, HTML, HTML_HEADERS),
    "503 with HTML and no content type": Reply(503, HTML, {"Content-Type": ""}),
    "504": Reply(504, b""),
    "reset before the answer": Reply(reset=True),
    "reset in the middle of the body": Reply(200, GOOD, keep=0.5),
    "reset after the headers": Reply(200, GOOD, keep=0),
    "incomplete JSON with status 200": Reply(200, truncated_json(GOOD)),
    "an empty body with status 200": Reply(200, b""),
    "stalled": Reply(200, GOOD, seconds=STALL),
    "chunks that end early": Reply(200, GOOD, keep=0.5, chunk=100),
    "gzip cut short": Reply(200, GZIPPED, GZIP_HEADERS, keep=0.5),
    "incomplete gzip sent completely": Reply(200, GZIPPED[: len(GZIPPED) // 2], GZIP_HEADERS),
    "gzip in chunks that end early": Reply(200, GZIPPED, GZIP_HEADERS, keep=0.8, chunk=7),
    "plain text declared as gzip": Reply(200, GOOD, GZIP_HEADERS),
    "a 500 inside an envelope": Reply(200, {"http_status": "500", "data": {}}),
}


def in_turn(*replies):
    """Send each reply once, then repeat the last."""
    queue = itertools.chain(replies, itertools.repeat(replies[-1]))
    lock = threading.Lock()

    def answer(request):
        with lock:
            return next(queue)

    return answer


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_retried_until_the_response_is_complete(serve, connect, fault):
    # Only a stalled response may time out, even on a busy machine.
    timeout = (5, STALL / 4 if fault.seconds else 10)
    client = connect(serve(in_turn(fault, fault, Reply(200, GOOD))).base_url, timeout=timeout)
    answer = client.get("/projects/1/stories")
    assert answer.data == GOOD
    assert answer.requests_count == 3
    assert (client.requests_count, client.retries_count) == (3, 2)
    assert len(client.slept) >= 2


ENCODINGS = {
    "in chunks": Reply(200, GOOD, chunk=100),
    "in chunks of one byte": Reply(200, GOOD, chunk=1),
    "gzip": Reply(200, GZIPPED, GZIP_HEADERS),
    "gzip in chunks of one byte": Reply(200, GZIPPED, GZIP_HEADERS, chunk=1),
    "after blank lines": Reply(200, b" \n" + json.dumps(GOOD).encode()),
}


@pytest.mark.parametrize("reply", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_a_complete_body_is_read_in_any_transfer_encoding(serve, connect, reply):
    client = connect(serve(lambda request: reply).base_url)
    assert client.get("/projects/1/stories").data == GOOD
    assert client.requests_count == 1


def test_a_web_page_is_retried_if_the_host_has_returned_json_before(serve, connect):
    page = Reply(200, HTML, HTML_HEADERS)
    client = connect(serve(in_turn(Reply(200, []), page, Reply(200, GOOD))).base_url)
    client.get("/projects")
    assert client.get("/projects/1/stories").data == GOOD


def test_retry_after_in_seconds_is_honoured(serve, connect):
    throttled = Reply(429, b"", {"Retry-After": "7"})
    client = connect(serve(in_turn(throttled, Reply(200, GOOD))).base_url)
    client.get("/me")
    assert max(client.slept) >= 7
    assert max(client.slept) <= 9


def test_retry_after_as_a_date_is_relative_to_the_servers_clock(serve, connect):
    from datetime import UTC, datetime

    now = datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)
    headers = {
        "Date": format_datetime(now, usegmt=True),
        "Retry-After": format_datetime(now.replace(second=39), usegmt=True),
    }
    client = connect(serve(in_turn(Reply(503, b"", headers), Reply(200, GOOD))).base_url)
    client.get("/me")
    assert 30 <= max(client.slept) <= 32


def test_waits_grow_and_vary(serve, connect):
    client = connect(serve(in_turn(*[Reply(500, b"")] * 9, Reply(200, GOOD))).base_url)
    client.get("/me")
    assert len(set(client.slept)) == 9
    assert max(client.slept) <= 30


def test_a_throttled_request_slows_all_threads(serve, connect):
    throttled = Reply(429, b"", {"Retry-After": "20"})
    client = connect(serve(in_turn(throttled, Reply(200, GOOD))).base_url)
    client.get("/me")
    before = len(client.slept)
    client.get("/projects")
    assert client.slept[before:] == [pytest.approx(20.5, abs=1)]  # other requests wait as well


def test_after_the_last_attempt_the_error_states_their_number(serve, connect):
    client = connect(serve(in_turn(Reply(500, error_body("unhandled_condition")))).base_url)
    with pytest.raises(RetriesExhausted) as caught:
        client.get("/projects/1/stories")
    line = str(caught.value)
    assert line.startswith("GET /projects/1/stories: 500 unhandled_condition (")
    assert "(tried 10 times)" in line
    assert client.requests_count == 10


def test_a_wait_beyond_the_budget_is_not_started(serve, connect):
    client = connect(serve(in_turn(Reply(429, b"", {"Retry-After": "7200"}))).base_url)
    with pytest.raises(RetriesExhausted, match=r"tried once, it asks to wait 7200 s"):
        client.get("/me")
    assert client.slept == []


def test_a_host_that_stops_responding_is_retried(serve, connect):
    server = serve(in_turn(Reply(200, GOOD)))
    client = connect(server.base_url, max_attempts=3)
    client.get("/me")
    server.__exit__()
    client._session.close()  # otherwise its idle connections would still work
    with pytest.raises(Unreachable, match="refused the connection"):
        client.get("/projects")
    assert client.retries_count == 2


def test_refused_requests_are_not_retried(serve, connect):
    from ingest.api.http.errors import UnfoundResource

    client = connect(serve(in_turn(Reply(404, error_body("unfound_resource")))).base_url)
    with pytest.raises(UnfoundResource):
        client.get("/projects/1")
    assert (client.requests_count, client.retries_count) == (1, 0)


def test_the_rate_limit_is_shared_by_all_threads(serve, connect):
    now = [100.0]
    client = connect(
        serve(in_turn(Reply(200, GOOD))).base_url, requests_per_second=4, clock=lambda: now[0]
    )
    for _ in range(4):
        client.get("/me")
    assert client.slept == pytest.approx([0.25, 0.5, 0.75])


def test_loopback_has_no_rate_limit_and_other_hosts_a_low_initial_one(connect):
    assert connect("http://127.0.0.1:9")._pace.rate == float("inf")
    assert connect("https://tracker.example/services/v5")._pace.rate == 5
    bounded = connect("https://tracker.example/services/v5", requests_per_second=2)
    assert bounded._pace.rate == 2


class HostWithCapacity:
    """A simulated clock, and a host that can handle a number of requests per second."""

    def __init__(self, capacity, first=5, highest=None, seconds=0.1):
        self.now = 0.0
        self.capacity, self.seconds = capacity, seconds
        self.refused = self.count = 0
        self.pace = Pace(first, highest, lambda: self.now, self.sleep)

    def sleep(self, seconds):
        self.now += seconds

    def request_for(self, seconds):
        until, self.count, self.refused = self.now + seconds, 0, 0
        while self.now < until:
            before = self.now
            self.pace.wait()
            self.count += 1
            self.now += 1e-4
            if self.pace.rate > self.capacity and self.now - before < 1 / self.capacity:
                self.refused += 1
                self.pace.note_refusal()
            else:
                self.pace.note_answer("stories", self.seconds)


def test_the_rate_doubles_each_second_up_to_the_limit():
    host = HostWithCapacity(capacity=10_000, highest=100)
    host.request_for(5)
    assert host.pace.rate == 100
    assert 200 < host.count < 500


def test_the_rate_adapts_to_the_capacity_of_the_host():
    host = HostWithCapacity(capacity=40)
    host.request_for(30)
    host.request_for(60)
    assert 0.6 * 40 < host.count / 60 <= 42
    assert host.refused < 0.05 * host.count


def test_slow_responses_reduce_the_rate_but_not_below_one_at_a_time():
    host = HostWithCapacity(capacity=10_000, highest=50)
    host.request_for(5)
    host.seconds = 1.0
    host.request_for(3)
    assert host.pace.rate < 40
    host.request_for(20)
    assert host.pace.rate >= 1
    host.seconds = 0.1
    host.request_for(60)
    assert host.pace.rate == 50


def test_a_slow_list_does_not_reduce_the_rate():
    host = HostWithCapacity(capacity=10_000, highest=50)
    host.request_for(5)
    for _ in range(10):
        host.pace.note_answer("activity", 3.0)
    assert host.pace.rate == 50


def test_closing_ends_a_wait(serve, connect):
    client = connect(serve(in_turn(Reply(500, b""))).base_url, token=TOKEN, sleep=None)
    caught = []

    def ask():
        try:
            client.get("/me")
        except Exception as error:  # noqa: BLE001
            caught.append(type(error).__name__)

    thread = threading.Thread(target=ask)
    thread.start()
    client.close()
    thread.join(timeout=2)
    assert caught
    assert caught[0] in ("ClientClosed", "RetriesExhausted")
