"""Records of JSON files and backups, one per key: the newer version of a record wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from ingest.archive.errors import RowRefused
from ingest.archive.files.chronology import FileTime
from ingest.archive.json.kinds import PARTS, is_stub
from ingest.archive.json.plain_files import PlainFile
from ingest.archive.project.evidence import RELEASE_FIELDS, SourcedRecord
from ingest.archive.project.people import People
from ingest.archive.versions import NEVER, Version, clock_of, version_of, with_iso_instants
from ingest.records import (
    DEEPEST,
    TOO_DEEP,
    Origin,
    Record,
    history_day_records,
    is_too_deep,
    shape,
    shown,
)
from ingest.tables import TABLES, Table

_STORY_LISTS = ("comments", "tasks", "blockers", "reviews", "transitions", "pull_requests",
                "branches", "owners")  # fmt: skip
# Records whose fields do not go away: what one version was not asked for, the other tells.
_FILLED_UP = frozenset(
    {"projects", "people", "labels", "epics", "iterations", "memberships", "me", "accounts"}
)
# What a record must say to have a place in its table.
_NEEDED = {
    name: (*table.key, *filter(None, [table.scope]), *(["project_id"] if name == "stories" else []))
    for name, table in TABLES.items()
}
# Tables whose rows are made of what is nested in a record.
_NESTING = frozenset({"activity", "memberships", "epics", "iterations"})
_ONE = {"stories": "story", "epics": "epic"}
_NAMING = frozenset(
    {"person", "performed_by", "requested_by", "owned_by", "owners", "followers"}
)  # fields that hold persons

Key = tuple[Any, ...]


class Store:
    """What JSON files and backups tell, by raw table and key.

    Attributes:
        tables: table -> key -> record and origin.
        newest: the newest instant in any record.
        file_times: when each file was made, by its name.
    """

    def __init__(self, people: People) -> None:
        """Hold nothing yet.

        Args:
            people: learns of everybody who is named with an id.
        """
        self.tables: dict[str, dict[tuple[Any, ...], SourcedRecord]] = defaultdict(dict)
        self.newest: datetime | None = None
        self.file_times: dict[str, FileTime] = {}
        self._people = people
        self._parts: dict[tuple[str, int], dict[str, dict[int, SourcedRecord]]] = {}
        self._project_names: dict[int, tuple[tuple[Version, str, int], SourcedRecord]] = {}
        self._projects_of_plain_files: dict[int, SourcedRecord] = {}
        self._recorded_at: datetime | None = None
        # table -> key -> the version that the stored record is of
        self._versions: dict[str, dict[Key, Version]] = defaultdict(dict)
        # table -> key -> fields that an older version gave -> that version
        self._older_fields: dict[str, dict[Key, dict[str, Version]]] = defaultdict(dict)

    def add(
        self, table: str, record: Record, origin: Origin, recorded_at: datetime | None = None
    ) -> None:
        """Take in one record.

        Args:
            table: the raw table, or the kind of part.
            record: as the API gives it.
            origin: where it was read from.
            recorded_at: when it was read from the API; it tells two equally old versions apart.

        Raises:
            RowRefused: when it lacks what identifies it.
        """
        try:
            self._take_in(table, record, origin, recorded_at)
        except RecursionError:
            raise RowRefused(None, _shown_id(record), "nested too deeply") from None
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"not shaped as a record of {table} ({type(error).__name__}: {error})"
            raise RowRefused(None, _shown_id(record), reason) from None

    def _take_in(
        self, table: str, record: Record, origin: Origin, recorded_at: datetime | None
    ) -> None:
        record = with_iso_instants(record)
        if table in _NESTING:
            shape(table, record)
        self._recorded_at = recorded_at
        clock = clock_of(record)
        if clock > (self.newest or NEVER):
            self.newest = clock
        self._note_people(table, record)
        if table in PARTS:
            self._add_part(table, record, origin)
        elif table == "history_days":
            if not isinstance(record.get("header"), list):
                raise RowRefused("header", None, "a history without the names of its columns")
            for each in history_day_records(record, _project_of(record)):
                self._put(table, each, origin)
        elif table == "people":
            self._put(table, record, origin)
        else:
            self._put(table, self._prepared(table, record, origin), origin)

    def note_plain(self, plain: PlainFile, origin: Origin) -> None:
        """Take note of what plain records, which are not taken in, tell of other records.

        Args:
            plain: the plain records of one file.
            origin: the file.
        """
        self.newest = plain.newest
        self._recorded_at = None
        for project_id in plain.project_ids:
            told = ({"id": project_id}, origin)
            self._projects_of_plain_files.setdefault(project_id, told)
        if plain.table.name == "activity":
            for person in plain.performers():
                self._people.add_record(person)
            for line, activity in plain.named_projects:
                self._note_project_name(activity, origin._replace(source_line=line))
            return
        for line, carrier in plain.carriers_of_labels():
            for label in carrier["labels"]:
                self._add_label(label, carrier, origin._replace(source_line=line))
        for line, story in plain.with_attachments():
            self._catalogue_attachments(story, origin._replace(source_line=line))

    def settle(self) -> None:
        """Put the parts into their stories and epics, once all files have been read."""
        for (table, identity), lists in list(self._parts.items()):
            told = self.tables[table].get((identity,))
            if told:
                self.tables[table][identity,] = (with_parts(told[0], lists), told[1])
                del self._parts[table, identity]
        self._name_labels()
        for story, origin in list(self.rows("stories")):
            if "comments" in story:
                self._catalogue_attachments(story, origin)
            if story.get("story_type") == "release":
                release = {name: story[name] for name in RELEASE_FIELDS if name in story}
                self.tables["releases"].setdefault((story["id"],), (release, origin))
        for project_id, (_, told) in self._project_names.items():
            self.tables["projects"].setdefault((project_id,), told)
        self._add_unnamed_projects()

    def _name_labels(self) -> None:
        """Stories that were read with the ids of their labels alone have the labels themselves."""
        for key, (story, origin) in list(self.tables["stories"].items()):
            if "labels" not in story and isinstance(story.get("label_ids"), list):
                ids = filter(None, map(_whole_number, story["label_ids"]))
                known = ((each, self.tables["labels"].get((each,))) for each in ids)
                labels = [told[0] if told else {"id": each} for each, told in known]
                story = {**_without(story, "label_ids"), "labels": labels}
                self.tables["stories"][key] = (story, origin)

    def _add_unnamed_projects(self) -> None:
        """A project that no file describes has a row all the same, with its id alone."""
        projects = self.tables["projects"]
        for key, told in self._projects_of_plain_files.items():
            projects.setdefault((key,), told)
        for table in ("stories", "epics", "labels", "releases", "iterations", "activity"):
            for record, origin in self.rows(table):
                project_id = _whole_number(record.get("project_id"))
                if project_id is not None and (project_id,) not in projects:
                    projects[project_id,] = ({"id": project_id}, origin)

    @property
    def has_parts(self) -> bool:
        """Whether there are parts of stories or epics that no JSON file holds itself."""
        return bool(self._parts)

    def orphans(self) -> list[tuple[RowRefused, Origin]]:
        """Parts of stories and epics that no file holds."""
        return [
            (
                RowRefused(
                    None, f"{name} {part_id}", f"its {_ONE[table]} {identity} is in no file"
                ),
                told[1],
            )
            for (table, identity), lists in self._parts.items()
            for name, parts in lists.items()
            for part_id, told in parts.items()
        ]

    def parts_of(self, story_id: int) -> dict[str, dict[int, SourcedRecord]]:
        """Take the parts of a story that no JSON file holds itself."""
        return self._parts.pop(("stories", story_id), {})

    def rows(self, table: str) -> Iterator[SourcedRecord]:
        """The records of a raw table."""
        yield from self.tables.get(table, {}).values()

    def forget(self, table: str) -> None:
        """Let go of the records of a table that has been given."""
        self.tables.pop(table, None)
        self._versions.pop(table, None)
        self._older_fields.pop(table, None)

    def _prepared(self, table: str, record: Record, origin: Origin) -> Record:
        if table == "activity" and not record.get("guid"):
            parts = _id_in(record.get("project")), _whole_number(record.get("project_version"))
            if None in parts:
                reason = "an activity without guid, or project and version in its place"
                raise RowRefused("guid", _shown_id(record), reason)
            record = {**record, "guid": "{}_{}".format(*parts)}
        if table == "stories":
            record = _with_ids(record)
        self._note_project_name(record, origin)
        if table in ("stories", "epics"):
            for label in (*_listed(record.get("labels")), record.get("label")):
                self._add_label(label, record, origin)
        return record

    def _note_project_name(self, record: Record, origin: Origin) -> None:
        """What the newest record that names its project calls it."""
        project = record.get("project")
        if (project_id := _id_in(project)) is not None and project and "name" in project:
            named = ({"id": project_id, "name": project["name"]}, origin)
            # Plain records come after the others of their file: their order decides nothing.
            rank = (self._version(record, origin), str(project["name"]), origin.source_line or 0)
            known = self._project_names.get(project_id)
            if known is None or rank >= known[0]:
                self._project_names[project_id] = (rank, named)

    def _add_label(self, label: object, carrier: Record, origin: Origin) -> None:
        """A label that a story or an epic carries; most are known from the one before.

        One that is told in part, or can be no row of its own, is passed over: its carrier keeps it.
        """
        if not (isinstance(label, dict) and "created_at" in label):
            return
        if not isinstance(label.get("id"), int | str):
            return
        held = self.tables["labels"].get((label["id"],))
        if held is None or held[0].get("updated_at") != label.get("updated_at"):
            project_id = carrier.get("project_id")
            with suppress(RowRefused):
                self.add("labels", {"project_id": project_id, **label}, origin, self._recorded_at)

    def _version(self, record: Record, origin: Origin) -> Version:
        time = self.file_times.get(origin.source_file, FileTime(NEVER, 0))
        read_at = self._recorded_at or time.at
        return version_of(record, origin.record_source, read_at, time.place)

    def _put(self, table: str, record: Record, origin: Origin) -> None:
        declared, stored_rows = TABLES[table], self.tables[table]
        needed: dict[str, Any] = {}
        for name in _NEEDED[table]:
            value = record.get(name)
            if value is not None:
                needed[name] = _key_part(declared, name, value)
            elif name != "project_id" or (record.get("id"),) not in stored_rows:
                raise RowRefused(name, _shown_id(record), f"a record of {table} without it")
        key = tuple([needed[name] for name in declared.key])
        if any(record[name] is not value for name, value in needed.items()):
            record = {**record, **needed}  # a number that was written as text
        version = self._version(record, origin)
        if key in stored_rows:
            self._merge(table, key, (record, origin), version)
        else:
            stored_rows[key] = (record, origin)
            self._versions[table][key] = version

    def _merge(self, table: str, key: Key, told: SourcedRecord, version: Version) -> None:
        """Make one record of two versions: the newer, with the lists that only the other has.

        A stub (a story that is only referred to) never replaces a story. The order in which the
        versions come makes no difference: each list that the newest lacks is that of the newest
        version that has it.
        """
        stored, stored_version = self.tables[table][key], self._versions[table][key]
        given = self._older_fields[table].get(key, {})
        are_stubs = [table == "stories" and is_stub(record) for record, _ in (stored, told)]
        is_newer = version >= stored_version
        if are_stubs[0] != are_stubs[1]:
            is_newer = are_stubs[0]
        kept: Record = {}
        if is_newer:
            record, origin = told
            for name in _fields_to_keep(table, stored[0], is_stub=all(are_stubs)):
                if name not in record:
                    kept[name] = stored[0][name]
            given = {name: given.get(name, stored_version) for name in kept}
            self._versions[table][key] = version
        else:
            record, origin = stored
            for name in _fields_to_keep(table, told[0], is_stub=all(are_stubs)):
                if name not in record or (name in given and version >= given[name]):
                    kept[name] = told[0][name]
            given = {**given, **dict.fromkeys(kept, version)}
        self.tables[table][key] = ({**record, **kept}, origin) if kept else (record, origin)
        if given:
            self._older_fields[table][key] = given
        else:
            self._older_fields[table].pop(key, None)

    def _add_part(self, table: str, record: Record, origin: Origin) -> None:
        owner = "epics" if record.get("epic_id") else "stories"
        identity = _whole_number(record.get("epic_id") or record.get("story_id"))
        if identity is None:
            raise RowRefused("story_id", _shown_id(record), f"one of {table} without a story")
        if _whole_number(record.get("id")) is None:
            raise RowRefused("id", _shown_id(record), f"one of {table} without a usable id")
        if is_too_deep(record, DEEPEST - 1):  # it is to stand in a list of its story
            raise RowRefused(None, _shown_id(record), TOO_DEEP)
        record = {**record, "id": _whole_number(record["id"])}
        parts = self._parts.setdefault((owner, identity), {}).setdefault(table, {})
        stored, key = parts.get(record["id"]), (record["id"],)
        version, versions = self._version(record, origin), self._versions[table]
        if stored is not None:
            is_newer = version >= versions[key]
            record = {**stored[0], **record} if is_newer else {**record, **stored[0]}
        versions[key] = max(version, versions.get(key, version))
        parts[record["id"]] = (record, origin)

    def _catalogue_attachments(self, story: Record, origin: Origin) -> None:
        for comment in _listed(story.get("comments")):
            files = comment.get("file_attachments") if isinstance(comment, dict) else None
            for file in _listed(files):
                if isinstance(file, dict) and "id" in file:
                    record = {
                        "attachment_id": str(file["id"]),
                        "project_id": story.get("project_id"),
                        "story_id": story["id"],
                        "comment_id": comment.get("id"),
                        "file_name": file.get("filename"),
                        "content_type": file.get("content_type"),
                        "bytes": file.get("size"),
                        "created_at": file.get("created_at"),
                    }
                    self.tables["attachments"][record["attachment_id"],] = (record, origin)

    def _note_people(self, table: str, record: Record) -> None:
        know = self._people.add_record
        if table in ("people", "me"):
            know(record)
        if _NAMING.isdisjoint(record):
            return
        for name in ("person", "performed_by", "requested_by", "owned_by"):
            if isinstance(record.get(name), dict):
                know(record[name])
        for name in ("owners", "followers"):
            for each in _listed(record.get(name)):
                if isinstance(each, dict):
                    know(each)


def _fields_to_keep(table: str, record: Record, is_stub: bool) -> list[str]:
    """The fields of an older version that stay where a newer one was not asked for them."""
    if table in _FILLED_UP or is_stub:
        return list(record)
    return [name for name in (*_STORY_LISTS, "label_id", "project_id") if name in record]


def with_parts(record: Record, lists: dict[str, dict[int, SourcedRecord]]) -> Record:
    """A story or an epic with parts that came apart from it."""
    changed = dict(record)
    for name, parts in lists.items():
        known = {
            each["id"]: each
            for each in _listed(record.get(name))
            if isinstance(each, dict) and isinstance(each.get("id"), int) and each["id"] > 0
        }
        for identity, (part, _) in parts.items():
            held = known.get(identity)
            is_newer = held is None or clock_of(part) >= clock_of(held)
            known[identity] = {**(held or {}), **part} if is_newer else {**part, **(held or {})}
        changed[name] = list(known.values())
    return changed


def _without(record: Record, name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}


def _listed(value: object) -> list[Any]:
    """A list, when it is one."""
    return value if isinstance(value, list) else []


def _with_ids(record: Record) -> Record:
    """A story whose people are ids, whether it named them or nested them."""
    if record.get("owner_ids") is not None and _NAMING.isdisjoint(record):
        return record
    changed = dict(record)
    for nested, flat in (("requested_by", "requested_by_id"), ("owned_by", "owned_by_id")):
        person = changed.get(nested)
        if isinstance(person, dict):
            changed.setdefault(flat, person.get("id"))
            del changed[nested]
    owners = changed.get("owners")
    if isinstance(owners, list) and changed.get("owner_ids") is None:
        ids = [each.get("id") for each in owners if isinstance(each, dict)]
        changed["owner_ids"] = [each for each in ids if each is not None]
    if changed.get("owner_ids") is None and isinstance(changed.get("owned_by_id"), int):
        changed["owner_ids"] = [changed["owned_by_id"]]
    return changed


def _shown_id(record: Record) -> str:
    return shown(record.get("id")) or ""


def _whole_number(value: object) -> int | None:
    """A number of 64 bits, also where it is written as text; None for anything else."""
    if type(value) is int and abs(value) < 1 << 63:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return None


def _id_in(value: object) -> int | None:
    """The id of an object; None when it is no object or has no usable id."""
    return _whole_number(value.get("id")) if isinstance(value, dict) else None


def _project_of(record: Record) -> int:
    project_id = _whole_number(record.get("project_id"))
    if project_id is None:
        raise RowRefused("project_id", None, "a record of history_days without it")
    return project_id


def _key_part(table: Table, name: str, value: object) -> object:
    """One part of a key, where a row can have it.

    Raises:
        RowRefused: when it cannot.
    """
    if table.columns[name] == "bigint":
        number = _whole_number(value)
        if number is not None:
            return number
    elif isinstance(value, str):
        return value
    raise RowRefused(name, shown(value), f"a record of {table.name} without a usable key")
