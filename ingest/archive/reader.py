"""Read saved Tracker data as rows of the raw tables.

If a record is in several files, or also in the warehouse, `versions` decides which version wins.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path

import pyarrow as pa

from ingest.archive.coverage import Coverage
from ingest.archive.csv.exports import (
    KnownProject,
    Project,
    StoriesFile,
    group_by_project,
    open_stories_file,
    panel_of,
)
from ingest.archive.csv.merging import CsvStories, deleted
from ingest.archive.errors import (
    ArchiveError,
    FileRefused,
    first_sentence,
    refusal_sentences,
)
from ingest.archive.files.export_name import read_name
from ingest.archive.history.histories import Histories
from ingest.archive.id_set import IdSet
from ingest.archive.inventory import Inventory
from ingest.archive.json.dumps import Dumps
from ingest.archive.json.store import with_parts
from ingest.archive.options import ArchiveOptions, is_zone
from ingest.archive.precedence import Precedence
from ingest.archive.project.evidence import ProjectFacts, SourcedRecord
from ingest.archive.project.people import People
from ingest.archive.project.settings import iteration_records, project_record
from ingest.archive.versions import NEVER
from ingest.records import Drift, Origin, Record, shape, to_arrow
from ingest.tables import TABLES
from ingest.warehouses.stored import Stored

_BATCH = 2_000
ARCHIVE_TABLES = [
    "stories", "projects", "epics", "labels", "releases", "iterations", "memberships", "people",
    "activity", "story_transitions", "cycle_time_details", "history_days", "notifications", "me",
    "accounts", "attachments", "archive_files",
]  # fmt: skip

# Tables that only archives fill: their rows always replace stored ones with the same key.
_OWN_TABLES = frozenset({"people", "attachments", "archive_files"})
_RUN_TABLES = frozenset({"archive_files", "rejected_rows"})
_MENTION = {"id", "name"}  # all that other records say about a project


class ArchiveReader:
    """Reads files, folders and zips as rows of the raw tables (a `Reader`).

    Stories are read first, because labels, iterations and people are collected from their rows.

    Attributes:
        drift: fields and values that did not fit the declared tables.
        skipped: what was not loaded, or not as expected, one sentence each.
        failed_project_ids: always empty; files that cannot be read are in `rejections`.
        requests_count: always 0.
        rejections: refused rows and files, with the reason.
    """

    requests_count = 0
    extract_mode = "full"
    copied_tables: Mapping[str, str] = {}

    def __init__(
        self,
        paths: Sequence[Path | str],
        options: ArchiveOptions | None = None,
        drift: Drift | None = None,
    ) -> None:
        """Prepare to read; no file is opened yet.

        Args:
            paths: files, zips and folders, mixed.
            options: how to read them.
            drift: collects fields and values that do not fit the declared tables.
        """
        self.drift = drift if drift is not None else Drift()
        self.skipped: list[str] = []
        self.failed_project_ids: list[int] = []
        self.rejections = self.drift.rejections
        self._options = options or ArchiveOptions()
        self._inventory = Inventory(
            [Path(each) for each in paths], self._options, self.rejections, self.skipped
        )
        self._people = People()
        self.continue_from(Stored(None))
        self._newest_ids: dict[int, IdSet] = {}
        self._made_at: dict[str, datetime] = {}
        self._facts: dict[int, ProjectFacts] = {}
        self._catalogue: list[Record] = []
        self._dumps = Dumps(self._people, self.drift)
        self._are_stories_read = False
        self._kept_count = 0
        self._coverage = Coverage()

    def continue_from(self, stored: Stored, can_copy_tables: bool = False) -> None:
        """Take stored rows into account; call this before reading.

        Stored rows identify projects and people, and those that are trusted more are kept.
        """
        self._stored = stored
        self._precedence = Precedence(stored)

    def tables(self) -> list[str]:
        """Names of the raw tables that this reader fills, in reading order."""
        return list(ARCHIVE_TABLES)

    @property
    def as_of(self) -> datetime:
        """The newest time that one of the files describes; available after stories were read."""
        instants = [each["as_of"] for each in self._catalogue if each.get("as_of")]
        return max(map(datetime.fromisoformat, instants), default=NEVER)

    @property
    def project_ids(self) -> list[int]:
        """The ids of all projects found."""
        in_dumps = {key for (key,) in self._dumps.store.tables["projects"]}
        return sorted({*self._facts, *in_dumps})

    def as_of_files(self) -> dict[str | None, str | None]:
        """The time that each file describes, by file name."""
        return {each["file"]: each.get("as_of") for each in self._catalogue}

    def failure(self, rows: Mapping[str, int]) -> str | None:
        """Why the run counts as failed although it loaded what it could, or None.

        Args:
            rows: the number of loaded rows, by table.
        """
        refused = {each.file: each.sentence for each in self.rejections if each.is_of_file}
        for each in self._catalogue:
            if each["rejected_count"] and not each["rows_count"]:
                refused[each["file"]] = f"{each['file']}: none of its rows could be loaded"
        if refused:
            return first_sentence(refused.values())
        loaded = sum(count for name, count in rows.items() if name not in _RUN_TABLES)
        return None if loaded or self._kept_count else "none of the rows could be loaded"

    @property
    def notes(self) -> list[str]:
        """What each project's files contain and lack; available after all tables were read."""
        return self._coverage.sentences(self._catalogue)

    def keys_listed(self, table_name: str, project_id: int) -> None:
        """Always None: an archive is never a complete listing."""

    def close(self) -> None:
        """Do nothing: the memory for a table's rows is freed when they have been read."""

    def read(self, table_name: str) -> Iterator[pa.Table]:
        """Read the rows of one raw table, with exactly its Arrow schema.

        Raises:
            ArchiveError: if nothing can be loaded, or if something was refused in strict mode.
        """
        if table_name == "stories":
            batches = self._read_stories()
        elif not self._are_stories_read:
            raise RuntimeError(f"{table_name} must be read after stories")
        else:
            records = self._batches(table_name, self._records(table_name))
            batches = chain(self._dumps.plain_rows(table_name), records)
        for batch in batches:
            self._coverage.add(table_name, batch)
            yield batch
        if table_name != "projects":
            self._dumps.store.forget(table_name)  # free the memory for loading

    # Files -------------------------------------------------------------------------------------

    @cached_property
    def _projects(self) -> list[Project]:
        """The stories CSV files, by project."""
        files = self._inventory.files.get("stories_csv", [])
        surveyed: list[StoriesFile] = []
        is_only_file = len(files) == 1 and not self._precedence.has_rows("stories")
        for file in files:
            try:
                surveyed.append(open_stories_file(file, self._options, is_only_file))
            except FileRefused as refused:
                self._inventory.refuse(file, refused)
        return group_by_project(surveyed, self._known_project_of, self._options.project_name)

    def _known_project_of(self, story_ids: set[int]) -> KnownProject | None:
        """The project of most of these stories, according to dumps or else the warehouse."""
        tables = self._dumps.store.tables
        in_dumps = (tables["stories"].get((each,)) for each in story_ids)
        project_ids = (each[0].get("project_id") for each in in_dumps if each)
        shared = Counter(each for each in project_ids if each is not None)
        if not shared:
            found = self._stored.project_of(story_ids)
            return KnownProject(*found) if found else None
        ((identity, shared_count),) = shared.most_common(1)
        record, _ = tables["projects"].get((identity,)) or ({}, None)
        story_count = self._story_counts[identity]
        return KnownProject(identity, record.get("name"), shared_count, story_count)

    @cached_property
    def _story_counts(self) -> Counter[int | None]:
        """The number of stories in dumps, by project id."""
        stories = self._dumps.store.tables["stories"].values()
        return Counter(record.get("project_id") for record, _ in stories)

    # Rows --------------------------------------------------------------------------------------

    def _read_stories(self) -> Iterator[pa.Table]:
        for identity, name in self._stored.people():
            self._people.add(identity, name)
        self._read_dumps()
        yield from self._dumps.plain_rows("stories")
        yield from self._batches("stories", self._dumps.store.rows("stories"))
        for project in self._projects:
            if self._has_only_source(project):
                yield from self._csv_stories_in_bulk(project)
            else:
                yield from self._batches("stories", self._csv_stories(project))
            yield self._deleted_stories(project)
        self._read_histories()
        self._dumps.finish()
        self._are_stories_read = True
        self._check_loadable()

    def _read_dumps(self) -> None:
        is_first_load = not any(map(self._precedence.has_rows, ("stories", "activity")))
        self._dumps.read(self._inventory, is_first_load, self._options.zone)
        self._made_at |= {
            each["file"]: datetime.fromisoformat(each["as_of"])
            for each in self._dumps.catalogue
            if each.get("as_of")
        }
        self._catalogue += self._dumps.catalogue
        self.skipped += self._dumps.notes
        for kind, count in sorted(self._dumps.unknown.items()):
            self.skipped.append(f"{kind}: {count:,} records, for which there is no raw table")

    def _read_histories(self) -> None:
        histories = Histories(self._people, self._options, self.rejections)
        for file in self._inventory.files.get("history_csv", []):
            try:
                histories.read(file, self._projects, self._facts, self._dumps.store)
            except FileRefused as refused:
                self._inventory.refuse(file, refused)
        self._catalogue += histories.catalogue
        self.skipped += histories.notes

    def _has_only_source(self, project: Project) -> bool:
        """Whether a single CSV file is the only source of a project's stories."""
        store = self._dumps.store
        has_others = (
            store.tables["stories"] or store.has_parts or self._precedence.has_rows("stories")
        )
        (newest, *older) = project.files
        return not older and newest.columns.has_ids and not has_others

    def _csv_stories_in_bulk(self, project: Project) -> Iterator[pa.Table]:
        stories = self._stories_of(project)
        for plain, others in stories.read_in_bulk():
            if others:
                tables = [plain, *self._batches("stories", iter(others))]
                plain = pa.concat_tables(tables).sort_by("source_line")
            yield plain
        self._finish(project, stories)

    def _csv_stories(self, project: Project) -> Iterator[SourcedRecord]:
        store = self._dumps.store
        stories = self._stories_of(project)
        known = store.tables["stories"]
        # If a later export is already loaded, stories that it lacks were deleted in between.
        made_at = self._made_at[project.files[0].file.name]
        later = self._stored.next_export_at(project.id, made_at)
        panels = self._precedence.stored_panels(project.id) if later else set()
        for record, origin in stories.read():
            key = (record["id"],)
            if (
                later
                and panel_of(record["current_state"]) in panels
                and not self._precedence.is_stored("stories", *key)
            ):
                record = deleted(record, later)
            if key not in known:
                parts = store.take_parts(record["id"])
                yield (with_parts(record, parts) if parts else record), origin
        self._finish(project, stories)

    def _stories_of(self, project: Project) -> CsvStories:
        facts = ProjectFacts(project.id, project.name)
        facts.resembles = project.resembles
        stored_labels = sorted(self._stored.label_names(project.id).items())
        facts.labels = {name.lower(): identity for identity, name in stored_labels if name} | {
            str(label.get("name")).lower(): label["id"]
            for label, _ in self._dumps.store.rows("labels")
            if label.get("project_id") == project.id
        }
        self._facts[project.id] = facts
        options = self._options_of(project.id)
        for each in project.files:
            each.name = read_name(each.file, options.zone)
            self._made_at[each.file.name] = each.as_of(each.newest_in(options.zone)) or self.as_of
        return CsvStories(project, facts, self._people, options, self.rejections)

    def _finish(self, project: Project, stories: CsvStories) -> None:
        self._catalogue += stories.catalogue
        self.skipped += stories.notes
        self._newest_ids[project.id] = stories.newest_ids

    def _options_of(self, project_id: int) -> ArchiveOptions:
        """The options, with the time zone from a dump or the warehouse unless it is configured."""
        project = self._dumps.store.tables["projects"].get((project_id,))
        stated = project[0].get("time_zone") if project else None
        zone = stated.get("olson_name") if isinstance(stated, dict) else stated
        zone = self._options.time_zone or zone or self._stored.time_zone(project_id)
        if isinstance(zone, str) and is_zone(zone):
            return replace(self._options, time_zone=zone)
        return self._options

    def _deleted_stories(self, project: Project) -> pa.Table:
        """Stories from an earlier run's export that are missing from the newest file."""
        newest = project.files[0]
        is_complete = newest.columns.has_ids and all(
            each.file != newest.file.name for each in self.rejections
        )
        panels = newest.panels if is_complete else set()
        made_at = self._made_at[newest.file.name]
        seen = self._newest_ids.pop(project.id)
        return self._precedence.deleted_stories(project.id, seen, panels, made_at)

    def _check_loadable(self) -> None:
        """Check that there is something to load, after all files have been read.

        Raises:
            ArchiveError: if there is not, or if something was refused in strict mode.
        """
        reasons = [each.sentence for each in self.rejections]
        if self.rejections and self._options.strict:
            first = first_sentence(reasons)
            raise ArchiveError(f"{first}; nothing was loaded, because of --strict")
        if not self._catalogue:
            reasons = [*reasons, *self.skipped] or ["no file was found"]
            raise ArchiveError(f"there is nothing to load: {first_sentence(reasons)}")
        self.skipped += refusal_sentences(self.rejections)

    def _records(self, table_name: str) -> Iterator[SourcedRecord]:
        """The records of a table in dumps, then those of CSV files with other keys.

        A project that dumps only mention has the settings that its CSV files give.
        """
        in_dumps = self._dumps.store.tables[table_name]
        mentioned: dict[tuple[object, ...], SourcedRecord] = {}
        others: list[SourcedRecord] = []
        for record, origin in self._csv_records(table_name):
            key = tuple(record.get(name) for name in TABLES[table_name].key)
            if key not in in_dumps:
                others.append((record, origin))
            elif table_name == "projects" and in_dumps[key][0].keys() <= _MENTION:
                mentioned[key] = ({**record, **in_dumps[key][0]}, origin)
        yield from (mentioned.get(key, found) for key, found in in_dumps.items())
        yield from others

    def _csv_records(self, table_name: str) -> Iterator[SourcedRecord]:
        facts = self._facts.values()
        if table_name == "projects":
            for each in facts:
                if each.origin:
                    yield project_record(each, self._options), each.origin
        elif table_name == "iterations":
            for each in facts:
                if each.origin:
                    for record in iteration_records(each, self._options_of(each.id)):
                        yield record, each.origin
        elif table_name == "labels":
            for each in facts:
                for name, identity in each.labels.items():
                    if identity < 0 and each.origin:
                        yield {"id": identity, "project_id": each.id, "name": name}, each.origin
        elif table_name in ("epics", "releases"):
            for each in facts:
                yield from getattr(each, table_name).values()
        else:
            yield from self._run_records(table_name)

    def _run_records(self, table_name: str) -> Iterator[SourcedRecord]:
        csv = Origin("stories_csv", "")
        if table_name == "people":
            yield from ((record, csv) for record in self._people.records())
        elif table_name == "attachments":
            yield from self._attachments()
        elif table_name == "archive_files":
            for record in self._catalogue:
                yield record, Origin(record["file_kind"], record["file"])

    def _attachments(self) -> Iterator[SourcedRecord]:
        """Attachments, with the project id if their zip contains the export of one project."""
        by_zip: dict[str, set[int]] = defaultdict(set)
        for project in self._projects:
            for each in project.files:
                by_zip[each.file.zip_name].add(project.id)
        for record, origin, zip_name in self._inventory.attachments:
            ids = by_zip.get(zip_name, set())
            yield {**record, **({"project_id": min(ids)} if len(ids) == 1 else {})}, origin

    def _is_outranked(self, table_name: str, record: Record, origin: Origin) -> bool:
        made_at = self._made_at.get(origin.source_file) or self.as_of
        return self._precedence.is_trusted_over(table_name, record, origin, made_at)

    def _batches(self, table_name: str, found: Iterator[SourcedRecord]) -> Iterator[pa.Table]:
        records: list[Record] = []
        origins: list[Origin] = []
        table = TABLES[table_name]
        has_stored = table_name not in _OWN_TABLES and self._precedence.has_rows(table_name)
        for record, origin in found:
            if has_stored and self._is_outranked(table_name, record, origin):
                self._kept_count += 1
                continue
            records.append(shape(table_name, record))
            origins.append(origin)
            if len(records) == _BATCH:
                yield to_arrow(table, records, "archive", self.drift, origins)
                records, origins = [], []
        if records:
            yield to_arrow(table, records, "archive", self.drift, origins)
