"""Read SQLite files as records in the form of the API.

They are the files of two public backup tools, or have the API's lists as tables. The tools are
storyexporter (TanookiLabs) and pivotal-tracker-dump (GUI). Their tables are project, person, label,
epic, story, story_label, story_owner, comment or story_comment, blocker and file_attachment.
Columns are found by name, so files of older versions can be read too.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing

from ingest.archive.errors import FileRefused, RowRefused
from ingest.archive.files.archive_file import ArchiveFile, read_whole
from ingest.archive.json.loader_output import as_record, table_of_stream
from ingest.archive.json.walk import Found, Refused
from ingest.records import Record, stable_id

_LARGEST = 4 << 30
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
            elif backup.has_stories_of_api():
                yield from backup.records_of_api()
            else:
                known = ", ".join(sorted(names)[:6]) or "none"
                raise FileRefused(f"is an SQLite file of no known backup tool (tables: {known})")
    except sqlite3.Error as error:
        raise FileRefused(f"is a damaged SQLite file: {error}") from None


def _connect(file: ArchiveFile) -> sqlite3.Connection:
    if file.is_plain:
        address = file.path.resolve().as_uri() + "?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True)
    else:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(read_whole(file, _LARGEST))
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda content: content.decode(errors="replace")
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("select name from sqlite_master where type = 'table'")
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

    def has_stories_of_api(self) -> bool:
        """Whether there is a table of stories with the API's columns."""
        return set(self._columns("stories")) >= {"id", "project_id", "current_state"}

    def records_of_api(self) -> Iterator[Found | Refused]:
        """The rows of the tables that have the names of the API's lists."""
        for name in sorted(self._names):
            if table := table_of_stream(name.lower()):
                for number, record in enumerate(self._rows(name), 1):
                    yield Found(table, as_record(record), number)
        yield from self._refused.values()

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
