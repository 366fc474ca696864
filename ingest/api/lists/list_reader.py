"""Read the lists of one raw table as rows, even if they change while they are read."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ingest.api.context import ReadContext
from ingest.api.http.answers import Answer
from ingest.api.http.errors import InvalidParameter, TrackerError
from ingest.api.http.paging import Pages
from ingest.api.lists.catalogue import GROWING_TABLES
from ingest.api.lists.jobs import GivenRows, Job, ListJob
from ingest.api.lists.moving_lists import BufferedRows, SeenKeys, StoryCheck
from ingest.api.lists.read_ahead import ReadAhead
from ingest.records import keys_of
from ingest.tables import Table

_LATEST_KEYS = 100_000  # far more than can appear while one list is read; see SeenKeys


class ListReader:
    """Reads the lists of one raw table, project by project, without duplicate keys."""

    def __init__(self, table: Table, context: ReadContext) -> None:
        """Prepare to read the lists of a raw table."""
        self._table = table
        self._client = context.client
        self._workspace = context.workspace
        self._intake = context.intake
        self._is_wanted = context.is_wanted
        self._keys = context.keys
        self._skipped_lists = context.skipped_lists
        self._progress = context.progress
        self._seen = SeenKeys(_LATEST_KEYS if table.name in GROWING_TABLES else None)

    def read(
        self, job: ListJob, ahead: ReadAhead, known: KnownActivities | None = None
    ) -> Iterator[pa.Table]:
        """Read the rows of a list; a list that cannot be read is added to the skipped lists.

        Args:
            job: the list.
            ahead: requests its pages.
            known: activities that the list repeats; reading stops after the first page if the list
                contains no others.

        Raises:
            TrackerError: if the whole run cannot continue.
        """
        buffered, counted = BufferedRows(), 0
        later_copies = [self._table.arrow_schema.empty_table()]
        try:
            for answer in ahead.answers(job):
                fresh, again = self._take(job, answer)
                counted += answer.requests_count
                if known is not None:
                    others = known.without_known(fresh)
                    if job.pages.total == known.count + others.num_rows:
                        known.is_all_of_own = True
                        self._report(job, 0, known.count + others.num_rows - fresh.num_rows)
                        yield others
                        return
                    known, ahead.window = None, self._client.pages_ahead
                if "updated_at" in self._table.columns:
                    later_copies.append(again)
                    yield from buffered.add(fresh)
                else:
                    yield fresh
            # Also count the request for a page after the end of the list.
            self._report(job, job.pages.requests_count - counted, 0)
            if job.pages.is_endless:
                raise job.pages.incomplete(self._count(job), job.table)
            yield from buffered.release(pa.concat_tables(later_copies))
            yield from self._finish(job)
            job.is_read = True
            self._skipped_lists.note_read(job)
        except TrackerError as error:
            if job.cautious and isinstance(error, InvalidParameter):
                yield from self.read(job.cautious(), ahead)
                return
            if not job.pages.is_endless:
                # The rows that were read are valid.
                yield from buffered.release(pa.concat_tables(later_copies))
            self._skipped_lists.add(job, self._workspace.name(job.project_id), error)

    def pass_on(self, job: GivenRows) -> Iterator[pa.Table]:
        """Return rows that have already been read."""
        self._report(job, job.requests_count, sum(rows.num_rows for rows in job.rows))
        for rows in job.rows:
            keys = keys_of(self._table, rows)
            fresh = pa.array(self._seen.add(keys), pa.bool_())
            self._keys.add(self._table, job.project_id, keys)
            yield rows.filter(fresh)
        if job.has_all_records:
            self._keys.note_complete(self._table, job.project_id)

    def _finish(self, job: ListJob) -> Iterator[pa.Table]:
        """Finish a list: read records that may be missing, and record whether it is complete.

        Raises:
            IncompleteList: if the host returns fewer records than it states.
        """
        name, pages, is_stable = self._table.name, job.pages, True
        if name == "stories":
            if StoryCheck.is_needed(pages, self._count(job)):
                check = StoryCheck(self._client, pages.path, job.fields)
                yield from self._missing_stories(job, check)
                is_stable = check.is_stable
        elif self._is_short(job, pages) or (name in GROWING_TABLES and pages.has_shrunk):
            again, job.refused_count = pages.again(), 0
            yield from self._read_on(job, again)
            if self._is_short(job, again):
                raise again.incomplete(self._count(job), name)
        if name == "iterations" and job.first_offset:
            yield from self._finish_part(job)
        if is_stable and job.has_all_records and not job.refused_count:
            self._keys.note_complete(self._table, job.project_id)

    def _read_on(self, job: ListJob, pages: Pages) -> Iterator[pa.Table]:
        """The new rows in other pages of the same list."""
        while (answer := pages.take()) is not None:
            fresh, _ = self._take(job, answer)
            yield fresh

    def _count(self, job: ListJob) -> int:
        """The number of records of a list so far, including refused ones."""
        read = self._keys.read(self._table.name, job.project_id)
        return max(len(read), job.records_count) + job.refused_count

    def _is_short(self, job: ListJob, pages: Pages) -> bool:
        """Whether a list ended too early; a growing list may have fewer records than it states."""
        if pages.flaw:
            return True
        if self._table.name in GROWING_TABLES or pages.total is None:
            return False
        return self._count(job) + job.first_offset < pages.total

    def _missing_stories(self, job: ListJob, check: StoryCheck) -> Iterator[pa.Table]:
        read = self._keys.read(self._table.name, job.project_id)
        for answer in check.missing({story_id for (story_id,) in read}):
            fresh, _ = self._take(job, answer)
            yield fresh
        self._report(job, check.requests_since(), 0)
        listed = {(story_id,) for story_id in check.listed_ids}
        self._keys.replace(self._table, job.project_id, listed)
        if check.shortfall is not None:
            raise check.shortfall

    def _finish_part(self, job: ListJob) -> Iterator[pa.Table]:
        """Check that the iterations follow those that were not read, and mark these as existing."""
        numbers = [number for _, number in self._keys.read(self._table.name, job.project_id)]
        if not numbers or min(numbers) > job.first_offset + 1:
            yield from self._read_on(job, job.pages.again())
        else:
            unread = range(1, job.first_offset + 1)
            keys = {(job.project_id, number) for number in unread}
            self._keys.leave_out(self._table, job.project_id, keys)

    def _take(self, job: ListJob, answer: Answer) -> tuple[pa.Table, pa.Table]:
        """The rows of a response: new ones, and those with a key that was already returned."""
        if answer.rows is not None:
            taken = self._intake.accept(answer)
        else:
            taken = self._intake.take(
                self._table.name,
                answer,
                job.project_id,
                is_wanted=lambda record: self._is_wanted(self._table.name, record),
                extra=job.extra,
            )
        job.refused_count += taken.refused_count
        keys = keys_of(self._table, taken.rows)
        self._keys.add(self._table, job.project_id, keys)
        is_new = self._seen.add(keys)
        job.records_count += sum(is_new)
        self._report(job, answer.requests_count, sum(is_new))
        if all(is_new):
            return taken.rows, taken.rows.slice(0, 0)
        mask = pa.array(is_new, pa.bool_())
        return taken.rows.filter(mask), taken.rows.filter(pc.invert(mask))

    def _report(self, job: Job, requests_count: int, records_count: int) -> None:
        name = self._workspace.name(job.project_id)
        self._progress(self._table.name, name, requests_count, records_count)


class KnownActivities:
    """The activities that a run has read from the projects' lists.

    `/my/activity` lists the activities of all projects of which the token's owner is a member, so
    on a first load it usually contains nothing new, and need not be read again.

    Attributes:
        count: their number.
        is_all_of_own: whether the token owner's list consists of these and of those that
            `without_known` returned.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.count = 0
        self.is_all_of_own = False
        self._versions: dict[int, list[pa.Array]] = {}

    def add(self, rows: pa.Table) -> None:
        """Add rows of `activity`."""
        self.count += rows.num_rows
        for project_id in pc.unique(rows["project_id"]).to_pylist():
            its = pc.equal(rows["project_id"], project_id)
            versions = rows["project_version"].filter(its).combine_chunks()
            self._versions.setdefault(project_id, []).append(versions)

    def without_known(self, rows: pa.Table) -> pa.Table:
        """The rows of `my_activity` that are not among the known activities."""
        is_known = []
        for project_id, version in zip(
            rows["project_id"].to_pylist(), rows["project_version"].to_pylist(), strict=True
        ):
            versions = self._versions.get(project_id, [])
            is_known.append(any(pc.index(each, version).as_py() >= 0 for each in versions))
        return rows.filter(pc.invert(pa.array(is_known, pa.bool_())))
