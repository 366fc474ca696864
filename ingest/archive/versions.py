"""Which of several versions of one record wins, in a run and against what is stored already."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ingest.contract import TRUST
from ingest.records import Record, parse_instant

NEVER = parse_instant("1970-01-01T00:00:00Z")  # the instant of what does not say
CLOCKS = ("updated_at", "occurred_at", "created_at")
_INSTANT_FIELDS = frozenset({"deadline", "start", "finish"})
_MILLISECONDS = 10**11  # less than this would be a time before 1973


class Version(NamedTuple):
    """How far one version of a record is trusted. Of two versions the greater one wins.

    Attributes:
        rank: the source: a CSV export, a project history, JSON, the API.
        at: the instant of the record itself; of a CSV row that of its file.
        number: Tracker's own version number; 0 where there is none.
        read_at: when it was read from the API; else the instant of its file.
        place: the place of its file among those of the run, from the oldest; two files that say
            nothing of their time are told apart by name, time stamp on disk and content, and
            never by the order of their folders.
    """

    rank: int
    at: datetime
    number: int
    read_at: datetime
    place: int = 0


def version_of(
    record: Record, record_source: str | None, read_at: datetime | None, place: int = 0
) -> Version:
    """The version that a record is.

    Args:
        record: the record, or what is stored of it: its instants and its number.
        record_source: where it was read from.
        read_at: when; None when nothing says so.
        place: see `Version`.
    """
    rank = TRUST.get(record_source or "", TRUST["api"])
    number = record.get("version")
    read = read_at or NEVER
    at = clock_of(record) if rank >= TRUST["json"] else read
    return Version(rank, at, number if isinstance(number, int) else 0, read, place)


def clock_of(record: Record) -> datetime:
    """The instant that a version of a record is of; `NEVER` when it has none."""
    for name in CLOCKS:
        value = record.get(name)
        if isinstance(value, datetime):
            return value
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
