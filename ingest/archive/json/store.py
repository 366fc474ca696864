"""Store the records of JSON files and backups, one per key; the newest version wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from ingest.archive.errors import RowRefused
from ingest.archive.files.chronology import FileTime
from ingest.archive.json.kinds import PARTS, is_stub
from ingest.archive.json.plain_lists import PlainList
from ingest.archive.json.records_on_disk import RecordsOnDisk
from ingest.archive.json.walk import without
from ingest.archive.project.evidence import RELEASE_FIELDS, SourcedRecord
from ingest.archive.project.people import People
from ingest.archive.versions import NEVER, Version, clock_of, version_of, with_iso_instants
from ingest.records import (
    Origin,
    Record,
    excerpt,
    history_day_records,
    is_too_deep,
    shape,
    too_deep,
    whole_number,
)
from ingest.tables import TABLES, Table

_STORY_LISTS = ("comments", "tasks", "blockers", "reviews", "transitions", "pull_requests",
                "branches", "owners")  # fmt: skip
# Tables whose records are completed with the fields of older versions: an API response contains
# only the requested fields, and these fields never disappear.
_COMPLETED = frozenset(
    {"projects", "people", "labels", "epics", "iterations", "memberships", "me", "accounts"}
)
# Tables whose records do not fit into memory.
_MANY = ("stories", "activity")
# The fields that a record must have.
_REQUIRED = {
    name: (*table.key, *filter(None, [table.scope]), *(["project_id"] if name == "stories" else []))
    for name, table in TABLES.items()
}
# Tables with columns that come from nested objects.
_NESTING = frozenset({"activity", "memberships", "epics", "iterations"})
_SINGULAR = {"stories": "story", "epics": "epic"}
_PERSON_FIELDS = ("person", "performed_by", "requested_by", "owned_by")
_PEOPLE_FIELDS = ("owners", "followers")

Key = tuple[Any, ...]


class Store:
    """The records of JSON files and backups, by raw table and key.

    Attributes:
        tables: table -> key -> record and origin.
        newest: the newest timestamp in any record since it was last set to None.
    """

    def __init__(self, people: People, nested_levels: int, file_times: dict[str, FileTime]) -> None:
        """Start empty.

        Args:
            people: receives everybody who is named with an id.
            nested_levels: the maximum number of nested levels, counting the record itself.
            file_times: when each file was made, by file name.
        """
        self.tables: dict[str, MutableMapping[Key, SourcedRecord]] = defaultdict(
            dict, {name: RecordsOnDisk() for name in _MANY}
        )
        self.newest: datetime | None = None
        self._file_times = file_times
        self._people = people
        self._nested_levels = nested_levels
        self._parts: dict[tuple[str, int], dict[str, dict[int, SourcedRecord]]] = {}
        self._project_names: dict[int, tuple[tuple[Version, str, int], SourcedRecord]] = {}
        self._projects_of_plain_lists: dict[int, SourcedRecord] = {}
        self._recorded_at: datetime | None = None
        # table -> key -> the version of the stored record, if that does not follow from the record
        self._versions: dict[str, dict[Key, Version]] = defaultdict(dict)
        # table -> key -> field that was taken from an older version -> that version
        self._older_fields: dict[str, dict[Key, dict[str, Version]]] = defaultdict(dict)

    def add(
        self, table: str, record: Record, origin: Origin, recorded_at: datetime | None = None
    ) -> None:
        """Add one record.

        Args:
            table: the raw table, or the kind of part.
            record: the record, in the form of the API.
            origin: where it was read from.
            recorded_at: when it was read from the API; decides between versions of the same age.

        Raises:
            RowRefused: if a required field is missing or invalid.
        """
        try:
            self._add(table, record, origin, recorded_at)
        except RecursionError:
            raise RowRefused(None, _id_text(record), too_deep(self._nested_levels)) from None
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"not a valid record of {table} ({type(error).__name__}: {error})"
            raise RowRefused(None, _id_text(record), reason) from None

    def _add(
        self, table: str, record: Record, origin: Origin, recorded_at: datetime | None
    ) -> None:
        record = with_iso_instants(record)
        if table in _NESTING:
            shape(table, record)
        self._recorded_at = recorded_at
        clock = clock_of(record)
        if clock > (self.newest or NEVER):
            self.newest = clock
        self._add_people(table, record)
        if table in PARTS:
            self._add_part(table, record, origin)
        elif table == "history_days":
            if not isinstance(record.get("header"), list):
                raise RowRefused("header", None, "a daily history without column names")
            project_id = _whole_number(record.get("project_id"))
            if project_id is None:
                raise RowRefused("project_id", None, "a daily history without a project id")
            for each in history_day_records(record, project_id):
                self._put(table, each, origin)
        elif table == "people":
            self._put(table, record, origin)
        else:
            self._put(table, self._prepared(table, record, origin), origin)

    def add_related(self, plain: PlainList, origin: Origin) -> None:
        """Add the labels, people, projects and attachments in records that were read in bulk.

        Args:
            plain: the records of one list.
            origin: the file.
        """
        self.newest = max(filter(None, (self.newest, plain.newest)), default=None)
        self._recorded_at = None
        for project_id in plain.project_ids:
            self._projects_of_plain_lists.setdefault(project_id, ({"id": project_id}, origin))
        if plain.table.name == "activity":
            for person in plain.performers():
                self._people.add_record(person)
            for line, activity in plain.named_projects:
                self._add_project_name(activity, origin._replace(source_line=line))
            return
        for line, story in plain.labelled_stories():
            for label in story["labels"]:
                self._add_label(label, story, origin._replace(source_line=line))
        for line, story in plain.stories_with_attachments():
            self._add_attachments(story, origin._replace(source_line=line))

    def combine(self) -> None:
        """Put parts into their stories and epics, after all files have been read.

        This also derives releases, attachments, and projects that no file describes.
        """
        for (table, identity), lists in list(self._parts.items()):
            if (identity,) in self.tables[table]:
                record, origin = self.tables[table][identity,]
                self.tables[table][identity,] = (with_parts(record, lists), origin)
                del self._parts[table, identity]
        stories = self.tables["stories"]
        for key, (story, origin) in stories.items():
            if "labels" not in story and isinstance(story.get("label_ids"), list):
                stories[key] = (self._with_labels(story), origin)
            self._add_attachments(story, origin)
            if story.get("story_type") == "release":
                release = {name: story[name] for name in RELEASE_FIELDS if name in story}
                self.tables["releases"].setdefault((story["id"],), (release, origin))
        for project_id, (_, project) in self._project_names.items():
            self.tables["projects"].setdefault((project_id,), project)
        self._add_unnamed_projects()

    def _with_labels(self, story: Record) -> Record:
        """A story that was read with only `label_ids`, with the labels themselves."""
        ids = filter(None, map(_whole_number, story["label_ids"]))
        known = ((each, self.tables["labels"].get((each,))) for each in ids)
        labels = [stored[0] if stored else {"id": each} for each, stored in known]
        return {**without(story, "label_ids"), "labels": labels}

    def _add_unnamed_projects(self) -> None:
        """Add a record with only an id for each project that no file describes."""
        projects = self.tables["projects"]
        for key, project in self._projects_of_plain_lists.items():
            projects.setdefault((key,), project)
        for table in ("stories", "epics", "labels", "releases", "iterations", "activity"):
            for record, origin in self.rows(table):
                shaped = shape(table, record) if table == "activity" else record
                project_id = _whole_number(shaped.get("project_id"))
                if project_id is not None and (project_id,) not in projects:
                    projects[project_id,] = ({"id": project_id}, origin)

    @property
    def has_parts(self) -> bool:
        """Whether there are parts whose story or epic is in no JSON file."""
        return bool(self._parts)

    def orphans(self) -> list[tuple[RowRefused, Origin]]:
        """Parts whose story or epic is in no file."""
        return [
            (RowRefused(None, f"{name} {part_id}", f"{_SINGULAR[table]} {owner} is in no file"), at)
            for (table, owner), lists in self._parts.items()
            for name, parts in lists.items()
            for part_id, (_, at) in parts.items()
        ]

    def take_parts(self, story_id: int) -> dict[str, dict[int, SourcedRecord]]:
        """Remove and return the parts of a story that is in no JSON file."""
        return self._parts.pop(("stories", story_id), {})

    def rows(self, table: str) -> Iterator[SourcedRecord]:
        """The records of a raw table."""
        yield from self.tables.get(table, {}).values()

    def forget(self, table: str) -> None:
        """Drop the records of a table that has been read, to free memory."""
        self.tables.pop(table, None)
        self._versions.pop(table, None)
        self._older_fields.pop(table, None)

    def _prepared(self, table: str, record: Record, origin: Origin) -> Record:
        if table == "activity" and not record.get("guid"):
            parts = _id_in(record.get("project")), _whole_number(record.get("project_version"))
            if None in parts:
                reason = "an activity without a guid, or project and version instead"
                raise RowRefused("guid", _id_text(record), reason)
            record = {**record, "guid": "{}_{}".format(*parts)}
        if table == "stories":
            record = _with_ids(record)
        self._add_project_name(record, origin)
        if table in ("stories", "epics"):
            for label in (*_listed(record.get("labels")), record.get("label")):
                self._add_label(label, record, origin)
        return record

    def _add_project_name(self, record: Record, origin: Origin) -> None:
        """Remember the project's name in the newest record that has it."""
        project = record.get("project")
        if (project_id := _id_in(project)) is not None and project and "name" in project:
            named = ({"id": project_id, "name": project["name"]}, origin)
            # Bulk reading changes the order of records, so the order must not matter.
            rank = (self._version(record, origin), str(project["name"]), origin.source_line or 0)
            known = self._project_names.get(project_id)
            if known is None or rank >= known[0]:
                self._project_names[project_id] = (rank, named)

    def _add_label(self, label: object, owner: Record, origin: Origin) -> None:
        """Add a label of a story or an epic, unless this version is already known.

        Incomplete and invalid labels are skipped; they remain in the record of their owner.
        """
        if not (isinstance(label, dict) and "created_at" in label):
            return
        if not isinstance(label.get("id"), int | str):
            return
        stored = self.tables["labels"].get((label["id"],))
        if stored is None or stored[0].get("updated_at") != label.get("updated_at"):
            label = {"project_id": owner.get("project_id"), **label}
            if label["project_id"] is None:
                return  # even if another version is stored, so that their order does not matter
            with suppress(RowRefused):
                self.add("labels", label, origin, self._recorded_at)

    def _version(self, record: Record, origin: Origin) -> Version:
        version = self._version_in_file(record, origin)
        return version._replace(read_at=self._recorded_at) if self._recorded_at else version

    def _version_in_file(self, record: Record, origin: Origin) -> Version:
        """The version of a record that does not say when it was read from the API."""
        time = self._file_times.get(origin.source_file, FileTime(NEVER, 0))
        return version_of(record, origin.record_source, time.at, time.place)

    def _put(self, table: str, record: Record, origin: Origin) -> None:
        declared, stored_rows = TABLES[table], self.tables[table]
        required: dict[str, Any] = {}
        for name in _REQUIRED[table]:
            value = record.get(name)
            if value is not None:
                required[name] = _key_part(declared, name, value)
            elif name != "project_id" or (record.get("id"),) not in stored_rows:
                raise RowRefused(name, _id_text(record), f"a record of {table} without it")
            else:
                record = without(record, name)  # a null must not replace the known project
        key = tuple([required[name] for name in declared.key])
        if any(record[name] is not value for name, value in required.items()):
            record = {**record, **required}  # a number that was written as text
        if key in stored_rows:
            self._merge(table, key, (record, origin), self._version(record, origin))
            return
        stored_rows[key] = (record, origin)
        if self._recorded_at or table not in _MANY:
            self._versions[table][key] = self._version(record, origin)

    def _merge(self, table: str, key: Key, other: SourcedRecord, version: Version) -> None:
        """Merge another version into the stored record.

        The newer version wins, completed with the lists that only older versions have. A stub (a
        mere reference to a story) never replaces a story. The result does not depend on the order
        of the versions.
        """
        stored = self.tables[table][key]
        stored_version = self._versions[table].get(key) or self._version_in_file(*stored)
        versions = self._older_fields[table].get(key, {})
        are_stubs = [table == "stories" and is_stub(record) for record, _ in (stored, other)]
        is_newer = version >= stored_version
        if are_stubs[0] != are_stubs[1]:
            is_newer = are_stubs[0]
        kept: Record = {}
        if is_newer:
            record, origin = other
            for name in _fields_to_keep(table, stored[0], is_stub=all(are_stubs)):
                if name not in record:
                    kept[name] = stored[0][name]
            versions = {name: versions.get(name, stored_version) for name in kept}
            self._versions[table][key] = version
        else:
            record, origin = stored
            for name in _fields_to_keep(table, other[0], is_stub=all(are_stubs)):
                if name not in record or (name in versions and version >= versions[name]):
                    kept[name] = other[0][name]
            versions = {**versions, **dict.fromkeys(kept, version)}
            self._versions[table][key] = stored_version
        self.tables[table][key] = ({**record, **kept}, origin) if kept else (record, origin)
        if versions:
            self._older_fields[table][key] = versions
        else:
            self._older_fields[table].pop(key, None)

    def _add_part(self, table: str, record: Record, origin: Origin) -> None:
        owner = "epics" if record.get("epic_id") else "stories"
        identity = _whole_number(record.get("epic_id") or record.get("story_id"))
        if identity is None:
            raise RowRefused("story_id", _id_text(record), f"a record of {table} without a story")
        part_id = _whole_number(record.get("id"))
        if part_id is None:
            raise RowRefused("id", _id_text(record), f"a record of {table} without a usable id")
        if is_too_deep([record], self._nested_levels):  # it will be in a list of its story
            raise RowRefused(None, _id_text(record), too_deep(self._nested_levels))
        record = {**record, "id": part_id}
        parts = self._parts.setdefault((owner, identity), {}).setdefault(table, {})
        stored, key = parts.get(part_id), (part_id,)
        version, versions = self._version(record, origin), self._versions[table]
        if stored is not None:
            is_newer = version >= versions[key]
            record = {**stored[0], **record} if is_newer else {**record, **stored[0]}
        versions[key] = max(version, versions.get(key, version))
        parts[part_id] = (record, origin)

    def _add_attachments(self, story: Record, origin: Origin) -> None:
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

    def _add_people(self, table: str, record: Record) -> None:
        people: list[object] = [record] if table in ("people", "me") else []
        people += [record.get(name) for name in _PERSON_FIELDS]
        for name in _PEOPLE_FIELDS:
            people += _listed(record.get(name))
        for each in people:
            if isinstance(each, dict):
                self._people.add_record(each)


def _fields_to_keep(table: str, record: Record, is_stub: bool) -> list[str]:
    """The fields of an older version that complete a newer version without them."""
    if table in _COMPLETED or is_stub:
        return list(record)
    return [name for name in (*_STORY_LISTS, "label_id", "project_id") if name in record]


def with_parts(record: Record, lists: dict[str, dict[int, SourcedRecord]]) -> Record:
    """Add parts that were read separately to their story or epic."""
    changed = dict(record)
    for name, parts in lists.items():
        known = {
            each["id"]: each
            for each in _listed(record.get(name))
            if isinstance(each, dict) and isinstance(each.get("id"), int) and each["id"] > 0
        }
        for identity, (part, _) in parts.items():
            stored = known.get(identity, {})
            is_newer = not stored or clock_of(part) >= clock_of(stored)
            known[identity] = {**stored, **part} if is_newer else {**part, **stored}
        changed[name] = list(known.values())
    return changed


def _listed(value: object) -> list[Any]:
    """The value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def _with_ids(record: Record) -> Record:
    """Replace the nested people of a story by their ids."""
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


def _id_text(record: Record) -> str:
    return excerpt(record.get("id")) or ""


def _whole_number(value: object) -> int | None:
    """A whole 64-bit number, which may be written as text or as `7.0`; None for anything else."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        return None
    try:
        return whole_number(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _id_in(value: object) -> int | None:
    """The id of an object; None if it is not an object or has no usable id."""
    return _whole_number(value.get("id")) if isinstance(value, dict) else None


def _key_part(table: Table, name: str, value: object) -> object:
    """One part of a key, converted to the column's type.

    Raises:
        RowRefused: if it is invalid.
    """
    if table.columns[name] == "bigint":
        number = _whole_number(value)
        if number is not None:
            return number
    elif isinstance(value, str):
        return value
    raise RowRefused(name, excerpt(value), f"a record of {table.name} without a usable key")
