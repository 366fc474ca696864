"""Lists are read completely and in order, however a host pages them."""

import threading
import time

import pytest

from ingest.api.http.errors import TrackerError, UnexpectedAnswer
from ingest.api.http.paging import FieldChoices, ListRequest, Pages
from tests.ingest.api.conftest import ListHost, error_body, pages_of
from tests.support.scripted import Reply


def read(client, page_size=100, path="/projects/1/stories"):
    return [record["id"] for page in pages_of(client, path, page_size=page_size) for record in page]


CASES = {
    # host, expected requests
    "one page": (ListHost(70), 1),
    "exactly one full page": (ListHost(100), 2),
    "several pages": (ListHost(950), 10),
    "nothing": (ListHost(0), 1),
    "the host lowers the limit": (ListHost(120, limit=50), 3),
    "total is null": (ListHost(250, total="null"), 4),
    "fewer records than the total says": (ListHost(250, missing=frozenset(range(40, 60))), 3),
    "no headers, envelope": (ListHost(250, form="envelope"), 4),
    "no headers, envelope with a lower limit": (ListHost(120, limit=50, form="envelope"), 4),
    "envelope with total null": (ListHost(250, total="null", form="envelope"), 5),
    "no pagination anywhere": (ListHost(250, form="nowhere"), 5),
    "no pagination anywhere, lower limit": (ListHost(120, limit=50, form="nowhere"), 5),
    "the host ignores offset": (ListHost(120, form="nowhere", ignores_offset=True), 3),
}


@pytest.mark.parametrize(("host", "requests"), CASES.values(), ids=CASES.keys())
def test_a_list_is_read_completely_and_in_order(serve, connect, host, requests):
    server = serve(host)
    expected = [number for number in range(host.count) if number not in host.missing]
    assert read(connect(server.base_url)) == expected
    assert len(server.requests) == requests


def test_a_total_that_is_too_large_ends_with_an_empty_page(serve, connect):
    server = serve(ListHost(180, total=1_000_000))
    client = connect(server.base_url, max_in_flight=4)
    assert read(client) == list(range(180))
    assert len(server.requests) <= 2 + 1 + 4  # the pages, the empty page, and those requested ahead


def test_pages_advance_by_the_stated_limit_not_by_the_records_returned(serve, connect):
    host = ListHost(290, missing=frozenset(range(10, 90)))
    read(connect(serve(host).base_url))
    assert sorted(offset for offset, _ in host.requests) == [0, 100, 200]


def test_a_limit_reduced_while_reading_leaves_no_gap(serve, connect):
    host = ListHost(400)

    def answer(request):
        host.limit = 100 if int(request.query["offset"]) == 0 else 30
        return host(request)

    assert read(connect(serve(answer).base_url)) == list(range(400))


def test_a_list_that_grows_while_it_is_read_is_read_to_its_new_end(serve, connect):
    host = ListHost(200)

    def answer(request):
        if int(request.query["offset"]) >= 100:
            host.count = 350
        return host(request)

    assert read(connect(serve(answer).base_url)) == list(range(350))


@pytest.mark.parametrize("stated", ["version", "total"])
def test_pages_answered_out_of_order_while_the_list_grows_lose_nothing(serve, connect, stated):
    """Offset 100 is answered after offset 200, and three records are added in between."""
    numbers = list(range(300, 0, -1))
    first_response_is_late = threading.Event()
    state = {"version": 300}

    def answer(request):
        offset = int(request.query["offset"])
        if offset == 100:
            first_response_is_late.wait(timeout=2)
        version, page = state["version"], numbers[offset : offset + 100]
        headers = {"X-Tracker-Pagination-Total": str(len(numbers))}
        headers["X-Tracker-Pagination-Limit"] = "100"
        if stated == "version":
            headers["X-Tracker-Project-Version"] = str(version)
        if offset == 200 and not first_response_is_late.is_set():
            numbers[:0] = [303, 302, 301]
            state["version"] = 303
            first_response_is_late.set()
        return Reply(200, [{"id": number} for number in page], headers)

    received = read(connect(serve(answer).base_url, max_in_flight=2), path="/projects/1/activity")
    assert set(range(1, 301)) <= set(received)


def test_the_current_iteration_is_read_without_pagination(serve, connect):
    server = serve(lambda request: Reply(200, [{"number": 7}]))
    client = connect(server.base_url)
    pages = list(pages_of(client, "/projects/1/iterations", {"scope": "current"}))
    assert pages == [[{"number": 7}]]
    assert server.requests[0].query == {"scope": "current"}


def test_an_unpaged_list_is_read_completely_if_a_host_pages_it(serve, connect):
    server = serve(ListHost(130, limit=50))
    assert read(connect(server.base_url), page_size=None) == list(range(130))


def test_the_need_for_the_envelope_is_detected_once(serve, connect):
    server = serve(ListHost(10, form="envelope"))
    client = connect(server.base_url)
    for _ in range(3):
        assert read(client) == list(range(10))
    assert [request.query.get("envelope") for request in server.requests] == [None] + ["true"] * 3


def test_an_object_instead_of_a_list_is_an_error(serve, connect):
    server = serve(lambda request: Reply(200, {"kind": "story"}))
    with pytest.raises(UnexpectedAnswer, match="GET /projects/1/stories: an object"):
        read(connect(server.base_url))


def test_pages_are_read_in_parallel_and_never_more_than_allowed(serve, connect):
    host = ListHost(2000)

    def answer(request):
        reply = host(request)
        return Reply(reply.status, reply.body, reply.headers, seconds=0.02)

    server = serve(answer)
    assert read(connect(server.base_url, max_in_flight=5)) == list(range(2000))
    assert server.most_in_flight == 5
    assert server.connections <= 5


def test_the_bound_holds_for_requests_from_any_thread(serve, connect):
    server = serve(lambda request: Reply(200, {"id": 1}, seconds=0.01))
    client = connect(server.base_url, max_in_flight=2)
    threads = [threading.Thread(target=client.get, args=("/me",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (server.most_in_flight, len(server.requests)) == (2, 8)


def test_read_ahead_is_bounded(serve, connect):
    server = serve(ListHost(100_000))
    pages = pages_of(
        connect(server.base_url, max_in_flight=4), "/projects/1/activity", page_size=100
    )
    for _ in range(3):
        next(pages)
    time.sleep(0.1)
    assert len(server.requests) <= 3 + 4
    pages.close()


def test_a_list_that_is_abandoned_requests_no_more_pages(serve, connect):
    server = serve(ListHost(100_000))
    pages = pages_of(
        connect(server.base_url, max_in_flight=2), "/projects/1/activity", page_size=100
    )
    next(pages)
    pages.close()
    time.sleep(0.05)
    seen = len(server.requests)
    time.sleep(0.05)
    assert len(server.requests) == seen


def test_a_failing_page_ends_the_list_with_its_error(serve, connect):
    host = ListHost(500)

    def answer(request):
        if request.query["offset"] == "300":
            return Reply(403, error_body("unauthorized_operation"))
        return host(request)

    pages = pages_of(connect(serve(answer).base_url), "/projects/1/stories", page_size=100)
    received = [next(pages) for _ in range(3)]
    with pytest.raises(TrackerError, match="unauthorized_operation"):
        next(pages)
    assert [len(page) for page in received] == [100, 100, 100]


def test_a_refused_field_leads_to_a_smaller_set_for_all_lists(serve, connect):
    def answer(request):
        if "novelty" in request.query.get("fields", ""):
            return Reply(400, error_body("invalid_parameter", general_problem="novelty?"))
        return Reply(200, [{"id": 1, "asked": request.query.get("fields")}])

    server = serve(answer)
    client = connect(server.base_url)
    fields = FieldChoices(":default,novelty", ":default")
    for path in ("/projects/1/labels", "/projects/2/labels"):
        pages = Pages(client, ListRequest(path), fields)
        assert pages.take().data == [{"id": 1, "asked": ":default"}]
    assert len(server.requests) == 3


def test_lists_read_from_several_threads_do_not_mix(serve, connect):
    def answer(request):
        host = ListHost(int(request.path.rpartition("/")[2]))
        return host(request)

    client = connect(serve(answer).base_url)
    results = {}
    threads = [
        threading.Thread(target=lambda n=n: results.update({n: read(client, 100, f"/lists/{n}")}))
        for n in (120, 340, 560)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: list(range(n)) for n in (120, 340, 560)}
