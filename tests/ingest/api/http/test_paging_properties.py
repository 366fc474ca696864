"""Properties of reading a list, for any paging and any order of the responses."""

import random
from concurrent.futures import Future

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.api.http.answers import Answer, Pagination
from ingest.api.http.paging import ListRequest, Pages


class Host:
    """A list that grows at its start; each response describes the time at which it is created.

    Attributes:
        arrivals: the number of records added before each response.
        removals: where a record is removed before each response, as a share of the list; None for
            no removal.
        are_eager: whether a page is answered when it is requested, or only when it is awaited.
    """

    def __init__(
        self,
        count,
        limit,
        arrivals=(),
        are_eager=(),
        states_total=True,
        states_version=True,
        removals=(),
    ):
        self.enveloped_lists = {}
        self.most_records = 10**6
        self.numbers = list(range(count, 0, -1))
        self.version = count
        self.limit = limit
        self.arrivals = iter(arrivals)
        self.removals = iter(removals)
        self.are_eager = iter(are_eager)
        self.states_total = states_total
        self.states_version = states_version

    def submit(self, work, *args):
        future = LazyFuture(lambda: work(*args))
        if next(self.are_eager, True):
            future.result()
        return future

    def get(self, path, params, plain=None):
        for _ in range(next(self.arrivals, 0)):
            self.version += 1
            self.numbers.insert(0, self.version)
        if (place := next(self.removals, None)) is not None and self.numbers:
            self.version += 1
            del self.numbers[int(place * len(self.numbers))]
        offset, limit = params["offset"], min(params["limit"], self.limit)
        page = [{"id": number} for number in self.numbers[offset : offset + limit]]
        total = len(self.numbers) if self.states_total else None
        version = self.version if self.states_version else None
        return Answer(page, version, Pagination(total, limit))


class LazyFuture(Future):
    def __init__(self, work):
        super().__init__()
        self._work = work

    def result(self, timeout=None):
        if not self.done():
            self.set_result(self._work())
        return super().result(timeout)


def read(host, page_size, ahead):
    return read_pages(Pages(host, ListRequest("/projects/1/activity", page_size=page_size)), ahead)


def read_pages(pages, ahead):
    received = []
    while True:
        while pages.outstanding < ahead and pages.submit():
            pass
        answer = pages.take()
        if answer is None:
            return received
        received += [record["id"] for record in answer.data]


@given(
    count=st.integers(0, 200),
    limit=st.integers(1, 60),
    page_size=st.integers(1, 80),
    ahead=st.integers(1, 6),
    are_eager=st.lists(st.booleans(), max_size=30),
    states_total=st.booleans(),
)
def test_an_unchanged_list_is_read_once_and_in_order(
    count, limit, page_size, ahead, are_eager, states_total
):
    host = Host(count, limit, [], are_eager, states_total)
    assert read(host, page_size, ahead) == list(range(count, 0, -1))


@given(
    count=st.integers(1, 120),
    limit=st.integers(5, 30),
    ahead=st.integers(1, 6),
    # At most a page in total: a client cannot find records that move by more.
    arrivals=st.lists(st.integers(0, 1), max_size=5),
    quiet=st.integers(0, 3),
    are_eager=st.lists(st.booleans(), max_size=30),
    states_version=st.booleans(),
)
def test_a_list_that_grows_at_its_start_loses_nothing(
    count, limit, ahead, arrivals, quiet, are_eager, states_version
):
    host = Host(count, limit, [0] * quiet + arrivals, are_eager, states_version=states_version)
    assert set(read(host, limit, ahead)) >= set(range(1, count + 1))


@given(seed=st.integers(0, 2**32))
@example(seed=1297)
def test_a_list_that_shrinks_does_not_seem_endless(seed):
    """Removed records move others between pages, so some may be missed; `StoryCheck` finds them."""
    chance = random.Random(seed)
    count, limit = chance.randint(20, 90), chance.randint(3, 10)
    are_eager = [chance.random() < 0.5 for _ in range(60)]
    removals = [chance.random() for _ in range(100)]
    host = Host(count, limit, are_eager=are_eager, removals=removals)
    pages = Pages(host, ListRequest("/projects/1/stories", page_size=limit))
    read_pages(pages, ahead=8)
    assert not pages.is_endless
