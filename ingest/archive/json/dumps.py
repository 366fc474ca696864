"""JSON dumps and SQLite backups: read whole, before the CSV files that they are trusted over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from ingest.archive.errors import FileRefused, Rejection, RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.chronology import file_times
from ingest.archive.id_set import are_distinct
from ingest.archive.json.landed import stream_of
from ingest.archive.json.plain_files import PlainFile, read_plain_file
from ingest.archive.json.sqlite_backups import read_backup
from ingest.archive.json.store import Store
from ingest.archive.json.values import read_values
from ingest.archive.json.walk import Walk
from ingest.archive.project.people import People
from ingest.records import Origin, Record

if TYPE_CHECKING:
    from ingest.archive.inventory import Inventory

_SOURCE = "json"


class Dumps:
    """Everything that JSON files and backups tell.

    Attributes:
        store: the records, one per key.
        catalogue: one record of `archive_files` for each file that was read.
        unknown: kinds that no raw table holds -> how often.
        notes: what is nothing of Tracker's, one sentence each.
    """

    def __init__(self, people: People, rejections: list[Rejection]) -> None:
        """Hold nothing yet.

        Args:
            people: learns of everybody who is named with an id.
            rejections: receives what is refused.
        """
        self.store = Store(people)
        self._plain_files: list[PlainFile] = []
        self.catalogue: list[Record] = []
        self.unknown: Counter[str] = Counter()
        self.notes: list[str] = []
        self._rejections = rejections

    def read(self, inventory: Inventory, is_alone: bool, zone: ZoneInfo) -> None:
        """Read all dumps and backups of a run.

        Args:
            inventory: its files.
            is_alone: whether nothing is stored that may be trusted more.
            zone: the time zone of time stamps in file names.
        """
        files = inventory.files.get("json", [])
        backups = inventory.files.get("sqlite", [])
        histories = inventory.files.get("history_csv", [])
        self.store.file_times = file_times([*files, *backups, *histories], zone)
        is_alone = is_alone and inventory.files.keys() <= {"json"}
        large = {file: read_plain_file(file, _SOURCE) for file in files if is_alone}
        at_once = {file: plain for file, plain in large.items() if plain}
        self._read_each(inventory, [file for file in files if file not in at_once])
        if any(self._tell_of_the_same(name, at_once.values()) for name in ("stories", "activity")):
            self._read_each(inventory, at_once)
        else:
            for file, plain in at_once.items():
                self._read_values(file, plain.others, plain)
                self._plain_files.append(plain)
        for file in backups:
            try:
                self._read_sqlite(file)
            except FileRefused as refused:
                inventory.refuse(file, refused)
        self.store.settle()

    def plain_rows(self, table: str) -> Iterator[pa.Table]:
        """Rows of a raw table, none of which the store has."""
        for plain in self._plain_files:
            if plain.table.name == table:
                yield from plain.rows()

    def _tell_of_the_same(self, table: str, plain: Iterable[PlainFile]) -> bool:
        """Whether two files, or what was read so far, may tell of the same records of a table."""
        ids = [each.ids for each in plain if each.table.name == table]
        if ids and (self.store.tables[table] or (table == "stories" and self.store.has_parts)):
            return True
        return not are_distinct(np.concatenate([np.empty(0, np.int64), *ids]))

    def _read_each(self, inventory: Inventory, files: Iterable[ArchiveFile]) -> None:
        for file in files:
            try:
                if not self._read_values(file, read_values(file)):
                    self.notes.append(f"{file.name}: is JSON, but nothing of Tracker's")
            except FileRefused as refused:
                inventory.refuse(file, refused)

    def _read_values(
        self,
        file: ArchiveFile,
        values: Iterable[tuple[int | None, object]],
        plain: PlainFile | None = None,
    ) -> bool:
        """Take in a file's values, each with its line; False when nothing of Tracker is in it.

        Args:
            file: the file.
            values: what is looked at value by value.
            plain: the records that are not among the values.
        """
        walk, counted = Walk(stream=stream_of(file)), 0
        already = len(self._rejections)
        before, self.store.newest = self.store.newest, None
        recorded: list[datetime] = []
        projects_read: dict[int, datetime] = {}
        if plain:
            counted = plain.rows_count
            self.store.note_plain(plain, Origin(_SOURCE, file.name))
        for line, value in values:
            origin = Origin(_SOURCE, file.name, line)
            if isinstance(value, RowRefused):
                self._reject(file, line, value)
                continue
            for found in walk.records(value):
                try:
                    self.store.add(found.table, found.record, origin, walk.recorded_at)
                    counted += 1
                except RowRefused as refused:
                    self._reject(file, line, refused, found.table)
                    continue
                project_id = found.record.get("id" if found.table == "projects" else "project_id")
                if walk.recorded_at and isinstance(project_id, int):
                    known = projects_read.get(project_id, walk.recorded_at)
                    projects_read[project_id] = max(known, walk.recorded_at)
            recorded += [walk.recorded_at] if walk.recorded_at else []
        for refusal in walk.refusals:
            self._reject(file, None, refusal)
        rejected = len(self._rejections) - already
        if not (counted or rejected or walk.unknown or walk.answers_count):
            self.store.newest = before
            return False
        self.unknown += walk.unknown
        self._note(file, "json", counted, rejected, max(recorded, default=None), projects_read)
        newest = self.store.newest
        self.store.newest = max(filter(None, (before, newest)), default=None)
        return True

    def _read_sqlite(self, file: ArchiveFile) -> None:
        """Read the file of a backup tool.

        Raises:
            FileRefused: when it is not one of a known tool's.
        """
        before, self.store.newest = self.store.newest, None
        counted, already = 0, len(self._rejections)
        for found in read_backup(file):
            if isinstance(found, RowRefused):
                self._reject(file, None, found)
                continue
            try:
                self.store.add(found.table, found.record, Origin(_SOURCE, file.name))
                counted += 1
            except RowRefused as refused:
                self._reject(file, None, refused, found.table)
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
        projects_read: dict[int, datetime] | None = None,
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
                "projects_read": [
                    {"project_id": project_id, "as_of": read_at.isoformat()}
                    for project_id, read_at in (projects_read or {}).items()
                ],
            }
        )

    def _reject(
        self, file: ArchiveFile, line: int | None, refused: RowRefused, table: str | None = None
    ) -> None:
        self._rejections.append(Rejection.of_row(file.name, line, refused, table))
