"""The lists of one raw table as rows, whatever happens to a list while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.http.errors import (
    InvalidParameter,
    NotFound,
    UnauthorizedOperation,
    UnexpectedAnswer,
)
from ingest.api.http.paging import ReadAhead
from ingest.api.lists.catalogue import GROWING_TABLES
from ingest.api.lists.jobs import GivenRows, Job, ListJob, ToRows
from ingest.api.lists.listed_keys import ListedKeys
from ingest.api.lists.moving_lists import HeldRows, SeenKeys, StoryCheck
from ingest.api.lists.refusals import Refusals
from ingest.api.lists.workspace import Workspace
from ingest.records import Record
from ingest.tables import Table

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient
    from ingest.api.progress import ReportProgress

_LATEST_KEYS = 100_000  # far more than arrives while one list is read; see SeenKeys

Wanted = Callable[[str, list[Record]], list[Record]]


class ListReader:
    """Reads the lists of one raw table, project by project; no key comes twice."""

    def __init__(
        self,
        table: Table,
        client: TrackerClient,
        workspace: Workspace,
        to_rows: ToRows,
        wanted: Wanted,
        keys: ListedKeys,
        refusals: Refusals,
        progress: ReportProgress,
    ) -> None:
        """Prepare to read.

        Args:
            table: the raw table.
            client: asked for stories that fell between the pages of their list.
            workspace: knows the projects' names.
            to_rows: makes shaped records into rows of a raw table.
            wanted: leaves out, of a raw table's records, those that were not asked for.
            keys: told which rows there are.
            refusals: told of lists that cannot be read.
            progress: told of every page.
        """
        self._table = table
        self._client = client
        self._workspace = workspace
        self._to_rows = to_rows
        self._wanted = wanted
        self._keys = keys
        self._refusals = refusals
        self._progress = progress
        self._seen = SeenKeys(_LATEST_KEYS if table.name in GROWING_TABLES else None)

    def read(self, job: ListJob, ahead: ReadAhead[Job]) -> Iterator[pa.Table]:
        """The rows of a list, whose pages `ahead` gives; a refusal is noted, not raised.

        Raises:
            TrackerError: when the list could not be had, or nothing can be read without it.
        """
        held, later_copies, counted = HeldRows(), [], 0
        try:
            for answer in ahead.answers(job):
                records = self._wanted(job.table, job.records(answer.data))
                fresh, again = self._split(job, records)
                rows = self._rows(job, fresh, answer.requests_count)
                counted += answer.requests_count
                if "updated_at" in self._table.columns:
                    later_copies += again
                    yield from held.add(rows)
                else:
                    yield rows
            # A page past the end of the list costs a request too.
            self._report(job, job.pages.requests_count - counted, 0)
            yield from held.release(self._to_rows(self._table.name, later_copies))
            yield from self._settle(job)
            job.is_read = True
            self._refusals.note_fewer_fields(job)
        except (UnauthorizedOperation, NotFound, InvalidParameter) as error:
            if job.cautious and isinstance(error, InvalidParameter):
                yield from self.read(job.cautious(), ahead)
            else:
                self._refusals.note(job, self._workspace.name(job.project_id), error)

    def give(self, job: GivenRows) -> Iterator[pa.Table]:
        """Hand on rows that are here already."""
        self._report(job, job.requests_count, sum(rows.num_rows for rows in job.rows))
        for rows in job.rows:
            keys = list(zip(*(rows[name].to_pylist() for name in self._table.key), strict=True))
            fresh = pa.array([self._seen.add(key) for key in keys], pa.bool_())
            self._keys.add(self._table, job.project_id, keys)
            yield rows.filter(fresh)
        if job.is_whole:
            self._keys.note_whole(self._table, job.project_id)

    def _settle(self, job: ListJob) -> Iterator[pa.Table]:
        """Finish a list: find the stories that fell between its pages, note that it is whole."""
        name, is_settled = self._table.name, True
        if name in GROWING_TABLES and job.pages.has_shrunk:
            yield from self._read_again(job)
        if name == "iterations" and job.first_offset:
            yield from self._settle_part(job)
        read = self._keys.read(name, job.project_id)
        if name == "stories" and StoryCheck.is_needed(job.pages, len(read)):
            check = StoryCheck(self._client, job.pages.path, job.fields)
            for stories in check.missing({story_id for (story_id,) in read}):
                fresh, _ = self._split(job, job.records(stories))
                yield self._rows(job, fresh, check.requests_since())
            self._report(job, check.requests_since(), 0)
            listed = {(story_id,) for story_id in check.listed_ids}
            self._keys.replace(self._table, job.project_id, listed)
            is_settled = check.is_settled
        if is_settled and job.is_whole:
            self._keys.note_whole(self._table, job.project_id)

    def _settle_part(self, job: ListJob) -> Iterator[pa.Table]:
        """Make sure that the iterations join those before; what was left out is still there."""
        numbers = [number for _, number in self._keys.read(self._table.name, job.project_id)]
        if not numbers or min(numbers) > job.first_offset + 1:
            yield from self._read_again(job)
        else:
            unread = range(1, job.first_offset + 1)
            keys = {(job.project_id, number) for number in unread}
            self._keys.leave_out(self._table, job.project_id, keys)

    def _read_again(self, job: ListJob) -> Iterator[pa.Table]:
        """Read a list once more, one page after the other, for what slid between its pages."""
        pages = job.pages.again()
        while (answer := pages.take()) is not None:
            records = self._wanted(job.table, job.records(answer.data))
            fresh, _ = self._split(job, records)
            yield self._rows(job, fresh, answer.requests_count)

    def _split(self, job: ListJob, records: list[Record]) -> tuple[list[Record], list[Record]]:
        """Divide records into new ones and those whose key has been given already."""
        try:
            keys = [tuple([record[name] for name in self._table.key]) for record in records]
        except KeyError as error:
            raise UnexpectedAnswer(f"GET {job.pages.path}", f"a record without {error}") from None
        self._keys.add(self._table, job.project_id, keys)
        is_new = [self._seen.add(key) for key in keys]
        if all(is_new):
            return records, []
        pairs = list(zip(records, is_new, strict=True))
        return [each for each, new in pairs if new], [each for each, new in pairs if not new]

    def _rows(self, job: ListJob, records: list[Record], requests_count: int) -> pa.Table:
        self._report(job, requests_count, len(records))
        return self._to_rows(self._table.name, records)

    def _report(self, job: Job, requests_count: int, records_count: int) -> None:
        name = self._workspace.name(job.project_id)
        self._progress(self._table.name, name, requests_count, records_count)
