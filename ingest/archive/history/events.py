"""A project history (`ID,Type,Message,Performed By,Occurred At`) as activities and transitions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ingest.archive.csv.cells import midnight, parse_day, unguarded
from ingest.archive.csv.columns import column_name
from ingest.archive.csv.rows import (
    check_integrity,
    find_delimiter,
    is_blank,
    is_separator_line,
    read_rows,
)
from ingest.archive.errors import RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import find_encoding, opened_text
from ingest.archive.files.export_name import ExportName, read_name
from ingest.archive.history.sentences import UNPARSED, Deed, understand
from ingest.archive.project.evidence import Told
from ingest.archive.project.people import People
from ingest.records import Origin, Record, parse_instant

_SOURCE = "history_csv"
_HEAD = 64 * 1024
_CLOCK_FORMATS = (
    "%Y-%m-%d %H:%M:%S %Z", "%Y/%m/%d %H:%M:%S %Z", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M", "%b %d, %Y %H:%M:%S", "%b %d, %Y %H:%M", "%b %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M %p", "%b %d, %Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p",
)  # fmt: skip
# A version that Tracker never gave: negative, in the order of time, the same in every export.
_VERSIONS_A_SECOND = 10_000
_VERSION_OFFSET = 10**15


@dataclass(frozen=True)
class Event:
    """One row of a history.

    Attributes:
        line: the line that it begins on.
        identity: the cell `ID`: of what it was done to; None when it is no number.
        message: the sentence.
        performer: who did it; empty when not said.
        occurred_at: ISO 8601, UTC.
        is_date_only: whether the file gave a day only.
        deed: what the sentence says.
    """

    line: int
    identity: int | None
    message: str
    performer: str
    occurred_at: str
    is_date_only: bool
    deed: Deed


@dataclass
class History:
    """A history file that was read.

    Attributes:
        file: the file.
        name: what its name says.
        encoding: the codec that reads it.
        events: its rows, in the order of time.
        refused: rows that could not be read, with their lines.
    """

    file: ArchiveFile
    name: ExportName
    encoding: str
    events: list[Event]
    refused: list[tuple[int, RowRefused]]

    @property
    def story_ids(self) -> set[int]:
        """What its rows were done to."""
        return {each.identity for each in self.events if each.identity is not None}

    @property
    def unparsed(self) -> Counter[str]:
        """How many sentences were not understood, by the first words of them."""
        return Counter(
            " ".join(each.message.split()[:4]) for each in self.events if each.deed.kind == UNPARSED
        )


def read_history(file: ArchiveFile, zone: ZoneInfo) -> History:
    """Read a history file whole: it holds six months at most.

    Raises:
        FileRefused: when it is damaged.
    """
    history = History(file, read_name(file, zone), find_encoding(file), [], [])
    with file.open() as stream, opened_text(stream, history.encoding) as head:
        delimiter = find_delimiter(head.read(_HEAD))
    with file.open() as stream, opened_text(stream, history.encoding) as text:
        places: dict[str, int] = {}
        for line, cells in read_rows(text, delimiter):
            if isinstance(cells, RowRefused):
                history.refused.append((line, cells))
            elif not places and (is_blank(cells) or is_separator_line(cells)):
                continue
            elif not places:
                places = {column_name(each): index for index, each in enumerate(cells)}
            elif not is_blank(cells):
                try:
                    history.events.append(_event(line, cells, places, zone))
                except RowRefused as refused:
                    history.refused.append((line, refused))
    events = history.events
    if events and events[0].occurred_at > events[-1].occurred_at:
        events.reverse()  # newest first: now two rows of one second are in the order of time too
    events.sort(key=lambda each: each.occurred_at)
    return history


def activity_records(
    history: History, project_id: int, people: People, known: set[tuple[int, str, str]]
) -> Iterator[tuple[str, Told]]:
    """Activities, and the transitions among them, as raw table and record.

    Args:
        history: a history file.
        project_id: the project that it is of.
        people: resolves names.
        known: (story, state, second) of transitions that a more trusted file tells.
    """
    ordinals: Counter[str] = Counter()
    states: dict[int, str] = {}
    for event in history.events:
        version = _version(event.occurred_at, ordinals[event.occurred_at])
        ordinals[event.occurred_at] += 1
        state = event.deed.values.get("current_state")
        if state and (event.identity, state, event.occurred_at[:19]) in known:
            continue
        origin = Origin(_SOURCE, history.file.name, event.line, event.is_date_only)
        by = people.id_of(event.performer) if event.performer else None
        record = _activity(event, project_id, version, by, states, people)
        yield "activity", (record, origin)
        if state and event.identity is not None:
            states[event.identity] = state
            transition = {
                "project_id": project_id,
                "project_version": version,
                "story_id": event.identity,
                "state": state,
                "performed_by_id": by,
                "confidence": event.deed.confidence,
                "occurred_at": event.occurred_at,
            }
            yield "story_transitions", (transition, origin)


def _event(line: int, cells: list[str], places: dict[str, int], zone: ZoneInfo) -> Event:
    def cell(name: str) -> str:
        index = places[name]
        return cells[index] if index < len(cells) else ""

    check_integrity(tuple(places), cells)
    message, performer = unguarded(cell("message")), cell("performed by").strip()
    if not message.strip():
        raise RowRefused("Message", message, "no sentence")
    occurred_at, is_date_only = _instant(cell("occurred at"), zone)
    found = re.fullmatch(r"#?(\d{1,12})", cell("id").strip())
    deed = understand(message, performer, cell("type"))
    identity = int(found[1]) if found else None
    return Event(line, identity, message, performer, occurred_at, is_date_only, deed)


def _instant(text: str, zone: ZoneInfo) -> tuple[str, bool]:
    """An instant as ISO 8601 in UTC, and whether only its day was given."""
    text = text.strip()
    try:
        return midnight(parse_day(text), zone), True
    except ValueError:
        pass
    try:
        instant = parse_instant(int(text) if text.isdigit() else text)
        has_zone = text.isdigit() or bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", text))
        instant = instant if has_zone else instant.replace(tzinfo=zone)
        return _iso(instant), False
    except (ValueError, OverflowError, OSError):
        pass
    for pattern in _CLOCK_FORMATS:
        try:
            told = datetime.strptime(text, pattern)
        except ValueError:
            continue
        return _iso(told.replace(tzinfo=UTC if "%Z" in pattern else zone)), False
    raise RowRefused("Occurred At", text, "impossible instant")


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _version(occurred_at: str, ordinal: int) -> int:
    seconds = int(parse_instant(occurred_at).timestamp())
    return seconds * _VERSIONS_A_SECOND + ordinal - _VERSION_OFFSET


def _activity(
    event: Event,
    project_id: int,
    version: int,
    by: int | None,
    states: dict[int, str],
    people: People,
) -> Record:
    deed = event.deed
    is_of_story = deed.resource in ("story", "epic") and event.identity is not None
    record: Record = {
        "guid": f"{project_id}_{version}",
        "project_id": project_id,
        "project_version": version,
        "kind": deed.kind,
        "message": event.message,
        "confidence": deed.confidence,
        "changes": [_change(event, states, people)] if is_of_story else [],
        "primary_resources": [],
        "occurred_at": event.occurred_at,
    }
    if deed.highlight:
        record["highlight"] = deed.highlight
    if event.identity is not None and deed.resource:
        kind = "epic" if deed.resource == "epic" else "story"
        record["primary_resources"] = [{"kind": kind, "id": event.identity}]
    if by is not None:
        record["performed_by"] = {"kind": "person", "id": by, "name": event.performer}
    return record


def _change(event: Event, states: dict[int, str], people: People) -> Record:
    """The changed resource as activities have it, with no more values than the sentence tells."""
    deed, values = event.deed, dict(event.deed.values)
    change: Record = {"kind": deed.resource, "change_type": deed.change_type, "id": event.identity}
    if deed.change_type == "delete":
        return change
    for key in ("added_owners", "removed_owners"):
        if key in values:
            values[key.replace("owners", "owner_ids")] = [
                people.id_of(name) for name in values.pop(key)
            ]
    state = values.get("current_state")
    before = states.get(event.identity or 0)
    if state == "accepted":
        values["accepted_at"] = event.occurred_at
    elif state and before == "accepted":
        values["accepted_at"] = None
    if state and before:
        change["original_values"] = {"current_state": before}
    change["new_values"] = values
    return change
