"""The instant that a version of a record is of, and instants as files write them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from ingest.records import Record, parse_instant

NEVER = parse_instant("1970-01-01T00:00:00Z")  # the instant of what does not say
_CLOCKS = ("updated_at", "occurred_at", "created_at")
_INSTANT_FIELDS = frozenset({"deadline", "start", "finish"})
_MILLISECONDS = 10**11  # less than this would be a time before 1973


def clock_of(record: Record) -> datetime:
    """The instant that a version of a record is of; `NEVER` when it has none."""
    for name in _CLOCKS:
        value = record.get(name)
        if isinstance(value, str | int) and (instant := _instant(value)) is not None:
            return instant
    return NEVER


@lru_cache(maxsize=50_000)
def _instant(value: str | int) -> datetime | None:
    try:
        return parse_instant(value)
    except (ValueError, OverflowError, OSError):
        return None


def with_iso_instants(record: Record) -> Record:
    """A record whose times are ISO 8601, where web-hooks gave milliseconds."""
    for name in _CLOCKS:
        if isinstance(record.get(name), int):
            return _converted(record)
    return record


def _converted(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _converted(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_converted(each) for each in value]
    is_instant = name.endswith("_at") or name in _INSTANT_FIELDS
    if is_instant and type(value) is int and abs(value) > _MILLISECONDS:
        instant = _instant(value)
        return value if instant is None else instant.isoformat().replace("+00:00", "Z")
    return value
