"""Find the records in saved JSON, however the API's responses were wrapped or combined."""

from __future__ import annotations

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, NamedTuple

import orjson

from ingest.archive.errors import RowRefused
from ingest.archive.json.kinds import TABLE_OF_KIND, error_of, is_stub, table_of
from ingest.archive.json.large import LargeList, LargeObject
from ingest.archive.json.loader_output import LoaderRecord, loader_record, table_of_stream
from ingest.records import Record, instant_or_none, parse_instant
from ingest.tables import TABLES

_PATH_IDS = re.compile(r"/(projects|stories|epics)/([0-9]{1,18})(?![0-9])")
_NUMBER = re.compile(r"[0-9]{1,18}")
_PARTIAL_HISTORY = re.compile(r"/history/(iterations|releases)/")
_ID_FIELDS = {"projects": "project_id", "stories": "story_id", "epics": "epic_id"}
# Nested lists that are records of other tables; other lists remain in the record.
_NESTED_TABLES = {
    "projects": ("stories", "epics", "labels", "memberships", "releases", "iterations"),
    "iterations": ("stories",),
}
_LISTED = TABLES.keys() - {"people"}
_LOOKED_AT = 5  # elements of a list that show what it contains
_KIND = re.compile(r"[a-z]+(_[a-z]+)*")
# The address of a recorded request, and the text of a recorded response's body.
_ADDRESSES = ("path", "url", "uri")
_TEXTS = ("text", "string", "base64_string")
_JSON_TEXT = ("{", "[", '"')  # the start of a document that was written as text, even twice
_DEEPEST = 12
# Fields that show that the names of an object are in camel case.
_SNAKE_CASE = frozenset({"project_id", "story_id", "story_type", "current_state", "created_at"})
_CAMEL_CASE = frozenset(
    each
    for name in _SNAKE_CASE
    for pascal in (name.title().replace("_", ""),)
    for each in (pascal, pascal[0].lower() + pascal[1:])
)
_CAPITAL = re.compile("(?<=[a-z0-9])(?=[A-Z])")
# Fields of objects that are not records: errors, envelopes, changes of an activity.
_NOT_OF_RECORDS = frozenset({"error", "request", "response", "PathTemplate", "data", "change_type"})


class Found(NamedTuple):
    """A record.

    Attributes:
        table: its raw table, or its kind of part.
        record: the record.
        number: its position in its list, from 1; None outside of lists.
    """

    table: str
    record: Record
    number: int | None = None


class Refused(NamedTuple):
    """A value in the place of a record that is not one; `number` is as in `Found`."""

    error: RowRefused
    number: int | None = None


@dataclass
class Walk:
    """Walks through the values of one file.

    Attributes:
        unknown: kinds without a raw table -> number of records.
        answers_count: the number of wrapped responses, and of empty lists at the top level.
        recorded_at: when the current response was recorded; None if unknown.
        last_recorded_at: when the newest of all responses was recorded; None if unknown.
        stream: the list in the file's name, for the output of other loaders.
    """

    unknown: Counter[str] = field(default_factory=Counter)
    answers_count: int = 0
    recorded_at: datetime | None = None
    last_recorded_at: datetime | None = None
    stream: str | None = None

    def records(
        self, value: object, context: _Context | None = None, depth: int = 0
    ) -> Iterator[Found | Refused]:
        """All records in a value; nested records come before the record that contains them."""
        context = context or _Context()
        while isinstance(value, str) and value.lstrip()[:1] in _JSON_TEXT:
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                break
        if depth > _DEEPEST and value and isinstance(value, dict | list):
            yield Refused(RowRefused(None, None, "nested too deeply to be a record"))
        elif isinstance(value, list | LargeList):
            self.answers_count += value == [] and not depth
            for number, each in _numbered(value):
                if isinstance(each, RowRefused):
                    yield Refused(each, number)
                    continue
                if isinstance(each, dict) and depth < _DEEPEST:
                    records = self._of_object(each, context, depth + 1)
                else:
                    records = self.records(each, context, depth + 1)
                for found in records:
                    yield found if found.number else found._replace(number=number)
        elif isinstance(value, dict):
            yield from self._of_object(value, context, depth)

    def _of_object(self, value: Record, context: _Context, depth: int) -> Iterator[Found | Refused]:
        try:
            return self._in_object(value, context, depth)
        except RowRefused as error:
            return iter([Refused(error)])

    def _in_object(self, value: Record, context: _Context, depth: int) -> Iterator[Found | Refused]:
        if not _CAMEL_CASE.isdisjoint(value) and _SNAKE_CASE.isdisjoint(value):
            value = _in_snake_case(value)
        if (loaded := loader_record(value)) is not None:
            return self._of_loader(loaded, context, depth)
        kind = value.get("kind")
        if isinstance(kind, str) and kind in TABLE_OF_KIND and _NOT_OF_RECORDS.isdisjoint(value):
            return self._of_record(TABLE_OF_KIND[kind], value, context, depth)
        if (code := error_of(value)) is not None:
            raise RowRefused("kind", code, "an error response, not a record")
        if (unwrapped := self._unwrapped(value, context)) is not None:
            self.answers_count += 1
            return self.records(*unwrapped, depth + 1)
        if "change_type" in value:
            raise RowRefused("change_type", str(kind), "a change without its activity")
        table = table_of(value) or (context.list_name if "id" in value else None)
        if table == "history_days" and context.is_partial_history:
            table = None  # the totals of an iteration or a release, not of the project
        if table is None and "id" in value and _has_stories_without_project(value):
            table = "projects"
        if table is None:
            return self._of_container(value, context, depth)
        return self._of_record(table, value, context, depth)

    def _of_loader(
        self, loaded: LoaderRecord, context: _Context, depth: int
    ) -> Iterator[Found | Refused]:
        """The record of another loader; without a kind, the stream determines its table."""
        self.answers_count += 1
        self._set_recorded_at(loaded.read_at)
        stream = table_of_stream(loaded.stream) or table_of_stream(self.stream)
        record = _parsed(loaded.record)
        if stream and isinstance(record, dict) and not isinstance(record.get("kind"), str):
            return self._of_record(stream, record, context, depth + 1)
        return self.records(record, context, depth + 1)

    def _set_recorded_at(self, text: object) -> None:
        self.recorded_at = _recorded_at(text)
        times = filter(None, (self.last_recorded_at, self.recorded_at))
        self.last_recorded_at = max(times, default=None)

    def _unwrapped(self, value: Record, context: _Context) -> tuple[object, _Context] | None:
        """The response in a recorded interaction, a cache entry or an envelope; None otherwise."""
        response, request = value.get("response"), value.get("request")
        if isinstance(response, dict) and isinstance(request, dict):
            self._set_recorded_at(value.get("recorded_at") or value.get("startedDateTime"))
            address = next((request[name] for name in _ADDRESSES if request.get(name)), "")
            return _body(response), context.of_path(str(address))
        if "PathTemplate" in value and "Data" in value:
            return _parsed(value["Data"]), context.of_keys(value.get("Keys"))
        if "data" in value and ({"http_status", "pagination", "project_version"} & value.keys()):
            return value["data"], context
        return None

    def _of_container(
        self, value: Record, context: _Context, depth: int
    ) -> Iterator[Found | Refused]:
        if _KIND.fullmatch(str(value.get("kind", ""))):
            self.unknown[str(value["kind"])] += 1
            if isinstance(value.get("person"), dict):
                yield Found("people", value["person"])
            return
        context = context.of_container(value)
        for name, each in value.items():
            # A collection of responses may be keyed by path.
            inner = context.of_path(name) if _PATH_IDS.search("/" + name) else context
            for found in self.records(each, inner, depth + 1):
                # What an object with an id contains may be mere references, unlike a webhook's
                # body in an envelope.
                if "id" not in value or (isinstance(found, Found) and _is_complete(found)):
                    yield found

    def _of_record(
        self, table: str, value: Record, context: _Context, depth: int
    ) -> Iterator[Found | Refused]:
        if isinstance(value, LargeObject):
            apart_from = () if table == "iterations" else _nested_lists(table, value)
            value = value.without_large_lists(apart_from)
        nested = _nested_lists(table, value)
        record = context.applied(table, value)
        for name, each in nested.items():
            inner = context.of_record(table, record)
            # `shape` needs the stories of an iteration, to replace them by their ids.
            record = without(record, name)
            if table == "iterations":
                record[name] = each
            listed = replace(inner, list_name=name if name in TABLES else None)
            yield from self.records(each, listed, depth + 1)
        details = record.get("cycle_time_details")
        if table == "stories" and isinstance(details, dict):
            record = without(record, "cycle_time_details")
            of_story = {"story_id": value.get("id"), "project_id": record.get("project_id")}
            yield Found("cycle_time_details", {**details, **of_story})
        if table == "cycle_time_details" and isinstance(value.get(table), dict):
            record = {**value[table], "story_id": value.get("id"), **context.ids}
        yield Found(table, record)


@dataclass(frozen=True)
class _Context:
    """What surrounds a record: the ids in the request's path, and the table of its list."""

    ids: dict[str, int] = field(default_factory=dict)
    list_name: str | None = None
    is_partial_history: bool = False

    def of_path(self, path: str) -> _Context:
        ids = {_ID_FIELDS[name]: int(number) for name, number in _PATH_IDS.findall("/" + path)}
        is_partial = bool(_PARTIAL_HISTORY.search(path))
        return replace(self, ids={**self.ids, **ids}, is_partial_history=is_partial)

    def of_keys(self, keys: object) -> _Context:
        """Add the keys of a cache entry: an object, or a list of names and values."""
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
            if spelt in _ID_FIELDS.values() and _NUMBER.fullmatch(str(value)):
                ids[spelt] = int(value)
        return replace(self, ids={**self.ids, **ids})

    def of_container(self, value: Record) -> _Context:
        """Add the project that an object names beside lists of records."""
        project = value.get("project")
        stated = project.get("id") if isinstance(project, dict) else value.get("project_id")
        if not _NUMBER.fullmatch(str(stated)):
            return self
        return replace(self, ids={**self.ids, "project_id": int(str(stated))})

    def of_record(self, table: str, record: Record) -> _Context:
        project_id = record.get("id" if table == "projects" else "project_id")
        if not isinstance(project_id, int):
            return self
        return replace(self, ids={**self.ids, "project_id": project_id})

    def applied(self, table: str, record: Record) -> Record:
        """Add the ids that a record lacks because they were in the request's path."""
        if not self.ids or table in ("projects", "people", "me", "accounts", "notifications"):
            return record
        ids = dict(self.ids)
        if table == "activity" and isinstance(record.get("project"), dict):
            ids.pop("project_id", None)  # it names its project itself
        if table not in ("comments", "tasks", "blockers", "reviews", "cycle_time_details"):
            ids = {name: value for name, value in ids.items() if name == "project_id"}
        elif "story_id" in record:
            ids.pop("epic_id", None)
        elif "epic_id" in record:
            ids.pop("story_id", None)
        if table != "cycle_time_details" and "story_id" in ids:
            ids.pop("project_id", None)
        missing = {name: each for name, each in ids.items() if record.get(name) is None}
        return {**record, **missing}


def _nested_lists(table: str, value: Record) -> dict[str, list[object] | LargeList]:
    """The lists in a record that contain records of other tables."""
    nested: dict[str, list[object] | LargeList] = {}
    known = _NESTED_TABLES.get(table, ())
    for name in known:
        each = value.get(name)
        if isinstance(each, dict):  # by id, or a single one
            nested[name] = [each] if "id" in each else list(each.values())
        elif isinstance(each, list | LargeList):
            nested[name] = each
    declared = TABLES.get(table)
    if declared:
        for name in value.keys() - declared.columns.keys() - declared.ignored - set(known):
            each = value[name]
            each = list(each.values()) if isinstance(each, dict) else each  # by id
            if _has_records(each):
                nested[name] = each
    return nested


def _has_records(value: object) -> bool:
    """Whether a field is a list of records that have a raw table; people remain in a record."""
    if isinstance(value, LargeList) and value.others is not None:
        return True
    return any(table_of(each) in _LISTED for each in _first_objects(value))


def _has_stories_without_project(value: Record) -> bool:
    """Whether an object nests stories that do not name their project, as only projects do."""
    return any(
        table_of(each) == "stories" and "project_id" not in each
        for each in _first_objects(value.get("stories"))
    )


def _first_objects(value: object) -> Iterator[Record]:
    """The objects among the first elements of a list; none if it is no list."""
    if isinstance(value, list | LargeList):
        firsts = (each for _, each in islice(_numbered(value), _LOOKED_AT))
        yield from (each for each in firsts if isinstance(each, dict))


def _in_snake_case(value: object) -> Any:  # noqa: ANN401 - the same type as the value
    """A value with the names of the API, which some clients write in camel case."""
    if isinstance(value, LargeObject):
        return LargeObject({_snake_case(name): each for name, each in value.items()})
    if isinstance(value, dict):
        return {_snake_case(name): _in_snake_case(each) for name, each in value.items()}
    return [_in_snake_case(each) for each in value] if isinstance(value, list) else value


def _snake_case(name: str) -> str:
    return _CAPITAL.sub("_", name).lower()


def _numbered(value: list[object] | LargeList) -> Iterator[tuple[int, object]]:
    return value.numbered() if isinstance(value, LargeList) else enumerate(value, 1)


def _is_complete(found: Found) -> bool:
    """Whether a record is more than a reference to it."""
    return found.table == "activity" or (found.table == "stories" and not is_stub(found.record))


def without(record: Record, name: str) -> Record:
    """A copy of a record without one of its fields."""
    return {key: value for key, value in record.items() if key != name}


def _body(response: Record) -> object:
    """The body of a recorded response; HAR files and VCR cassettes contain it as text."""
    body = response.get("body") or response.get("content")
    if not isinstance(body, dict) or "kind" in body:
        return body
    text = next((body[name] for name in _TEXTS if isinstance(body.get(name), str)), None)
    if text is not None and (body.get("encoding") == "base64" or "base64_string" in body):
        with suppress(ValueError):
            text = b64decode(text).decode()
    return body if text is None else text


def _parsed(data: object) -> object:
    """A body, parsed if it is text.

    Raises:
        RowRefused: if it is text, but not JSON.
    """
    if not isinstance(data, str):
        return data
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise RowRefused("Data", data, "a body that is not JSON") from None


def _recorded_at(text: object) -> datetime | None:
    """Parse a timestamp in ISO 8601 or in the format of HTTP; None if it is invalid."""
    if (instant := instant_or_none(text)) is not None:
        return instant
    with suppress(TypeError, ValueError, OverflowError):
        return parse_instant(parsedate_to_datetime(str(text)).isoformat())
    return None
