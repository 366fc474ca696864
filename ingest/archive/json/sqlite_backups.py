"""The SQLite files of two public backup tools become records as the API gives them.

storyexporter (TanookiLabs) and pivotal-tracker-dump (GUI): tables project, person, label, epic,
story, story_label, story_owner, comment or story_comment, blocker, file_attachment. Columns are
taken by name, so that their older versions load too.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing

from ingest.archive.errors import FileRefused
from ingest.archive.files.archive_file import ArchiveFile, read_whole
from ingest.archive.json.walk import Found
from ingest.archive.project.people import stable_id
from ingest.records import Record

_LARGEST = 4 << 30
_PLAIN = {"project": "projects", "person": "people", "label": "labels"}
_PARTS = {"comment": "comments", "story_comment": "comments", "blocker": "blockers",
          "task": "tasks", "review": "reviews"}  # fmt: skip


def read_backup(file: ArchiveFile) -> Iterator[Found]:
    """Every record of a backup; attachments without their content.

    Raises:
        FileRefused: when it is damaged, or no tool that is known made it.
    """
    try:
        with closing(_connect(file)) as connection:
            names = _tables(connection)
            if not {"project", "story"} <= names:
                shown = ", ".join(sorted(names)[:6]) or "none"
                raise FileRefused(f"is an SQLite file of no known backup tool (tables: {shown})")
            yield from _records(connection, names)
    except sqlite3.Error as error:
        raise FileRefused(f"is a damaged SQLite file: {error}") from None


def _connect(file: ArchiveFile) -> sqlite3.Connection:
    if file.member is None and file.path.suffix != ".gz":
        address = file.path.resolve().as_uri() + "?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True)
    else:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(read_whole(file, _LARGEST))
    connection.row_factory = sqlite3.Row
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("select name from sqlite_master where type = 'table'")
    return {name for (name,) in rows}


def _rows(connection: sqlite3.Connection, table: str, order: str = "rowid") -> Iterator[Record]:
    for row in connection.execute(f'select * from "{table}" order by {order}'):
        yield {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118


def _records(connection: sqlite3.Connection, names: set[str]) -> Iterator[Found]:
    labels: dict[int, Record] = {}
    for name, table in _PLAIN.items():
        for record in _rows(connection, name) if name in names else ():
            if name == "label":
                labels[record["id"]] = record
            yield Found(table, record)
    for record in _rows(connection, "epic") if "epic" in names else ():
        label = labels.get(record.get("label_id", 0))
        yield Found("epics", {**record, "label": label} if label else record)
    yield from _stories(connection, names, labels)
    for name, table in _PARTS.items():
        for record in _rows(connection, name) if name in names else ():
            yield Found(table, record)
    if "file_attachment" in names:
        yield from _attachments(connection, names)


def _stories(
    connection: sqlite3.Connection, names: set[str], labels: dict[int, Record]
) -> Iterator[Found]:
    label_ids: dict[int, list[int]] = defaultdict(list)
    owner_ids: dict[int, list[int]] = defaultdict(list)
    for record in _rows(connection, "story_label") if "story_label" in names else ():
        label_ids[record["story_id"]].append(record["label_id"])
    for record in _rows(connection, "story_owner") if "story_owner" in names else ():
        owner_ids[record["story_id"]].append(record.get("person_id") or record.get("owner_id"))
    for record in _rows(connection, "story"):
        carried = [labels.get(each, {"id": each}) for each in label_ids[record["id"]]]
        story = {**record, "labels": carried}
        if "story_owner" in names:
            story["owner_ids"] = owner_ids[record["id"]]
        yield Found("stories", story)


def _attachments(connection: sqlite3.Connection, names: set[str]) -> Iterator[Found]:
    story_of = {
        record["id"]: record.get("story_id")
        for name in ("comment", "story_comment")
        if name in names
        for record in _rows(connection, name)
    }
    for record in _rows(connection, "file_attachment"):
        attachment = {
            "attachment_id": str(-stable_id("file_attachment", record["id"])),
            "story_id": story_of.get(record.get("comment_id")),
            "comment_id": record.get("comment_id"),
            "file_name": record.get("filename"),
            "content_type": record.get("content_type"),
            "bytes": record.get("size"),
            "created_at": record.get("created_at"),
        }
        yield Found("attachments", {name: each for name, each in attachment.items() if each})
