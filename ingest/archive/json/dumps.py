"""Read JSON dumps and SQLite backups completely, before the CSV files, which they outrank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from ingest.archive.errors import FileRefused, Rejection, RowRefused
from ingest.archive.files.archive_file import ArchiveFile, chunks
from ingest.archive.files.chronology import FileTime, file_times
from ingest.archive.id_set import are_distinct
from ingest.archive.json.large import LargeList, is_large, large_lists, read_large
from ingest.archive.json.loader_output import stream_of
from ingest.archive.json.plain_lists import PlainList, numbers_of, read_plain_list
from ingest.archive.json.sqlite_backups import read_backup
from ingest.archive.json.store import Store
from ingest.archive.json.values import Place, has_json_lines, parse_value, read_values
from ingest.archive.json.walk import Found, Refused, Walk
from ingest.archive.project.people import People
from ingest.records import Drift, Origin, Record
from ingest.tables import TABLES

if TYPE_CHECKING:
    from ingest.archive.inventory import Inventory

_SOURCE = "json"


class _InBulk(NamedTuple):
    """A file with lists that were read in bulk, and its values without their plain records."""

    others: Iterable[tuple[Place, object]]
    lists: list[PlainList]


class Dumps:
    """The records of JSON files and backups.

    Attributes:
        store: the records, one per key.
        catalogue: one record of `archive_files` for each file that was read.
        unknown: kinds without a raw table -> number of records.
        notes: one sentence for each JSON file without Tracker data.
    """

    def __init__(self, people: People, drift: Drift) -> None:
        """Start without records.

        Args:
            people: receives everybody who is named with an id.
            drift: receives the refused records.
        """
        self._people = people
        self._rejections = drift.rejections
        self._nested_levels = drift.nested_levels
        self._start({})

    def _start(self, file_times: dict[str, FileTime]) -> None:
        self.store = Store(self._people, self._nested_levels, file_times)
        self._plain_lists: list[PlainList] = []
        self.catalogue: list[Record] = []
        self.unknown: Counter[str] = Counter()
        self.notes: list[str] = []

    def read(self, inventory: Inventory, is_first_load: bool, zone: ZoneInfo) -> None:
        """Read all dumps and backups of a run.

        Large lists are read in bulk if the run has no other kind of file, no stored row can outrank
        their records, and no record occurs twice.

        Args:
            inventory: the files of the run.
            is_first_load: whether no stories and activities are stored.
            zone: the time zone of timestamps in file names.
        """
        files = inventory.files.get("json", [])
        backups = inventory.files.get("sqlite", [])
        histories = inventory.files.get("history_csv", [])
        times = file_times([*files, *backups, *histories], zone)
        self._start(times)
        earlier = list(self._rejections)
        in_bulk: dict[ArchiveFile, _InBulk] = {}
        if is_first_load and inventory.files.keys() <= {"json"}:
            found = ((file, self._in_bulk(file)) for file in files)
            in_bulk = {file: each for file, each in found if each}
        self._read_each(inventory, [file for file in files if file not in in_bulk])
        for file, each in in_bulk.items():
            self._read_values(file, each.others, each.lists)
            self._plain_lists += each.lists
        if any(map(self._is_any_read_twice, ("stories", "activity"))):
            self._rejections.restore(earlier)
            self._start(times)
            self._read_each(inventory, files)
        for file in backups:
            try:
                self._read_sqlite(file)
            except FileRefused as refused:
                inventory.refuse(file, refused)
        self.store.combine()

    def plain_rows(self, table: str) -> Iterator[pa.Table]:
        """Rows of a raw table that were read in bulk; the store has none of them."""
        for plain in self._plain_lists:
            if plain.table.name == table:
                yield from plain.rows()

    def _in_bulk(self, file: ArchiveFile) -> _InBulk | None:
        """Read the large lists of a file in bulk; None if there are none."""
        origin = Origin(_SOURCE, file.name)
        try:
            if not is_large(file):
                return None
            if has_json_lines(file):
                with file.open() as stream:
                    plain = read_plain_list(chunks(stream), origin, self._nested_levels)
                return _InBulk(plain.others, [plain]) if plain else None
            value = read_large(file, parse_value)
        except FileRefused:
            return None  # it is refused when it is read record by record
        plain_lists = list(self._plain_lists_in(large_lists(value), origin))
        return _InBulk([(Place(None, 1), value)], plain_lists) if plain_lists else None

    def _plain_lists_in(self, large: Iterable[LargeList], origin: Origin) -> Iterator[PlainList]:
        for each in large:
            plain = read_plain_list(each.chunks(), origin, self._nested_levels)
            if plain:
                each.others = [(place.number or 0, record) for place, record in plain.others]
                yield plain
            else:
                yield from self._plain_lists_in(each.inner_lists(), origin)

    def _is_any_read_twice(self, table: str) -> bool:
        """Whether a record, or a part of one, was read in bulk and in another place as well."""
        lists = [each for each in self._plain_lists if each.table.name == table]
        ids = np.concatenate([np.empty(0, np.int64), *(each.ids for each in lists)])
        others = numbers_of(TABLES[table], (key for (key,) in self.store.tables[table]))
        has_parts = bool(lists) and table == "stories" and self.store.has_parts
        return has_parts or not are_distinct(ids) or bool(np.isin(others, ids).any())

    def _read_each(self, inventory: Inventory, files: Iterable[ArchiveFile]) -> None:
        for file in files:
            try:
                if not self._read_values(file, read_values(file)):
                    self.notes.append(f"{file.name}: is JSON without Tracker data")
            except FileRefused as refused:
                inventory.refuse(file, refused)

    def _read_values(
        self,
        file: ArchiveFile,
        values: Iterable[tuple[Place, object]],
        plain: Sequence[PlainList] = (),
    ) -> bool:
        """Read the values of a JSON file, each with its place; False if it has no Tracker data.

        Args:
            file: the file.
            values: its values, or those that were not read in bulk.
            plain: the lists that were read in bulk.
        """
        walk, already = Walk(stream=stream_of(file)), self._rejections.total
        projects_read: dict[int, datetime] = {}
        self.store.newest = None
        counted = sum(each.rows_count for each in plain)
        for each in plain:
            self.store.add_related(each, Origin(_SOURCE, file.name))
        for place, value in values:
            if isinstance(value, RowRefused):
                self._add(file, place, Refused(value))
                continue
            for found in walk.records(value):
                if not self._add(file, place, found, walk.recorded_at):
                    continue
                assert isinstance(found, Found)
                counted += 1
                project_id = found.record.get("id" if found.table == "projects" else "project_id")
                if walk.recorded_at and isinstance(project_id, int):
                    known = projects_read.get(project_id, walk.recorded_at)
                    projects_read[project_id] = max(known, walk.recorded_at)
        rejected = self._rejections.total - already
        if not (counted or rejected or walk.unknown or walk.answers_count):
            return False
        self.unknown += walk.unknown
        self._catalogue(file, "json", counted, rejected, walk.last_recorded_at, projects_read)
        return True

    def _read_sqlite(self, file: ArchiveFile) -> None:
        """Read a SQLite backup.

        Raises:
            FileRefused: if it was not made by a known backup tool.
        """
        self.store.newest = None
        already = self._rejections.total
        counted = sum(self._add(file, Place(None, None), found) for found in read_backup(file))
        self._catalogue(file, "sqlite", counted, self._rejections.total - already, None, {})

    def _add(
        self,
        file: ArchiveFile,
        place: Place,
        found: Found | Refused,
        recorded_at: datetime | None = None,
    ) -> bool:
        """Add a record to the store; False if it is refused."""
        table, number = None, found.number or place.number
        try:
            if isinstance(found, Refused):
                raise found.error
            table = found.table
            origin = Origin(_SOURCE, file.name, place.line, number=number)
            self.store.add(table, found.record, origin, recorded_at)
        except RowRefused as refused:
            rejection = Rejection.of_row(file.name, place.line, refused, table, number)
            self._rejections.append(rejection)
            return False
        return True

    def finish(self) -> None:
        """Refuse the parts of stories that are in no file; call this after reading CSV files."""
        for refused, origin in self.store.orphans():
            self._rejections.append(
                Rejection.of_row(
                    origin.source_file, origin.source_line, refused, record=origin.number
                )
            )

    def _catalogue(
        self,
        file: ArchiveFile,
        kind: str,
        counted: int,
        rejected: int,
        recorded_at: datetime | None,
        projects_read: dict[int, datetime],
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
                    for project_id, read_at in projects_read.items()
                ],
            }
        )
