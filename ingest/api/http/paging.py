"""Lists of the API, page by page, in order, a few pages ahead.

What the server states counts, not what was asked: hosts lower the limit, a total may be null or
more than is ever given, the current iteration has no pagination headers, and some hosts have none
at all (there the enveloped form may tell, and otherwise only an empty page ends a list).

Whatever a host does, a list ends: at a page that was there before, when its total has grown twice
past what it was, or at a bound. `flaw` then says why its records may not be all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ingest.api.http.answers import Answer, PlainRows
from ingest.api.http.errors import IncompleteList, InvalidParameter, UnexpectedAnswer

if TYPE_CHECKING:
    from ingest.api.http.client import Params, TrackerClient


class FieldChoices:
    """What to ask for with `fields=`: the largest set first, smaller ones for hosts that refuse.

    Shared by the lists of one kind: what one of them learnt, the others need not find out.
    """

    def __init__(self, *choices: str) -> None:
        """Begin with the first choice; after the last one `fields` is left out."""
        self._choices: tuple[str | None, ...] = (*choices, None)
        self._index = 0

    @property
    def index(self) -> int:
        """How many choices have been refused so far."""
        return self._index

    @property
    def current(self) -> str | None:
        """The largest set that has not been refused."""
        return self._choices[self._index]

    def refuse(self, index: int) -> bool:
        """Note that a choice was refused; False when there is no smaller one."""
        if index + 1 >= len(self._choices):
            return False
        self._index = max(self._index, index + 1)
        return True


@dataclass(frozen=True)
class ListRequest:
    """What is asked of one list.

    Attributes:
        path: below the base URL.
        params: the query, without `limit` and `offset`.
        page_size: records asked for at once; None for lists that come whole.
        first_offset: the list is read from this record on.
        is_cautious: ask for one page at a time, each from where the one before it ended, and trust
            neither a limit nor a total.
        plain: makes rows of a page of plain records.
    """

    path: str
    params: Params = field(default_factory=dict)
    page_size: int | None = None
    first_offset: int = 0
    is_cautious: bool = False
    plain: PlainRows | None = None


class Pages:
    """One list. `submit` asks for its pages ahead, `take` gives them in order.

    Only the threads of the client's pool ask; `submit` and `take` belong to one thread.

    Attributes:
        requests_count: requests that the pages taken so far took.
        pages_count: pages taken so far.
        versions: the project versions that the pages taken so far speak for.
        total: the list's length as stated last; None when unknown.
        has_shrunk: the stated length became less, so that records may have slid into pages that
            had been answered already.
        first: the first page, once taken.
        flaw: why the list was ended although the host had more pages; empty when it was not.
        is_endless: it was ended because there were always more records.
    """

    def __init__(
        self,
        client: TrackerClient,
        request: ListRequest,
        fields: FieldChoices | None = None,
    ) -> None:
        """Describe the list; nothing is asked yet."""
        self.path = request.path
        self.requests_count = 0
        self.pages_count = 0
        self.versions: set[int | None] = set()
        self.total: int | None = None
        self.has_shrunk = False
        self.first: Answer | None = None
        self.flaw = ""
        self.is_endless = False
        self._client = client
        self._request = request
        self._page_size = request.page_size
        self._fields = fields or FieldChoices()
        self._pending: deque[tuple[int, Future[Answer]]] = deque()
        self._is_open = False
        self._has_ended = False
        self._step = request.page_size
        self._next_offset: int | None = None  # unknown until the first page is here
        self._previous: Answer | None = None
        self._pages_seen: dict[int, tuple[int, int]] = {}  # and how old the list was then
        self._may_slide = True
        self._total_to_pass: int | None = None
        self._has_passed_total = False

    @property
    def outstanding(self) -> int:
        """Pages that have been asked for and not been taken."""
        return len(self._pending)

    @property
    def _span(self) -> int:
        """How many records a page covers, the empty places of filtered ones included."""
        return self._step or self._page_size or 100

    def submit(self) -> bool:
        """Ask for one more page, if it is known which; False when not."""
        if self._has_ended:
            return False
        if not self._is_open:
            self._is_open = True
            self._pending.append((self._request.first_offset, self._client.submit(self._open)))
            return True
        if self._next_offset is None and not self._peek():
            return False
        total = None if self._request.is_cautious else self.total
        if total is None and self._pending:
            return False  # each page may be the last: only one at a time
        offset = self._next_offset
        if offset is None or (total is not None and offset >= total):
            return False
        self._next_offset = offset + self._span
        self._pending.append((offset, self._client.submit(self._fetch, offset)))
        return True

    def take(self) -> Answer | None:
        """The next page, waited for if need be; None at the end of the list.

        Raises:
            TrackerError: when the page could not be had.
        """
        if not self._pending and not self.submit():
            self._has_ended = True
            return None
        offset, future = self._pending.popleft()
        received = future.result()
        is_repeated = self._is_repeated(received)
        answer = self._caught_up(offset, received)
        self.requests_count += answer.requests_count
        self.versions.add(answer.project_version)
        if not is_repeated:
            self._learn(offset, answer)
        if is_repeated or self._is_past_the_end(answer):
            self.cancel()
            return None
        self.first = self.first or answer
        self.pages_count += 1
        if not self._has_ended and offset + self._span > self._client.most_records:
            self._end(f"more than {self._client.most_records:,} records", is_endless=True)
        return answer

    def again(self) -> Pages:
        """The same list, to be read once more, from its beginning and with caution."""
        request = replace(self._request, first_offset=0, is_cautious=True)
        return Pages(self._client, request, self._fields)

    def incomplete(self, count: int, noun: str) -> IncompleteList:
        """Say that only `count` records of the list could be had, of how many, and why."""
        stated = f"{count:,} of {self.total:,} {noun}" if self.total else f"{count:,} {noun}"
        return IncompleteList(f"GET {self.path}", ", ".join(filter(None, [stated, self.flaw])))

    def cancel(self) -> None:
        """Ask for nothing more."""
        self._has_ended = True
        while self._pending:
            self._pending.pop()[1].cancel()

    def _peek(self) -> bool:
        """Learn what follows from a first page that is here but has not been taken."""
        if not self._pending:
            return False
        offset, future = self._pending[0]
        if not future.done() or future.exception() is not None:
            return False
        self._learn(offset, future.result())
        return self._next_offset is not None

    def _caught_up(self, offset: int, answer: Answer) -> Answer:
        """Close the gap before a page that was answered earlier than the page in front of it.

        Pages are asked for in parallel. When a list grows at its head (activity does) after this
        page was answered and before the one in front was, records slid over the border unseen;
        asked again now, this page begins with them.
        """
        before, self._previous = self._previous, answer
        if before is None or not _is_later(before, answer):
            return answer
        newer, answer = self._fetch(offset).as_records(), answer.as_records()
        requests_count = answer.requests_count + newer.requests_count
        return replace(answer, data=[*newer.data, *answer.data], requests_count=requests_count)

    def _learn(self, offset: int, answer: Answer) -> None:
        """Find out where the next page begins."""
        pagination, length = answer.pagination, _length(answer)
        if pagination is None and self._page_size is None:
            self._has_ended = True  # a list that comes whole
            return
        asked = self._step or max(length, 1)
        if pagination is None:
            following = offset + length
        else:
            # Fewer than are here cannot be all.
            total = pagination.total
            if total is not None and length and total < offset + length:
                total = None
            if total is not None and self.total is not None and total < self.total:
                self.has_shrunk = True
            self.total = total
            # The limit, never what was returned: a page may hold fewer than it spans.
            self._step = min(pagination.limit or length or asked, asked)
            following = offset + self._step
        if self._request.is_cautious:
            following = offset + length
        ahead = next((at for at, _ in self._pending if at > offset), None)
        if ahead is not None and ahead > following:
            # The host lowered its limit half-way: what was asked ahead would leave a gap.
            while self._pending and self._pending[-1][0] > offset:
                self._pending.pop()[1].cancel()
            ahead = None
        if ahead is None:
            self._next_offset = following
        self._note_total(following)

    def _note_total(self, following: int) -> None:
        """End a list whose total has grown when it was reached, and again when that was."""
        if self.total is None:
            return
        if self._total_to_pass is None:
            self._total_to_pass = self.total
        elif self._total_to_pass <= following < self.total:
            if self._has_passed_total:
                grown = f"its total grew from {self._total_to_pass:,} to {self.total:,} and on"
                self._end(grown, is_endless=True)
            self._has_passed_total = True
            self._total_to_pass = self.total

    def _is_repeated(self, answer: Answer) -> bool:
        """Whether a page holds the same records as one before it; the list then ends."""
        if not _is_list(answer) or not _length(answer) or self._has_ended:
            return False
        page = _identity_of_page(answer)
        age = (answer.project_version or 0, (answer.pagination and answer.pagination.total) or 0)
        if page not in self._pages_seen:
            self._pages_seen[page] = age
            return False
        if self._pages_seen[page] < age and self._may_slide:
            self._may_slide = False  # a whole page of records may have arrived meanwhile, once
            return False
        # A host without any paging gives its whole list, whatever is asked.
        if answer.pagination is not None or _length(answer) == self._page_size:
            self._end("the same page came again")
        return True

    def _end(self, flaw: str, is_endless: bool = False) -> None:
        self.cancel()
        self.flaw, self.is_endless = flaw, is_endless

    def _is_past_the_end(self, answer: Answer) -> bool:
        if _is_list(answer):
            return not _length(answer)
        if self._page_size is not None or not isinstance(answer.data, dict):
            what = "an object" if isinstance(answer.data, dict) else "something else"
            raise UnexpectedAnswer(f"GET {self.path}", f"{what} instead of a list")
        return False

    def _open(self) -> Answer:
        """Ask for the first page; in a thread of the pool."""
        refused = 0
        while True:
            index = self._fields.index
            try:
                answer = self._fetch_first()
            except InvalidParameter:
                if not self._fields.refuse(index):
                    raise
                refused += 1
            else:
                count = answer.requests_count + refused
                return replace(answer, requests_count=count) if refused else answer

    def _fetch_first(self) -> Answer:
        answer = self._fetch(self._request.first_offset)
        list_name = self.path.rpartition("/")[2]
        if (
            self._page_size is None
            or answer.pagination is not None
            or (answer.rows is None and not answer.data)
            or list_name in self._client.enveloped_lists
        ):
            return answer
        self._client.enveloped_lists[list_name] = True
        try:
            enveloped = self._fetch(self._request.first_offset)
        except InvalidParameter:
            enveloped = answer
        if enveloped.pagination is None:
            self._client.enveloped_lists[list_name] = False
        total_requests = answer.requests_count + enveloped.requests_count
        return replace(enveloped, requests_count=total_requests)

    def _fetch(self, offset: int) -> Answer:
        params = dict(self._request.params)
        if self._fields.current is not None:
            params["fields"] = self._fields.current
        if self._page_size is not None or offset:
            params["limit"] = self._span
            params["offset"] = offset
        if self._client.enveloped_lists.get(self.path.rpartition("/")[2]):
            params["envelope"] = "true"
        return self._client.get(self.path, params, self._request.plain)


def _is_later(one: Answer, other: Answer) -> bool:
    """Whether one page speaks for a later moment of a growing list than another."""
    if one.project_version is not None and other.project_version is not None:
        return one.project_version > other.project_version
    total, other_total = _total(one), _total(other)
    return total is not None and other_total is not None and total > other_total


def _total(answer: Answer) -> int | None:
    return answer.pagination.total if answer.pagination else None


def _identity(record: object) -> object:
    """What tells one record of a list from another, quickly."""
    if isinstance(record, dict):
        for name in ("id", "guid", "number"):
            if type(value := record.get(name)) in (int, str):
                return value
    return repr(record)


def _identity_of_page(answer: Answer) -> int:
    if answer.rows is None:
        return hash(tuple(map(_identity, answer.data)))
    schema, columns = answer.rows.schema, answer.rows.columns
    keys = (column for each, column in zip(schema, columns, strict=True) if not each.nullable)
    return hash(tuple(tuple(key.to_numpy(zero_copy_only=False).tolist()) for key in keys))


def _is_list(answer: Answer) -> bool:
    return answer.rows is not None or isinstance(answer.data, list)


def _length(answer: Answer) -> int:
    if answer.rows is not None:
        return answer.rows.num_rows
    return len(answer.data) if isinstance(answer.data, list) else 1


class PagesAhead(Protocol):
    """Pages that can be asked for before they are taken."""

    @property
    def outstanding(self) -> int:
        """Pages that have been asked for and not been taken."""
        ...

    def submit(self) -> bool:
        """Ask for one more page, if it is known which; False when not."""
        ...

    def take(self) -> Answer | None:
        """The next page; None at the end of the list."""
        ...

    def cancel(self) -> None:
        """Ask for nothing more."""
        ...


class HasPages(Protocol):
    """Whatever reads one list."""

    @property
    def pages(self) -> PagesAhead:
        """The pages of the list."""
        ...


Job = TypeVar("Job", bound=HasPages)


class ReadAhead(Generic[Job]):
    """Reads lists one after the other, while pages of the later ones are already under way.

    The window is a number of pages, over all lists: so memory stays flat however long a list is,
    and the last page of one project does not wait alone.

    Attributes:
        window: at most so many pages are under way.
    """

    def __init__(self, jobs: Iterable[Job], window: int) -> None:
        """Read the lists of `jobs`, at most `window` pages ahead."""
        self._later: Iterator[Job] = iter(jobs)
        self._begun: deque[Job] = deque()
        self.window = window

    def next_job(self) -> Job | None:
        """The list that is to be read next; None when there is no more."""
        if not self._begun:
            job = next(self._later, None)
            if job is not None:
                self._begun.append(job)
        return self._begun[0] if self._begun else None

    def answers(self, job: Job) -> Iterator[Answer]:
        """The pages of the list at the head, which is gone afterwards."""
        try:
            while True:
                self._fill()
                answer = job.pages.take()
                if answer is None:
                    return
                yield answer
        finally:
            self.drop(job)

    def drop(self, job: Job) -> None:
        """Leave a list unread."""
        job.pages.cancel()
        if job in self._begun:
            self._begun.remove(job)

    def _fill(self) -> None:
        room = self.window - sum(job.pages.outstanding for job in self._begun)
        for job in self._begun:
            while room > 0 and job.pages.submit():
                room -= 1
        while room > 0 and (later := next(self._later, None)) is not None:
            self._begun.append(later)
            while room > 0 and later.pages.submit():
                room -= 1
