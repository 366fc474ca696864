"""Merge the stories CSV files of one project; the newest file wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from ingest.archive.csv.exports import Project, StoriesFile, body, panel_of
from ingest.archive.csv.plain_rows import PlainRows
from ingest.archive.csv.row_batches import row_batches
from ingest.archive.csv.rows import Row
from ingest.archive.csv.story_records import StoryRows
from ingest.archive.errors import FileRefused, Rejection, RowRefused, and_others
from ingest.archive.files.encodings import encoding_note
from ingest.archive.id_set import IdSet
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import RELEASE_FIELDS, ProjectFacts, SourcedRecord
from ingest.archive.project.people import People
from ingest.records import Origin, Record, Rejections


class CsvStories:
    """Reads the stories CSV files of one project, from the newest to the oldest.

    If a newer file lacks a story of an older file, the story was deleted in between, provided that
    the newer file is complete and has rows of the same panel (an export may contain only some).

    Attributes:
        catalogue: one record of `archive_files` for each file that was read.
        notes: remarks for the run's summary, one sentence each.
        newest_ids: the ids of the stories in the newest file.
    """

    def __init__(
        self,
        project: Project,
        facts: ProjectFacts,
        people: People,
        options: ArchiveOptions,
        rejections: Rejections,
    ) -> None:
        """Prepare to read.

        Args:
            project: the files, the newest first.
            facts: receives what the rows reveal about the project.
            people: resolves names to ids.
            options: how files are read.
            rejections: receives the refused rows.
        """
        self._project = project
        self._facts = facts
        self._people = people
        self._options = options
        self._rejections = rejections
        self.catalogue: list[Record] = []
        self.notes: list[str] = []
        self.newest_ids = IdSet()
        # The first invalid cell of each column and reason, with the number of all of them.
        self._misfits: dict[tuple[str | None, str], Rejection] = {}

    def read(self) -> Iterator[SourcedRecord]:
        """All stories, each once, with their origin."""
        seen: set[int] = set()
        newer: StoriesFile | None = None
        newer_as_of: datetime | None = None
        for file in self._project.files:
            # Labels of older files are added; iterations are those of the newest file.
            facts = self._facts if newer is None else self._older_facts()
            rows = StoryRows(file, facts, self._people, self._options)
            already = self._rejections.total
            for record, origin in self._records(file, rows, self._body(file)):
                if newer is None:
                    yield record, origin
                elif record["id"] not in seen:
                    has_panel = panel_of(record.get("current_state")) in newer.panels
                    yield deleted(record, newer_as_of if has_panel else None), origin
            as_of = file.as_of(facts.newest)
            is_complete = self._finish(file, rows, as_of, self._rejections.total - already)
            if len(self._project.files) > 1:
                seen.update(rows.ids["stories"])
            newer, newer_as_of = file, as_of if is_complete else None

    def _older_facts(self) -> ProjectFacts:
        """The facts that an older file may add to."""
        return ProjectFacts(
            self._facts.id,
            self._facts.name,
            labels=self._facts.labels,
            epics=self._facts.epics,
            releases=self._facts.releases,
        )

    def read_in_bulk(self) -> Iterator[tuple[pa.Table, list[SourcedRecord]]]:
        """All stories of a project's only file: plain rows as rows of `stories`, and the others."""
        (file,) = self._project.files
        rows = StoryRows(file, self._facts, self._people, self._options)
        plain_rows = PlainRows(rows, "stories_csv", file.file.name)
        already = self._rejections.total
        with self._until_damaged(file):
            for batch in row_batches(file):
                plain, others = plain_rows.split(batch)
                yield plain, list(self._records(file, rows, others))
        as_of = file.as_of(self._facts.newest)
        self._finish(file, rows, as_of, self._rejections.total - already)

    def _finish(
        self, file: StoriesFile, rows: StoryRows, as_of: datetime | None, rejected: int
    ) -> bool:
        """Add a file to the catalogue and the notes. Returns whether it is complete."""
        is_complete = rejected == 0 and file.columns.has_ids
        record: Record = {
            "file": file.file.name,
            "file_kind": "stories_csv",
            "encoding": file.encoding,
            "project_id": self._facts.id,
            "rows_count": len(rows.ids["stories"]) + len(rows.ids["epics"]),
            "rejected_count": rejected,
            "bytes": file.file.size,
            "is_whole": is_complete,
        }
        if as_of:
            record["as_of"] = as_of.isoformat()
        self.catalogue.append(record)
        self._add_file_notes(file)
        if file is self._project.files[0]:
            self.newest_ids = rows.ids["stories"]
            self._facts.origin = Origin("stories_csv", file.file.name, None, True)
            self._add_project_notes()
        return is_complete

    def _add_file_notes(self, file: StoriesFile) -> None:
        """Add notes about how a file was read, if it is not as Tracker writes it."""
        name = file.file.name
        if note := encoding_note(name, file.encoding):
            self.notes.append(note)
        for is_first, order in ((True, "day/month/year"), (False, "month/day/year")):
            columns = [name for name, first in file.day_first.items() if first == is_first]
            if columns and (is_first or not file.is_order_proven):
                doubt = "" if file.is_order_proven else "; no date proves it: set date_order"
                names = ", ".join(map(str.capitalize, columns))
                self.notes.append(f"{name}: dates in {names} are read as {order}{doubt}")
        if not file.columns.has_ids:
            self.notes.append(
                f"{name}: has no Id column; its stories have negative ids made from project, title "
                "and creation date"
            )
        for first in self._misfits.values():
            sentence = and_others(first.sentence, first.count - 1)
            self.notes.append(f"{sentence}; kept in extra_fields")
        self._misfits.clear()

    def _body(self, file: StoriesFile) -> Iterator[Row]:
        with self._until_damaged(file), file.open() as text:
            yield from body(file, text)

    @contextmanager
    def _until_damaged(self, file: StoriesFile) -> Iterator[None]:
        """Keep the rows before a damage that occurred after the survey, which read every byte."""
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
            if not isinstance(cells, RowRefused) and not any(map(str.strip, cells)):
                continue  # only spaces
            try:
                table, record, is_date_only, misfits = rows.record(cells)
            except RowRefused as refused:
                self._rejections.append(Rejection.of_row(name, line, refused))
                continue
            for each in misfits:
                misfit = Rejection.of_row(name, line, each)
                first = self._misfits.setdefault((misfit.column, misfit.reason), misfit)
                if first is not misfit:
                    counted = replace(first, count=first.count + 1)
                    self._misfits[misfit.column, misfit.reason] = counted
            origin = Origin("stories_csv", name, line, is_date_only)
            if table == "epics":
                facts.epics.setdefault(record["id"], (record, origin))
                continue
            if record["story_type"] == "release":
                release = {key: record[key] for key in RELEASE_FIELDS if key in record}
                facts.releases.setdefault(record["id"], (release, origin))
            yield record, origin

    def _add_project_notes(self) -> None:
        facts = self._facts
        if facts.misplaced_count:
            self.notes.append(
                f"{self._project.files[0].file.name}: {facts.misplaced_count:,} stories were "
                "accepted on a day outside the iteration that the file states; the day counts"
            )
        if facts.resembles:
            self.notes.append(
                f"{facts.name} has the titles of project {facts.resembles} under other ids: the "
                "backlog was imported again, and is loaded as a separate project"
            )


def deleted(record: Record, deleted_at: datetime | None) -> Record:
    """Mark a story as deleted at the time of the export that lacks it; None leaves it unchanged."""
    if deleted_at is None or record.get("is_deleted"):
        return record
    return {
        **record,
        "is_deleted": True,
        "delete_evidence": "export",
        "deleted_at": deleted_at.isoformat(),
    }
