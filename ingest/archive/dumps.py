"""JSON dumps and SQLite backups: read whole, before the CSV files that they are trusted over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ingest.archive.errors import Rejection, RowRefused
from ingest.archive.files import ArchiveFile
from ingest.archive.json_files import read_values
from ingest.archive.json_walk import Walk
from ingest.archive.people import People
from ingest.archive.sqlite_backups import read_backup
from ingest.archive.store import Store
from ingest.records import Origin, Record

_SOURCE = "json"


class Dumps:
    """Everything that JSON files and backups tell.

    Attributes:
        store: the records, one per key.
        catalogue: one record of `archive_files` for each file that was read.
        unknown: kinds that no raw table holds -> how often.
    """

    def __init__(self, people: People, rejections: list[Rejection]) -> None:
        """Hold nothing yet.

        Args:
            people: learns of everybody who is named with an id.
            rejections: receives what is refused.
        """
        self.store = Store(people)
        self.catalogue: list[Record] = []
        self.unknown: Counter[str] = Counter()
        self._rejections = rejections

    def read_json(self, file: ArchiveFile) -> bool:
        """Read a JSON file; False when it holds nothing of Tracker."""
        walk, counted = Walk(), 0
        already = len(self._rejections)
        before, self.store.newest = self.store.newest, None
        recorded: list[datetime] = []
        for line, value in read_values(file):
            origin = Origin(_SOURCE, file.name, line)
            if isinstance(value, RowRefused):
                self._reject(file, line, value)
                continue
            for found in walk.records(value):
                try:
                    self.store.add(found.table, found.record, origin, walk.recorded_at)
                    counted += 1
                except RowRefused as refused:
                    self._reject(file, line, refused)
            recorded += [walk.recorded_at] if walk.recorded_at else []
        for refused in walk.refusals:
            self._reject(file, None, refused)
        rejected = len(self._rejections) - already
        if not (counted or rejected or walk.unknown or walk.answers_count):
            self.store.newest = before
            return False
        self.unknown += walk.unknown
        self._note(file, "json", counted, rejected, max(recorded, default=None))
        newest = self.store.newest
        self.store.newest = max(filter(None, (before, newest)), default=None)
        return True

    def read_sqlite(self, file: ArchiveFile) -> None:
        """Read the file of a backup tool.

        Raises:
            FileRefused: when it is not one of a known tool's.
        """
        before, self.store.newest = self.store.newest, None
        counted, already = 0, len(self._rejections)
        for found in read_backup(file):
            try:
                self.store.add(found.table, found.record, Origin(_SOURCE, file.name))
                counted += 1
            except RowRefused as refused:
                self._reject(file, None, refused)
        self._note(file, "sqlite", counted, len(self._rejections) - already, None)
        newest = self.store.newest
        self.store.newest = max(filter(None, (before, newest)), default=None)

    def finish(self) -> None:
        """Refuse the parts of stories that no file holds, once the CSV files took theirs."""
        for refused, origin in self.store.orphans():
            self._rejections.append(
                Rejection.of_row(origin.source_file, origin.source_line, refused)
            )

    def _note(
        self,
        file: ArchiveFile,
        kind: str,
        counted: int,
        rejected: int,
        recorded_at: datetime | None,
    ) -> None:
        as_of = max(filter(None, (self.store.newest, recorded_at)), default=None)
        self.catalogue.append(
            {
                "file": file.name,
                "file_kind": kind,
                "rows_count": counted,
                "rejected_count": rejected,
                "bytes": file.size,
                "is_whole": rejected == 0,
                **({"as_of": as_of.isoformat()} if as_of else {}),
            }
        )

    def _reject(self, file: ArchiveFile, line: int | None, refused: RowRefused) -> None:
        self._rejections.append(Rejection.of_row(file.name, line, refused))
