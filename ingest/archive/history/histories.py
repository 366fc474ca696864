"""Read project histories: find the project of each, and add its activities to the store."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest.archive.csv.exports import Project
from ingest.archive.errors import Rejection
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import encoding_note
from ingest.archive.history.events import History, activity_records, read_history
from ingest.archive.json.store import Store
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import ProjectFacts
from ingest.archive.project.people import People, normalised, project_id
from ingest.archive.versions import clock_of
from ingest.records import Origin, Record, parse_instant


class Histories:
    """Reads history files, after dumps and stories.

    Attributes:
        catalogue: one record of `archive_files` for each file that was read.
        notes: remarks for the run's summary, such as the number of unparsed sentences.
    """

    def __init__(
        self, people: People, options: ArchiveOptions, rejections: list[Rejection]
    ) -> None:
        """Prepare to read.

        Args:
            people: resolves names to ids.
            options: how files are read.
            rejections: receives the refused rows.
        """
        self._people = people
        self._options = options
        self._rejections = rejections
        self.catalogue: list[Record] = []
        self.notes: list[str] = []

    def read(
        self,
        file: ArchiveFile,
        projects: list[Project],
        facts: dict[int, ProjectFacts],
        store: Store,
    ) -> None:
        """Read one history and add its activities and transitions to the store.

        Args:
            file: the history.
            projects: the projects of the stories CSV files.
            facts: what is known about these projects; a project without any other file is added.
            store: the records of dumps, which are trusted more.

        Raises:
            FileRefused: if the file is damaged.
        """
        history = read_history(file, self._options)
        identity = self._project_of(history, projects, store)
        origin = Origin("history_csv", file.name)
        if history.events and identity not in facts and (identity,) not in store.tables["projects"]:
            facts[identity] = ProjectFacts(identity, self._name(history), origin=origin)
        known = _known_transitions(store)
        for table, (record, where) in activity_records(history, identity, self._people, known):
            store.add(table, record, where)
        self._rejections += [
            Rejection.of_row(file.name, line, refused) for line, refused in history.refused
        ]
        self._note(history, identity)

    def _project_of(self, history: History, projects: list[Project], store: Store) -> int:
        """The id of the project with the same slug, or else of the one that shares most stories."""
        matching = [
            each
            for each in projects
            for other in each.files
            if normalised(other.name.slug) == normalised(history.name.slug)
        ]
        if not matching:
            ids = history.story_ids
            shared = {each.id: sum(len(f.ids & ids) for f in each.files) for each in projects}
            matching = [each for each in projects if shared[each.id] == max(shared.values()) > 0]
        if matching:
            return matching[0].id
        for story_id in sorted(history.story_ids):
            if story := store.tables["stories"].get((story_id,)):
                return story[0]["project_id"]
        return project_id(self._name(history))

    def _name(self, history: History) -> str:
        return self._options.project_name or history.name.slug

    def _note(self, history: History, identity: int) -> None:
        made_at: datetime | None = history.name.made_at
        if made_at is None and history.events:
            made_at = parse_instant(history.events[-1].occurred_at).astimezone(UTC)
        count, unparsed = len(history.events), history.unparsed
        self.catalogue.append(
            {
                "file": history.file.name,
                "file_kind": "history_csv",
                "encoding": history.encoding,
                "project_id": identity,
                "rows_count": count,
                "rejected_count": len(history.refused),
                "bytes": history.file.size,
                "is_whole": not history.refused,
                **({"as_of": made_at.isoformat()} if made_at else {}),
            }
        )
        if note := encoding_note(history.file.name, history.encoding):
            self.notes.append(note)
        if unparsed:
            example = unparsed.most_common(1)[0][0]
            self.notes.append(
                f"{history.file.name}: {unparsed.total():,} of {count:,} sentences could not be "
                f"parsed and are kept as unparsed_history, for example {example!r}"
            )


def _known_transitions(store: Store) -> set[tuple[int, str, str]]:
    """(story, state, second) of every transition in a dump."""
    known = set()
    for record, origin in store.rows("story_transitions"):
        if origin.record_source == "json":
            known.add((record["story_id"], str(record.get("state")), _second(record)))
    for record, origin in store.rows("activity"):
        changes = record.get("changes") if origin.record_source == "json" else None
        for change in changes if isinstance(changes, list) else ():
            values = change.get("new_values") if isinstance(change, dict) else None
            state = values.get("current_state") if isinstance(values, dict) else None
            if state and change.get("kind") == "story" and isinstance(change.get("id"), int):
                known.add((change["id"], str(state), _second(record)))
    return known


def _second(record: Record) -> str:
    return clock_of(record).strftime("%Y-%m-%dT%H:%M:%S")
