"""Read a project history (`ID,Type,Message,Performed By,Occurred At`) as activities."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.archive.csv.cells import unguarded
from ingest.archive.csv.columns import column_name, is_history_header
from ingest.archive.csv.rows import (
    CsvRows,
    check_integrity,
    find_delimiter,
    is_separator_line,
)
from ingest.archive.dates import DayOrders, Moment, Moments
from ingest.archive.errors import RowRefused
from ingest.archive.files.archive_file import ArchiveFile
from ingest.archive.files.encodings import find_encoding, opened_text
from ingest.archive.files.export_name import ExportName, read_name
from ingest.archive.history.sentences import UNPARSED, ParsedSentence, parse_sentence
from ingest.archive.options import ArchiveOptions
from ingest.archive.project.evidence import SourcedRecord
from ingest.archive.project.people import People
from ingest.records import Origin, Record, parse_instant

_SOURCE = "history_csv"
_HEAD = 64 * 1024
# Histories have no project versions. The versions made up here are negative, so they never collide
# with Tracker's; they increase with time and are the same in every export.
_VERSIONS_A_SECOND = 10_000
_VERSION_OFFSET = 10**15


@dataclass(frozen=True)
class Event:
    """One row of a history.

    Attributes:
        line: the line on which it starts.
        identity: the cell `ID`, the id of the changed resource; None if it is not a number.
        message: the sentence.
        performer: who did it; empty if not stated.
        occurred_at: ISO 8601, UTC.
        is_date_only: whether the file gives a date without a time.
        parsed: the meaning of the sentence.
    """

    line: int
    identity: int | None
    message: str
    performer: str
    occurred_at: str
    is_date_only: bool
    parsed: ParsedSentence


@dataclass
class History:
    """The content of a history file.

    Attributes:
        file: the file.
        name: its parsed name.
        encoding: its encoding.
        events: its rows in chronological order.
        refused: rows that could not be read, with their line numbers.
    """

    file: ArchiveFile
    name: ExportName
    encoding: str
    events: list[Event]
    refused: list[tuple[int, RowRefused]]

    @property
    def story_ids(self) -> set[int]:
        """The ids of the resources that its rows changed."""
        return {each.identity for each in self.events if each.identity is not None}

    @property
    def unparsed(self) -> Counter[str]:
        """The number of sentences that could not be parsed, by their first words."""
        return Counter(
            " ".join(each.message.split()[:4])
            for each in self.events
            if each.parsed.kind == UNPARSED
        )


def read_history(file: ArchiveFile, options: ArchiveOptions) -> History:
    """Read a history file into memory. Tracker limits these files to six months.

    Raises:
        FileRefused: if it is damaged.
    """
    history = History(file, read_name(file, options.zone), find_encoding(file), [], [])
    with file.open() as stream, opened_text(stream, history.encoding) as head:
        delimiter = find_delimiter(head.read(_HEAD))
    rows_read: list[tuple[int, list[str]]] = []
    places: dict[str, int] = {}
    orders = DayOrders()
    with file.open() as stream, opened_text(stream, history.encoding) as text:
        rows = CsvRows(text, delimiter)
        for line, cells in rows:
            if isinstance(cells, RowRefused):
                history.refused.append((line, cells))
            elif not any(cells) or (not places and is_separator_line(cells)):
                continue
            elif not places or is_history_header(cells):
                places = places or {column_name(each): at for at, each in enumerate(cells)}
                rows.expect(len(cells))
            else:
                rows_read.append((line, cells))
                orders.see("occurred at", _cell(cells, places, "occurred at"))
    is_day_first = orders.day_first(options.date_order == "day_first")
    moments = Moments(options.zone, is_day_first.get("occurred at", False))
    for line, cells in rows_read:
        try:
            history.events.append(_event(line, cells, places, moments))
        except RowRefused as refused:
            history.refused.append((line, refused))
    events = history.events
    if events and events[0].occurred_at > events[-1].occurred_at:
        events.reverse()  # the file is newest first; this also orders rows of the same second
    events.sort(key=lambda each: each.occurred_at)
    return history


def activity_records(
    history: History, project_id: int, people: People, known: set[tuple[int, str, str]]
) -> Iterator[tuple[str, SourcedRecord]]:
    """Activities and state transitions of a history, as (raw table, record).

    Args:
        history: a history file.
        project_id: its project.
        people: resolves names to ids.
        known: (story, state, second) of transitions that are in a more trusted file.
    """
    ordinals: Counter[str] = Counter()
    states: dict[int, str] = {}
    for event in history.events:
        version = _version(event.occurred_at, ordinals[event.occurred_at])
        ordinals[event.occurred_at] += 1
        state = event.parsed.values.get("current_state")
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
                "confidence": event.parsed.confidence,
                "occurred_at": event.occurred_at,
            }
            yield "story_transitions", (transition, origin)


def _cell(cells: list[str], places: dict[str, int], name: str) -> str:
    index = places[name]
    return cells[index] if index < len(cells) else ""


def _event(line: int, cells: list[str], places: dict[str, int], moments: Moments) -> Event:
    check_integrity(tuple(places), cells)
    message = unguarded(_cell(cells, places, "message"))
    performer = _cell(cells, places, "performed by").strip()
    if not message.strip():
        raise RowRefused("Message", message, "empty message")
    occurred = _occurred(_cell(cells, places, "occurred at"), moments)
    found = re.fullmatch(r"#?(\d{1,12})", _cell(cells, places, "id").strip())
    parsed = parse_sentence(message, performer, _cell(cells, places, "type"))
    identity = int(found[1]) if found else None
    return Event(line, identity, message, performer, occurred.text, occurred.is_day, parsed)


def _occurred(text: str, moments: Moments) -> Moment:
    try:
        moment = moments[text]
    except ValueError:
        moment = None
    if moment is None:
        raise RowRefused("Occurred At", text, "invalid timestamp")
    return moment


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
    parsed = event.parsed
    is_of_story = parsed.resource in ("story", "epic") and event.identity is not None
    record: Record = {
        "guid": f"{project_id}_{version}",
        "project_id": project_id,
        "project_version": version,
        "kind": parsed.kind,
        "message": event.message,
        "confidence": parsed.confidence,
        "changes": [_change(event, states, people)] if is_of_story else [],
        "primary_resources": [],
        "occurred_at": event.occurred_at,
    }
    if parsed.highlight:
        record["highlight"] = parsed.highlight
    if event.identity is not None and parsed.resource:
        kind = parsed.resource if parsed.resource in ("epic", "label", "project") else "story"
        record["primary_resources"] = [{"kind": kind, "id": event.identity}]
    if by is not None:
        record["performed_by"] = {"kind": "person", "id": by, "name": event.performer}
    return record


def _change(event: Event, states: dict[int, str], people: People) -> Record:
    """The changed resource in the form of activities, with the values that the sentence states."""
    parsed, values = event.parsed, dict(event.parsed.values)
    change: Record = {
        "kind": parsed.resource,
        "change_type": parsed.change_type,
        "id": event.identity,
    }
    if parsed.change_type == "delete":
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
