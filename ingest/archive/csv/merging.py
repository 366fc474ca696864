"""The stories CSV files of one project become one project: the newest file speaks first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from ingest.archive.csv.exports import Project, StoriesFile, body, panel_of
from ingest.archive.csv.plain_rows import PlainRows
from ingest.archive.csv.row_batches import row_batches
from ingest.archive.csv.rows import Row
from ingest.archive.csv.story_records import StoryRows
from ingest.archive.errors import ArchiveError, FileRefused, Rejection, RowRefused
from ingest.archive.files.encodings import is_mixed, two_encodings
from ingest.archive.id_set import IdSet
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import RELEASE_FIELDS, ProjectFacts, Told
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

    def read(self) -> Iterator[Told]:
        """Every story once, with the file and line that it comes from."""
        seen: set[int] = set()
        newer: StoriesFile | None = None
        newer_as_of: datetime | None = None
        for file in self._project.files:
            # Older files name labels that are gone, but iterations are as the newest says.
            facts = self._facts if newer is None else self._older_facts()
            rows = self._reader_of(file, facts)
            already = len(self._rejections)
            for record, origin in self._told(file, rows, self._body(file)):
                if newer is None:
                    yield record, origin
                elif record["id"] not in seen:
                    is_told = panel_of(record.get("current_state")) in newer.panels
                    yield deleted(record, newer_as_of if is_told else None), origin
            as_of = file.as_of(facts.newest_day, self._options.zone)
            is_whole = len(self._rejections) == already
            self._add_to_catalogue(file, rows, as_of, len(self._rejections) - already)
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

    def read_at_once(self) -> Iterator[tuple[pa.Table, list[Told]]]:
        """The same of a project's only file: plain rows as rows of `stories`, the others by one."""
        (file,) = self._project.files
        rows = self._reader_of(file, self._facts)
        plain_rows = PlainRows(rows, "stories_csv", file.file.name)
        already = len(self._rejections)
        with _unchanged(file):
            for batch in row_batches(file):
                plain, others = plain_rows.split(batch)
                yield plain, list(self._told(file, rows, others))
        as_of = file.as_of(self._facts.newest_day, self._options.zone)
        self._add_to_catalogue(file, rows, as_of, len(self._rejections) - already)
        self.newest_ids = rows.ids("stories")
        self._facts.origin = Origin("stories_csv", file.file.name, None, True)
        self._note_oddities()

    def _reader_of(self, file: StoriesFile, facts: ProjectFacts) -> StoryRows:
        if is_mixed(file.encoding):
            self.notes.append(two_encodings(file.file.name))
        if file.is_day_first:
            self.notes.append(f"{file.file.name}: dates are read as day/month/year")
        zone = self._options.zone
        return StoryRows(file.columns, facts, self._people, zone, file.is_day_first)

    def _body(self, file: StoriesFile) -> Iterator[Row]:
        with _unchanged(file), file.open() as text:
            yield from body(file, text)

    def _told(self, file: StoriesFile, rows: StoryRows, told: Iterable[Row]) -> Iterator[Told]:
        name = file.file.name
        facts = self._facts
        for line, cells in told:
            try:
                if isinstance(cells, RowRefused):
                    raise cells
                table, record = rows.record(cells)
            except RowRefused as refused:
                self._rejections.append(Rejection.of_row(name, line, refused))
                continue
            origin = Origin("stories_csv", name, line, True)
            if table == "epics":
                facts.epics.setdefault(record["id"], (record, origin))
                continue
            if record["story_type"] == "release":
                release = {key: record[key] for key in RELEASE_FIELDS if key in record}
                facts.releases.setdefault(record["id"], (release, origin))
            yield record, origin

    def _add_to_catalogue(
        self, file: StoriesFile, rows: StoryRows, as_of: datetime | None, rejected: int
    ) -> None:
        count = len(rows.ids("stories")) + len(rows.ids("epics"))
        record: Record = {
            "file": file.file.name,
            "file_kind": "stories_csv",
            "encoding": file.encoding,
            "project_id": self._facts.id,
            "rows_count": count,
            "rejected_count": rejected,
            "bytes": file.file.size,
            "is_whole": rejected == 0,
        }
        if as_of:
            record["as_of"] = as_of.isoformat()
        self.catalogue.append(record)

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


@contextmanager
def _unchanged(file: StoriesFile) -> Iterator[None]:
    """The survey read every byte, so a damaged file has changed: nothing of it may load."""
    try:
        yield
    except FileRefused as refused:
        raise ArchiveError(f"{file.file.name} {refused}; nothing was loaded") from None


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
