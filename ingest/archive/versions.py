"""Decide which of several versions of a record wins, within a run and against stored rows."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ingest.contract import TRUST
from ingest.records import Record, instant_or_none, parse_instant

NEVER = parse_instant("1970-01-01T00:00:00Z")  # stands for an unknown time
CLOCKS = ("updated_at", "occurred_at", "created_at")
_INSTANT_FIELDS = frozenset({"deadline", "start", "finish"})
_MILLISECONDS = 10**11  # a smaller number would be a time before 1973


class Version(NamedTuple):
    """The precedence of one version of a record. Of two versions the greater one wins.

    Attributes:
        rank: the trust in the source: a CSV export, a project history, JSON, or the API.
        at: the record's own timestamp; for a CSV row, the time of its file.
        number: Tracker's own version number; 0 if there is none.
        read_at: when it was read from the API; for a file, the time of the file.
        place: the position of its file among those of the run, sorted from the oldest (see
            `chronology.in_order`).
    """

    rank: int
    at: datetime
    number: int
    read_at: datetime
    place: int = 0


def version_of(
    record: Record, record_source: str | None, read_at: datetime | None, place: int = 0
) -> Version:
    """The version of a record.

    Args:
        record: the record, or at least its timestamps and version number.
        record_source: the kind of source that it was read from.
        read_at: when it was read; None if unknown.
        place: see `Version`.
    """
    rank = TRUST.get(record_source or "", TRUST["api"])
    number = record.get("version")
    read = read_at or NEVER
    at = clock_of(record) if rank >= TRUST["json"] else read
    return Version(rank, at, number if isinstance(number, int) else 0, read, place)


def clock_of(record: Record) -> datetime:
    """The timestamp of a record's version; `NEVER` if it has none."""
    for name in CLOCKS:
        value = record.get(name)
        if isinstance(value, datetime):
            return value
        if isinstance(value, str | int) and (instant := _instant(value)) is not None:
            return instant
    return NEVER


_instant = lru_cache(maxsize=50_000)(instant_or_none)


def with_iso_instants(record: Record) -> Record:
    """Convert the millisecond timestamps of webhooks to ISO 8601."""
    for name in CLOCKS:
        if isinstance(record.get(name), int):
            return {key: _converted(value, key) for key, value in record.items()}
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
