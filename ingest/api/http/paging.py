"""Read lists of the API page by page, in order, with requests for later pages already under way.

The server's pagination headers are used, not the request parameters: hosts lower the limit, and the
total may be null, or higher than the number of records that are returned. The current iteration
has no pagination headers, and some hosts have none at all; then the envelope may contain them, and
otherwise the list ends at an empty page.

Every list ends, whatever the host does: at a repeated page, if its total keeps growing, or at the
maximum number of records. `flaw` then says why records may be missing.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ingest.api.http.answers import Answer, PlainRows
from ingest.api.http.errors import (
    IncompleteList,
    InvalidParameter,
    UnexpectedAnswer,
    explanation,
)

if TYPE_CHECKING:
    from ingest.api.http.client import Params, TrackerClient


class FieldChoices:
    """The values for `fields=`: the largest set first, smaller ones for hosts that reject it.

    All lists of a kind share one instance, so that only one of them has to try.
    """

    def __init__(self, *choices: str) -> None:
        """Start with the first choice; after the last one, send no `fields`."""
        self._choices: tuple[str | None, ...] = (*choices, None)
        self._index = 0

    @property
    def index(self) -> int:
        """The number of choices that have been rejected so far."""
        return self._index

    @property
    def current(self) -> str | None:
        """The largest set that has not been rejected."""
        return self._choices[self._index]

    def refuse(self, index: int) -> bool:
        """Record that a choice was rejected; False if there is no smaller one."""
        if index + 1 >= len(self._choices):
            return False
        self._index = max(self._index, index + 1)
        return True


@dataclass(frozen=True)
class ListRequest:
    """The request for one list.

    Attributes:
        path: the path below the base URL.
        params: the query, without `limit` and `offset`.
        page_size: records per page; None for lists without pages.
        first_offset: the offset of the first record to read.
        is_cautious: request one page at a time, at the end of the one before, and ignore the
            host's limit and total.
        plain: converts a page of plain records to rows.
        is_list: whether the response must be a list, rather than one object.
    """

    path: str
    params: Params = field(default_factory=dict)
    page_size: int | None = None
    first_offset: int = 0
    is_cautious: bool = False
    plain: PlainRows | None = None
    is_list: bool = True


class Pages:
    """The pages of one list: `submit` requests a page, `take` returns the next one in order.

    Requests are sent by the threads of the client's pool; call `submit` and `take` from one thread.

    Attributes:
        requests_count: requests for the pages taken so far.
        pages_count: pages taken so far.
        versions: the project versions of the pages taken so far.
        total: the length of the list as last stated; None if unknown.
        has_shrunk: the stated length decreased, so records may have moved to pages that had already
            been returned.
        flaw: why the list was ended although the host had more pages; empty if it was not.
        is_endless: it was ended because there were always more records.
    """

    def __init__(
        self,
        client: TrackerClient,
        request: ListRequest,
        fields: FieldChoices | None = None,
    ) -> None:
        """Describe the list; nothing is requested yet."""
        self.path = request.path
        self.requests_count = 0
        self.pages_count = 0
        self.versions: set[int | None] = set()
        self.total: int | None = None
        self.has_shrunk = False
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
        self._next_offset: int | None = None  # unknown until the first page has arrived
        self._previous: Answer | None = None
        self._pages_seen: dict[int, tuple[int, int]] = {}  # and the age of the list then
        self._may_slide = True
        self._total_to_pass: int | None = None
        self._has_passed_total = False
        self._doubtful_total: int | None = None

    @property
    def outstanding(self) -> int:
        """Pages that have been requested and not yet taken."""
        return len(self._pending)

    @property
    def _span(self) -> int:
        """The number of records that a page covers, including those that the host filters out."""
        return self._step or self._page_size or 100

    def submit(self) -> bool:
        """Request the next page; False if its offset is not known, or there is none."""
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
            return False  # any page may be the last, so request only one at a time
        offset = self._next_offset
        if offset is None or (total is not None and offset >= total):
            return False
        self._next_offset = offset + self._span
        self._pending.append((offset, self._client.submit(self._fetch, offset)))
        return True

    def take(self) -> Answer | None:
        """Wait for the next page and return it; None at the end of the list.

        Raises:
            TrackerError: if the page could not be read.
        """
        if not self._pending and not self.submit():
            self._has_ended = True
            return None
        offset, future = self._pending.popleft()
        try:
            received = future.result()
        except InvalidParameter:
            if self._doubtful_total is None:
                raise
            self.cancel()  # the total was right: nothing is behind it
            return None
        is_repeated = self._is_repeated(received)
        if not is_repeated:
            # Before the gap is closed: the second response to a page repeats records of the first.
            self._learn(offset, received)
        answer = self._caught_up(offset, received)
        self.requests_count += answer.requests_count
        self.versions.add(answer.project_version)
        if is_repeated or self._is_past_the_end(answer):
            self.cancel()
            return None
        self.pages_count += 1
        if not self._has_ended and offset + self._span > self._client.most_records:
            self._end(f"more than {self._client.most_records:,} records", is_endless=True)
        return answer

    def again(self) -> Pages:
        """The same list, to be read again from its start, cautiously."""
        request = replace(self._request, first_offset=0, is_cautious=True)
        return Pages(self._client, request, self._fields)

    def incomplete(self, count: int, noun: str) -> IncompleteList:
        """An error that says how many records were read, of how many, and why."""
        stated = f"{count:,} of {self.total:,} {noun}" if self.total else f"{count:,} {noun}"
        return IncompleteList(f"GET {self.path}", ", ".join(filter(None, [stated, self.flaw])))

    def cancel(self) -> None:
        """End the list, and cancel its requests."""
        self._has_ended = True
        while self._pending:
            self._pending.pop()[1].cancel()

    def _peek(self) -> bool:
        """Find the next offset in a first page that has arrived but was not taken."""
        if not self._pending:
            return False
        offset, future = self._pending[0]
        if not future.done() or future.exception() is not None:
            return False
        self._learn(offset, future.result())
        return self._next_offset is not None

    def _caught_up(self, offset: int, answer: Answer) -> Answer:
        """Close the gap before a page that is older than the preceding page.

        Pages are requested in parallel. If new records appear at the head of the list (as in
        activity) between the two responses, some records move from the preceding page to this one
        unseen. A second request for this page returns them.
        """
        is_older, self._previous = self._is_older(answer), answer
        if not is_older:
            return answer
        newer, answer = self._fetch(offset).as_records(), answer.as_records()
        requests_count = answer.requests_count + newer.requests_count
        return replace(answer, data=[*newer.data, *answer.data], requests_count=requests_count)

    def _is_older(self, answer: Answer) -> bool:
        """Whether a page is older than the preceding one."""
        return self._previous is not None and _is_later(self._previous, answer)

    def _learn(self, offset: int, answer: Answer) -> None:
        """Find the offset of the next page."""
        pagination, length = answer.pagination, _length(answer)
        if not _is_list(answer) or (pagination is None and self._page_size is None):
            self._has_ended = True  # a list without pages, or an object
            return
        asked = self._step or max(length, 1)
        if pagination is None:
            following = offset + length
        else:
            # A total that is less than what was received is wrong. One that ends with a full page
            # may be the number of records returned so far; the next page shows if it is.
            total, end = pagination.total, offset + length
            is_full = length >= min(pagination.limit or asked, asked)
            doubted, self._doubtful_total = self._doubtful_total, None
            if total == end and is_full and length:
                self._doubtful_total, total = total, None
                if doubted not in (None, end) and not self._is_older(answer):
                    grown = f"its total grew from {doubted:,} to {end:,} and on"
                    self._end(grown, is_endless=True)
            elif total is not None and length and total < end:
                total = None
            if total is not None and self.total is not None and total < self.total:
                self.has_shrunk = True
            self.total = total
            # Use the limit, because a page may have fewer records than it covers.
            self._step = min(pagination.limit or length or asked, asked)
            following = offset + self._step
        if self._request.is_cautious:
            following = offset + length
        ahead = next((at for at, _ in self._pending if at > offset), None)
        if ahead is not None and ahead > following:
            # The host has lowered its limit: the pages requested ahead would leave a gap.
            while self._pending and self._pending[-1][0] > offset:
                self._pending.pop()[1].cancel()
            ahead = None
        if ahead is None:
            self._next_offset = following
        self._note_total(following)

    def _note_total(self, following: int) -> None:
        """End a list whose total keeps growing: it grew by the time that it was reached, twice."""
        if self.total is None:
            return
        if self._total_to_pass is None:
            self._total_to_pass = self.total
        elif self._total_to_pass <= following < self.total:
            if self._has_passed_total:
                grown = f"its total keeps growing ({self._total_to_pass:,}, {self.total:,}, ...)"
                self._end(grown, is_endless=True)
            self._has_passed_total = True
            self._total_to_pass = self.total

    def _is_repeated(self, answer: Answer) -> bool:
        """Whether a page has the same records as an earlier one; the list then ends."""
        if not _is_list(answer) or not _length(answer) or self._has_ended:
            return False
        page = _identity_of_page(answer)
        age = (answer.project_version or 0, (answer.pagination and answer.pagination.total) or 0)
        if page not in self._pages_seen:
            self._pages_seen[page] = age
            return False
        if self._pages_seen[page] < age and self._may_slide:
            self._may_slide = False  # a full page of new records may have appeared, once
            return False
        # A host without pagination returns the whole list for every request.
        if self._page_size is None:
            is_paged = answer.pagination is not None and answer.pagination.total is not None
        else:
            is_paged = answer.pagination is not None or _length(answer) == self._page_size
        if is_paged and self._doubtful_total is None:
            self._end("the host returned the same page again")
        return True

    def _end(self, flaw: str, is_endless: bool = False) -> None:
        self.cancel()
        self.flaw, self.is_endless = flaw, is_endless

    def _is_past_the_end(self, answer: Answer) -> bool:
        if _is_list(answer):
            return not _length(answer)
        if not isinstance(answer.data, dict):
            raise UnexpectedAnswer(f"GET {self.path}", "something else instead of a list")
        if self._request.is_list:
            problem = f"an object instead of a list {explanation(answer.data)}".strip()
            raise UnexpectedAnswer(f"GET {self.path}", problem)
        return False

    def _open(self) -> Answer:
        """Request the first page; runs in a thread of the pool."""
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
    """Whether one page of a growing list is newer than another."""
    if one.project_version is not None and other.project_version is not None:
        return one.project_version > other.project_version
    total, other_total = _total(one), _total(other)
    return total is not None and other_total is not None and total > other_total


def _total(answer: Answer) -> int | None:
    return answer.pagination.total if answer.pagination else None


def _identity(record: object) -> object:
    """A value that identifies a record in its list."""
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
