"""The stories CSV files of one project become one project: the newest file speaks first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from ingest.archive.csv.exports import Project, StoriesFile, body, panel_of
from ingest.archive.csv.plain_rows import PlainRows
from ingest.archive.csv.row_batches import row_batches
from ingest.archive.csv.rows import Row
from ingest.archive.csv.story_records import StoryRows
from ingest.archive.errors import FileRefused, Rejection, RowRefused
from ingest.archive.files.encodings import encoding_note
from ingest.archive.id_set import IdSet
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import RELEASE_FIELDS, ProjectFacts, SourcedRecord
from ingest.archive.project.people import People
from ingest.records import Origin, Record


class CsvStories:
    """Reads the stories CSV files of one project, from the newest to the oldest.

    A story of an older file that the newer one does not have was deleted in between, when the
    newer file is whole and has rows of the same panel (people export parts).

    Attributes:
        catalogue: one record of `archive_files` for each file that was read.
        notes: what is odd, one sentence each.
        newest_ids: the stories that the newest file has.
    """

    def __init__(
        self,
        project: Project,
        facts: ProjectFacts,
        people: People,
        options: ArchiveOptions,
        rejections: list[Rejection],
    ) -> None:
        """Prepare to read.

        Args:
            project: the files, the newest first.
            facts: what is found out about the project; it is added to.
            people: resolves names.
            options: how files are read.
            rejections: receives the rows that are refused.
        """
        self._project = project
        self._facts = facts
        self._people = people
        self._options = options
        self._rejections = rejections
        self.catalogue: list[Record] = []
        self.notes: list[str] = []
        self.newest_ids = IdSet()
        self._misfits: dict[tuple[str | None, str], list[Rejection]] = defaultdict(list)

    def read(self) -> Iterator[SourcedRecord]:
        """Every story once, with the file and line that it comes from."""
        seen: set[int] = set()
        newer: StoriesFile | None = None
        newer_as_of: datetime | None = None
        for file in self._project.files:
            # Older files name labels that no longer exist, but iterations are as the newest says.
            facts = self._facts if newer is None else self._older_facts()
            rows = StoryRows(file, facts, self._people, self._options)
            already = len(self._rejections)
            for record, origin in self._records(file, rows, self._body(file)):
                if newer is None:
                    yield record, origin
                elif record["id"] not in seen:
                    has_panel = panel_of(record.get("current_state")) in newer.panels
                    yield deleted(record, newer_as_of if has_panel else None), origin
            as_of = file.as_of(facts.newest)
            is_whole = self._add_to_catalogue(file, rows, as_of, len(self._rejections) - already)
            self._note_reading(file)
            if len(self._project.files) > 1:
                seen.update(rows.ids("stories"))
            if newer is None:
                self.newest_ids = rows.ids("stories")
                self._facts.origin = Origin("stories_csv", file.file.name, None, True)
                self._note_oddities()
            newer, newer_as_of = file, as_of if is_whole else None

    def _older_facts(self) -> ProjectFacts:
        return ProjectFacts(
            self._facts.id,
            self._facts.name,
            labels=self._facts.labels,
            epics=self._facts.epics,
            releases=self._facts.releases,
        )

    def read_at_once(self) -> Iterator[tuple[pa.Table, list[SourcedRecord]]]:
        """The same of a project's only file: plain rows as rows of `stories`, the others by one."""
        (file,) = self._project.files
        rows = StoryRows(file, self._facts, self._people, self._options)
        plain_rows = PlainRows(rows, "stories_csv", file.file.name)
        already = len(self._rejections)
        with self._until_damaged(file):
            for batch in row_batches(file):
                plain, others = plain_rows.split(batch)
                yield plain, list(self._records(file, rows, others))
        as_of = file.as_of(self._facts.newest)
        self._add_to_catalogue(file, rows, as_of, len(self._rejections) - already)
        self._note_reading(file)
        self.newest_ids = rows.ids("stories")
        self._facts.origin = Origin("stories_csv", file.file.name, None, True)
        self._note_oddities()

    def _note_reading(self, file: StoriesFile) -> None:
        """Say how a file was read, where that is not how Tracker writes one."""
        name = file.file.name
        if note := encoding_note(name, file.encoding):
            self.notes.append(note)
        for is_first, order in ((True, "day/month/year"), (False, "month/day/year")):
            columns = [name for name, first in file.day_first.items() if first == is_first]
            if columns and (is_first or not file.is_order_proven):
                doubt = "" if file.is_order_proven else "; no date shows which: set date_order"
                names = ", ".join(map(str.capitalize, columns))
                self.notes.append(f"{name}: dates in {names} are read as {order}{doubt}")
        if not file.columns.has_ids:
            self.notes.append(
                f"{name}: has no Id column; its stories have negative ids made from project, title "
                "and creation date"
            )
        for misfits in self._misfits.values():
            more = f" (and {len(misfits) - 1:,} more)" if len(misfits) > 1 else ""
            self.notes.append(f"{misfits[0].sentence}{more}; kept in extra_fields")
        self._misfits.clear()

    def _body(self, file: StoriesFile) -> Iterator[Row]:
        with self._until_damaged(file), file.open() as text:
            yield from body(file, text)

    @contextmanager
    def _until_damaged(self, file: StoriesFile) -> Iterator[None]:
        """Keep the rows before a damage that came after the survey, which read every byte."""
        try:
            yield
        except FileRefused as refused:
            reason = f"{refused}; the rows before that were loaded"
            self._rejections.append(Rejection(file.file.name, None, None, None, reason))

    def _records(
        self, file: StoriesFile, rows: StoryRows, lines: Iterable[Row]
    ) -> Iterator[SourcedRecord]:
        name = file.file.name
        facts = self._facts
        for line, cells in lines:
            try:
                table, record, is_date_only, misfits = rows.record(cells)
            except RowRefused as refused:
                self._rejections.append(Rejection.of_row(name, line, refused))
                continue
            for each in misfits:
                misfit = Rejection.of_row(name, line, each)
                self._misfits[misfit.column, misfit.reason].append(misfit)
            origin = Origin("stories_csv", name, line, is_date_only)
            if table == "epics":
                facts.epics.setdefault(record["id"], (record, origin))
                continue
            if record["story_type"] == "release":
                release = {key: record[key] for key in RELEASE_FIELDS if key in record}
                facts.releases.setdefault(record["id"], (release, origin))
            yield record, origin

    def _add_to_catalogue(
        self, file: StoriesFile, rows: StoryRows, as_of: datetime | None, rejected: int
    ) -> bool:
        """Add a file that was read, and return whether what it lacks was not there."""
        is_whole = rejected == 0 and file.columns.has_ids
        count = len(rows.ids("stories")) + len(rows.ids("epics"))
        record: Record = {
            "file": file.file.name,
            "file_kind": "stories_csv",
            "encoding": file.encoding,
            "project_id": self._facts.id,
            "rows_count": count,
            "rejected_count": rejected,
            "bytes": file.file.size,
            "is_whole": is_whole,
        }
        if as_of:
            record["as_of"] = as_of.isoformat()
        self.catalogue.append(record)
        return is_whole

    def _note_oddities(self) -> None:
        facts = self._facts
        if facts.misplaced_count:
            self.notes.append(
                f"{self._project.files[0].file.name}: {facts.misplaced_count:,} stories were "
                "accepted on a day outside the iteration that the file names; the day counts"
            )
        if facts.resembles:
            self.notes.append(
                f"{facts.name} has the titles of project {facts.resembles} under other ids: a "
                "backlog imported again, kept as a project of its own"
            )


def deleted(record: Record, deleted_at: datetime | None) -> Record:
    """A story that the next newer export lacks; as it was, when that export proves nothing."""
    if deleted_at is None or record.get("is_deleted"):
        return record
    return {
        **record,
        "is_deleted": True,
        "delete_evidence": "export",
        "deleted_at": deleted_at.isoformat(),
    }
