"""Finds the records inside saved JSON, however the answers were put together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import orjson

from ingest.archive.errors import RowRefused
from ingest.archive.json.kinds import TABLE_OF_KIND, error_of, table_of
from ingest.archive.json.landed import Landed, table_of_stream, unwrapped
from ingest.records import Record, parse_instant

_PATH_IDS = re.compile(r"/(projects|stories|epics)/([0-9]{1,18})(?![0-9])")
_NUMBER = re.compile(r"[0-9]{1,18}")
_HISTORY_OF_A_PART = re.compile(r"/history/(iterations|releases)/")
_OWN_FIELD = {"projects": "project_id", "stories": "story_id", "epics": "epic_id"}
# Lists inside a record that are records of other tables; the rest stays with the record.
_INNER = {
    "projects": ("stories", "epics", "labels", "memberships", "releases", "iterations"),
    "iterations": ("stories",),
}
_KIND = re.compile(r"[a-z]+(_[a-z]+)*")
_DEEPEST = 12
# Fields of what is no record itself: an error, an envelope, a part of an activity.
_OF_NO_RECORD = frozenset({"error", "request", "response", "PathTemplate", "data", "change_type"})


class Found(NamedTuple):
    """One record: the raw table (or kind of part) that it is of, and what it says."""

    table: str
    record: Record


@dataclass
class Walk:
    """Walks one file's values.

    Attributes:
        unknown: kinds that no raw table holds -> how often.
        refusals: what stands for a record and cannot be one.
        answers_count: wrapped answers, and lists that are empty from the start.
        recorded_at: when the answer was recorded that is walked now; None when it does not say.
        stream: the list that the file's name names, for records of other loaders.
    """

    unknown: Counter[str] = field(default_factory=Counter)
    refusals: list[RowRefused] = field(default_factory=list)
    answers_count: int = 0
    recorded_at: datetime | None = None
    stream: str | None = None

    def records(
        self, value: object, context: _Context | None = None, depth: int = 0
    ) -> Iterator[Found]:
        """Every record in a value, inner ones before their outer one."""
        context = context or _Context()
        if depth > _DEEPEST and value and isinstance(value, dict | list):
            self.refusals.append(RowRefused(None, None, "nested too deeply to be a record"))
        elif isinstance(value, list):
            self.answers_count += not (value or depth)
            for each in value:
                if isinstance(each, dict) and depth < _DEEPEST:
                    yield from self._of_object(each, context, depth + 1)
                else:
                    yield from self.records(each, context, depth + 1)
        elif isinstance(value, dict):
            yield from self._of_object(value, context, depth)

    def _of_object(self, value: Record, context: _Context, depth: int) -> Iterator[Found]:
        if (landed := unwrapped(value)) is not None:
            return self._of_landed(landed, context, depth)
        kind = value.get("kind")
        if isinstance(kind, str) and kind in TABLE_OF_KIND and _OF_NO_RECORD.isdisjoint(value):
            return self._of_record(TABLE_OF_KIND[kind], value, context, depth)
        if (code := error_of(value)) is not None:
            self.refusals.append(RowRefused("kind", code, "an error answer of the API, no record"))
            return iter(())
        if (opened := self._opened(value, context)) is not None:
            self.answers_count += 1
            return self.records(*opened, depth + 1)
        if "change_type" in value:
            reason = "one change of an activity, without the activity"
            self.refusals.append(RowRefused("change_type", str(kind), reason))
            return iter(())
        table = table_of(value) or (context.list_name if "id" in value else None)
        if table == "history_days" and context.is_of_a_part:
            table = None  # totals of an iteration's or a release's stories are not the project's
        if table is None:
            return self._of_container(value, context, depth)
        return self._of_record(table, value, context, depth)

    def _of_landed(self, landed: Landed, context: _Context, depth: int) -> Iterator[Found]:
        """The record of another loader, whose list says what it is when its kind does not."""
        self.answers_count += 1
        self.recorded_at = _instant(landed.read_at)
        stream = table_of_stream(landed.stream) or table_of_stream(self.stream)
        record = self._unpacked(landed.record)
        if stream and isinstance(record, dict) and not isinstance(record.get("kind"), str):
            return self._of_record(stream, record, context, depth + 1)
        return self.records(record, context, depth + 1)

    def _opened(self, value: Record, context: _Context) -> tuple[object, _Context] | None:
        """What a wrapping holds: a recorded interaction, a cache entry, an envelope."""
        response, request = value.get("response"), value.get("request")
        if isinstance(response, dict) and isinstance(request, dict):
            self.recorded_at = _instant(value.get("recorded_at"))
            return response.get("body"), context.of_path(str(request.get("path", "")))
        if "PathTemplate" in value and "Data" in value:
            return self._unpacked(value["Data"]), context.of_keys(value.get("Keys"))
        if "data" in value and ({"http_status", "pagination", "project_version"} & value.keys()):
            return value["data"], context
        return None

    def _unpacked(self, data: object) -> object:
        """A cached body: as it is, or as the text of it."""
        if not isinstance(data, str):
            return data
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            self.refusals.append(RowRefused("Data", data, "a body that is no JSON"))
            return None

    def _of_container(self, value: Record, context: _Context, depth: int) -> Iterator[Found]:
        if _KIND.fullmatch(str(value.get("kind", ""))):
            self.unknown[str(value["kind"])] += 1
            if isinstance(value.get("person"), dict):
                yield Found("people", value["person"])
        elif "id" not in value:
            for each in value.values():
                if isinstance(each, dict | list):
                    yield from self.records(each, context, depth + 1)

    def _of_record(
        self, table: str, value: Record, context: _Context, depth: int
    ) -> Iterator[Found]:
        record = context.applied(table, value)
        for name in _INNER.get(table, ()):
            if isinstance(value.get(name), list):
                inner = context.of_record(table, record)
                # An iteration keeps its stories, as the ids that `shape` makes of them.
                record = record if table == "iterations" else _without(record, name)
                listed = replace(inner, list_name=name)
                yield from self.records(value[name], listed, depth + 1)
        figures = record.get("cycle_time_details")
        if table == "stories" and isinstance(figures, dict):
            record = _without(record, "cycle_time_details")
            of_story = {"story_id": value.get("id"), "project_id": record.get("project_id")}
            yield Found("cycle_time_details", {**figures, **of_story})
        if table == "cycle_time_details" and isinstance(value.get(table), dict):
            record = {**value[table], "story_id": value.get("id"), **context.ids}
        yield Found(table, record)


@dataclass(frozen=True)
class _Context:
    """What is known from around a record: ids in its path, and the table of the list it is in."""

    ids: dict[str, int] = field(default_factory=dict)
    list_name: str | None = None
    is_of_a_part: bool = False

    def of_path(self, path: str) -> _Context:
        ids = {_OWN_FIELD[name]: int(number) for name, number in _PATH_IDS.findall("/" + path)}
        is_of_a_part = bool(_HISTORY_OF_A_PART.search(path))
        return replace(self, ids={**self.ids, **ids}, is_of_a_part=is_of_a_part)

    def of_keys(self, keys: object) -> _Context:
        """Keys of a cache entry: an object of names and values, or a list of such pairs."""
        pairs: Iterable[tuple[Any, Any]] = keys.items() if isinstance(keys, dict) else ()
        if isinstance(keys, list):
            pairs = [
                (each.get("Key") or each.get("Name"), each.get("Value"))
                for each in keys
                if isinstance(each, dict)
            ]
        ids = {}
        for name, value in pairs:
            spelt = re.sub(r"\W", "", str(name)).lower().removesuffix("id").strip("_") + "_id"
            if spelt in _OWN_FIELD.values() and _NUMBER.fullmatch(str(value)):
                ids[spelt] = int(value)
        return replace(self, ids={**self.ids, **ids})

    def of_record(self, table: str, record: Record) -> _Context:
        project_id = record.get("id" if table == "projects" else "project_id")
        if not isinstance(project_id, int):
            return self
        return replace(self, ids={**self.ids, "project_id": project_id})

    def applied(self, table: str, record: Record) -> Record:
        """The record with the ids that it leaves out because its path said them."""
        if not self.ids or table in ("projects", "people", "me", "accounts", "notifications"):
            return record
        ids = dict(self.ids)
        if table not in ("comments", "tasks", "blockers", "reviews", "cycle_time_details"):
            ids = {name: value for name, value in ids.items() if name == "project_id"}
        elif "story_id" in record:
            ids.pop("epic_id", None)
        elif "epic_id" in record:
            ids.pop("story_id", None)
        if table not in ("cycle_time_details",) and "story_id" in ids:
            ids.pop("project_id", None)
        return {**ids, **record}


def _without(record: Record, name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}


def _instant(text: object) -> datetime | None:
    """When something was recorded: ISO 8601, or as HTTP writes it."""
    with suppress(TypeError, ValueError, OverflowError, OSError):
        return parse_instant(text)
    with suppress(TypeError, ValueError, OverflowError):
        return parse_instant(parsedate_to_datetime(str(text)).isoformat())
    return None
