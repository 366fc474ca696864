"""Read lists that change meanwhile: without duplicates, with the newest rows and all stories."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ingest.api.http.answers import Answer
from ingest.api.http.errors import (
    IncompleteList,
    InvalidParameter,
    NotFound,
    TrackerError,
    UnauthorizedOperation,
)
from ingest.api.http.paging import FieldChoices, ListRequest, Pages
from ingest.api.lists.catalogue import PAGE_SIZE
from ingest.records import RowRefused, usable
from ingest.tables import TABLES

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient

_STORIES = TABLES["stories"]
_BUFFERED_BYTES = 64 * 1024 * 1024
_MAX_LISTINGS = 4


class SeenKeys:
    """The keys of the rows that were returned so far."""

    def __init__(self, limit: int | None = None) -> None:
        """Remember all keys, or about the latest `limit` keys.

        A list that grows at its head shifts only by the records that appear while it is read, so
        the latest keys are enough, which saves memory for a million activities.
        """
        self._keys: set[Hashable] = set()
        self._pages: deque[set[Hashable]] = deque()
        self._limit = limit

    def add(self, keys: Sequence[Hashable]) -> list[bool]:
        """Add the keys of a page. Returns whether each key is new."""
        page = set(keys)
        if len(page) == len(keys) and self._keys.isdisjoint(page):
            is_new = [True] * len(keys)
        else:
            page -= self._keys
            firsts = {key: place for place, key in reversed(list(enumerate(keys)))}
            is_new = [key in page and firsts[key] == place for place, key in enumerate(keys)]
        self._keys |= page
        if self._limit is not None:
            self._pages.append(page)
            while len(self._keys) > self._limit and len(self._pages) > 1:
                self._keys -= self._pages.popleft()
        return is_new


class BufferedRows:
    """Buffers the rows of a list until its end, so that the newest copy of a record wins.

    A record that moves while its list is read may be returned twice. If the buffer is full, its
    oldest rows are released. Copies of released rows, and of rows in another project's list, are
    yielded too: of the rows of a load with one key, the newest is kept.
    """

    def __init__(self, max_bytes: int = _BUFFERED_BYTES) -> None:
        """Buffer at most `max_bytes` of rows."""
        self._max_bytes = max_bytes
        self._tables: deque[pa.Table] = deque()
        self._bytes = 0

    def add(self, rows: pa.Table) -> Iterator[pa.Table]:
        """Add rows; yields the oldest ones if the buffer is full."""
        self._tables.append(rows)
        self._bytes += rows.nbytes
        while self._bytes > self._max_bytes:
            released = self._tables.popleft()
            self._bytes -= released.nbytes
            yield released

    def release(self, later_copies: pa.Table) -> Iterator[pa.Table]:
        """Yield all rows, or their later copies (with the same `id`) if these are newer."""
        if later_copies.num_rows:
            rows = pa.concat_tables([later_copies.slice(0, 0), *self._tables])
            self._tables = deque([_with_newer(rows, later_copies)])
        yield from self._tables
        self._tables.clear()
        self._bytes = 0


def _with_newer(rows: pa.Table, later_copies: pa.Table) -> pa.Table:
    known = dict(zip(rows["id"].to_pylist(), rows["updated_at"].to_pylist(), strict=True))
    newest: dict[int, int] = {}
    for index, copy in enumerate(later_copies.select(["id", "updated_at"]).to_pylist()):
        row_id, updated_at = copy["id"], copy["updated_at"]
        newest_at = known.get(row_id)
        # Of two copies with the same timestamp, the later one wins.
        if newest_at is None or (updated_at and updated_at >= newest_at):
            known[row_id] = updated_at
            newest[row_id] = index
    outdated = pc.is_in(rows["id"], pa.array(newest, rows["id"].type))
    chosen = later_copies.take(pa.array(newest.values(), pa.int64()))
    return pa.concat_tables([rows.filter(pc.invert(outdated)), chosen])


class StoryCheck:
    """Compares the stories that were read with a list of the project's story ids.

    If a story is moved, accepted or deleted while its list is read, the pages shift, and another
    story can fall between two pages. The list of ids shows which one, and it is read by its id.

    Attributes:
        listed_ids: the ids in the last list.
        is_stable: whether the project did not change while the last list was read.
        shortfall: an error if the last list has fewer ids than the host states; otherwise None.
    """

    def __init__(self, client: TrackerClient, path: str, fields: FieldChoices) -> None:
        """Check the list at `path`; missing stories are read with the same fields."""
        self._client = client
        self._path = path
        self._fields = fields
        self.listed_ids: set[int] = set()
        self.is_stable = False
        self.shortfall: IncompleteList | None = None
        self._requests_count = 0

    @staticmethod
    def is_needed(pages: Pages, count: int) -> bool:
        """Whether stories may be missing from a list of which `count` records were read."""
        if pages.flaw or len(pages.versions) > 1:
            return True
        if pages.total is not None and pages.total != count:
            return True
        return pages.pages_count > 1 and pages.versions == {None}

    def missing(self, read_ids: set[int]) -> Iterator[Answer]:
        """List the ids, again if the project changes meanwhile, and read the missing stories."""
        read_ids = set(read_ids)
        for attempt in range(_MAX_LISTINGS):
            self._list_ids(is_cautious=attempt > 0)
            missing = sorted(self.listed_ids - read_ids)
            for start in range(0, len(missing), PAGE_SIZE):
                yield from self._read(missing[start : start + PAGE_SIZE])
            read_ids |= self.listed_ids
            if self.is_stable and (self.shortfall is None or attempt):
                return

    def requests_since(self) -> int:
        """The number of requests since the last call."""
        count, self._requests_count = self._requests_count, 0
        return count

    def _list_ids(self, is_cautious: bool) -> None:
        request = ListRequest(self._path, page_size=PAGE_SIZE, is_cautious=is_cautious)
        pages = Pages(self._client, request, FieldChoices("id"))
        ids, invalid_count = read_ids(pages)
        self._requests_count += pages.requests_count
        self.listed_ids, self.is_stable = ids, len(pages.versions) <= 1
        is_less = self.is_stable and len(ids) + invalid_count < (pages.total or 0)
        is_short = bool(pages.flaw) or is_less
        self.shortfall = pages.incomplete(len(ids), "stories") if is_short else None

    def _read(self, ids: list[int]) -> Iterator[Answer]:
        """Read stories by id, without those that no longer exist."""
        try:
            yield self._get("/bulk", {"ids": ",".join(map(str, ids))})
        except (NotFound, InvalidParameter):
            for each in ids:
                # It was deleted, or moved to a project without access.
                with suppress(NotFound, UnauthorizedOperation):
                    yield self._get(f"/{each}", {})

    def _get(self, suffix: str, params: dict[str, str]) -> Answer:
        if self._fields.current:
            params["fields"] = self._fields.current
        try:
            answer = self._client.get(self._path + suffix, params)
        except TrackerError:
            self._requests_count += 1
            raise
        self._requests_count += answer.requests_count
        return replace(answer, requests_count=0)  # because they are counted here


def read_ids(pages: Pages) -> tuple[set[int], int]:
    """The ids in a list, and the number of records without a valid id."""
    ids: set[int] = set()
    invalid_count = 0
    while (answer := pages.take()) is not None:
        pages.submit()
        for record in answer.data:
            try:
                ids.add(usable(_STORIES, ("id",), dict(record))["id"])
            except (TypeError, ValueError, RowRefused):
                invalid_count += 1
    return ids, invalid_count
