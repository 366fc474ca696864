"""Read SQLite files as records in the form of the API.

They are the files of two public backup tools, or have the API's records in any table, as columns or
as JSON. The tools are storyexporter (TanookiLabs) and pivotal-tracker-dump (GUI). Their tables are
project, person, label, epic, story, story_label, story_owner, comment or story_comment, blocker and
file_attachment. Columns are found by name, so files of older versions can be read too.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile, read_whole
from ingest.archive.json.loader_output import as_record, table_of_stream
from ingest.archive.json.walk import Found, Refused, Walk
from ingest.records import Record, stable_id

_LARGEST = 4 << 30
_STORY_COLUMNS = {"id", "project_id", "current_state"}
_EXPECTED = ("stories", "activity")
_LOOKED_AT = 100  # rows of each table that show whether it has records of the API
_PLAIN = {"project": "projects", "person": "people", "label": "labels"}
_PARTS = {"comment": "comments", "story_comment": "comments", "blocker": "blockers",
          "task": "tasks", "review": "reviews"}  # fmt: skip


def read_backup(file: ArchiveFile) -> Iterator[Found | Refused]:
    """Read all records of a backup, each with its position in its table.

    Attachments are read without their content. For a damaged table, the readable rows are returned,
    and the first unreadable row is refused.

    Raises:
        FileRefused: if no table can be read, or the file was not made by a known backup tool.
    """
    try:
        with closing(_connect(file)) as connection:
            names = _tables(connection)
            backup = _Backup(connection, names)
            if {"project", "story"} <= names:
                yield from backup.records()
            elif backup.has_records_of_api():
                yield from backup.records_of_api()
            else:
                known = ", ".join(sorted(names)[:6]) or "none"
                raise FileRefused(f"is an SQLite file of no known backup tool (tables: {known})")
    except sqlite3.Error as error:
        raise FileRefused(f"is a damaged SQLite file: {error}") from None


def _connect(file: ArchiveFile) -> sqlite3.Connection:
    log = file.path.with_name(f"{file.path.name}-wal")
    if file.is_plain and log.exists():  # the newest changes are only there
        connection = sqlite3.connect(":memory:")
        with TemporaryDirectory() as folder:
            for each in (file.path, log):
                shutil.copy(each, folder)
            with closing(sqlite3.connect(Path(folder) / file.path.name)) as copied:
                copied.backup(connection)
    elif file.is_plain:
        address = file.path.resolve().as_uri() + "?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True)
    else:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(read_whole(file, _LARGEST))
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda content: content.decode(errors="replace")
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("select name from sqlite_master where type in ('table', 'view')")
    return {name for (name,) in rows}


class _Backup:
    """The tables of a backup."""

    def __init__(self, connection: sqlite3.Connection, names: set[str]) -> None:
        self._connection = connection
        self._names = names
        self._refused: dict[str, Refused] = {}

    def records(self) -> Iterator[Found | Refused]:
        labels: dict[object, Record] = {}
        for name, table in _PLAIN.items():
            for number, record in enumerate(self._rows(name), 1):
                if name == "label":
                    labels[record.get("id")] = record
                yield Found(table, record, number)
        for number, record in enumerate(self._rows("epic"), 1):
            label = labels.get(record.get("label_id"))
            yield Found("epics", {**record, "label": label} if label else record, number)
        yield from self._stories(labels)
        for name, table in _PARTS.items():
            for number, record in enumerate(self._rows(name), 1):
                yield Found(table, record, number)
        yield from self._attachments()
        yield from self._refused.values()

    def has_records_of_api(self) -> bool:
        """Whether the columns or the first rows of a table are those of stories or activities."""
        if any(set(self._columns(name)) >= _STORY_COLUMNS for name in self._names):
            return True
        firsts = (found for name in self._names for found in self._records_in(name, _LOOKED_AT))
        return any(isinstance(each, Found) and each.table in _EXPECTED for each in firsts)

    def records_of_api(self) -> Iterator[Found | Refused]:
        """The records in the rows of all tables."""
        for name in sorted(self._names):
            yield from self._records_in(name)
        yield from self._refused.values()

    def _records_in(self, name: str, count: int | None = None) -> Iterator[Found | Refused]:
        """The records in the rows of a table; a row may be one, or contain one as JSON."""
        table = table_of_stream(name.lower())
        for number, row in enumerate(islice(self._rows(name), count), 1):
            record = as_record(row)
            found = list(Walk().records(record))
            if table and not found:
                found = [Found(table, record)]
            yield from (each._replace(number=number) for each in found)

    def _columns(self, table: str) -> list[str]:
        """The names of the columns that `select *` returns, including generated ones."""
        columns = self._connection.execute(f'pragma table_xinfo("{table}")')
        return [each["name"] for each in columns if each["hidden"] != 1]

    def _rows(self, table: str) -> Iterator[Record]:
        """The rows of a table in the order of insertion, without null values."""
        if table not in self._names:
            return
        count = 0
        try:
            # Python fails on a column name that is not UTF-8, so the columns are named here.
            listed = ", ".join('"' + name.replace('"', '""') + '"' for name in self._columns(table))
            named = f'with named ({listed}) as (select * from "{table}"'
            try:
                rows = self._connection.execute(f"{named} order by rowid) select * from named")
            except sqlite3.OperationalError:  # it may have no rowid
                rows = self._connection.execute(f"{named}) select * from named")
            for row in rows:
                count += 1
                yield {
                    name: value.decode(errors="replace") if isinstance(value, bytes) else value
                    for name, value in zip(row.keys(), row, strict=True)
                    if value is not None
                }
        except sqlite3.Error as error:
            reason = f"the table is damaged, and the rest of it was not read: {error}"
            self._refused[table] = Refused(RowRefused(table, None, reason), count + 1)

    def _stories(self, labels: dict[object, Record]) -> Iterator[Found]:
        label_ids: dict[object, list[object]] = defaultdict(list)
        owner_ids: dict[object, list[object]] = defaultdict(list)
        for record in self._rows("story_label"):
            label_ids[record.get("story_id")].append(record.get("label_id"))
        for record in self._rows("story_owner"):
            owner = record.get("person_id") or record.get("owner_id")
            owner_ids[record.get("story_id")].append(owner)
        for number, record in enumerate(self._rows("story"), 1):
            identity = record.get("id")
            its_labels = [labels.get(each, {"id": each}) for each in label_ids[identity] if each]
            story = {**record, "labels": its_labels}
            if "story_owner" in self._names:
                story["owner_ids"] = [each for each in owner_ids[identity] if each]
            yield Found("stories", story, number)

    def _attachments(self) -> Iterator[Found]:
        if "file_attachment" not in self._names:
            return
        story_of = {
            record.get("id"): record.get("story_id")
            for name in ("comment", "story_comment")
            for record in self._rows(name)
        }
        for number, record in enumerate(self._rows("file_attachment"), 1):
            if record.get("id") is None:
                continue
            attachment = {
                "attachment_id": str(-stable_id("file_attachment", record["id"])),
                "story_id": story_of.get(record.get("comment_id")),
                "comment_id": record.get("comment_id"),
                "file_name": record.get("filename"),
                "content_type": record.get("content_type"),
                "bytes": record.get("size"),
                "created_at": record.get("created_at"),
            }
            filled = {name: each for name, each in attachment.items() if each}
            yield Found("attachments", filled, number)
