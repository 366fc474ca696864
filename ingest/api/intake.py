"""Convert the records of a response to rows; records that cannot be rows are refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.api.http.answers import Answer, Unreadable
from ingest.records import (
    Drift,
    Record,
    Rejection,
    RowRefused,
    excerpt,
    history_day_records,
    shape,
    to_arrow,
    usable,
)
from ingest.tables import TABLES

RECORD_SOURCE = "api"
# Columns that an activity must have, in addition to its key.
_NEEDED = dict.fromkeys(("activity", "my_activity"), ("guid", "project_id", "project_version"))
_NESTED = {
    "activity": ("project", "performed_by"),
    "my_activity": ("project", "performed_by"),
    "memberships": ("person",),
    "epics": ("label",),
}
# Timestamps that the server sets, so they cannot be later than its clock.
_STAMPS = ("created_at", "updated_at", "occurred_at")
_CLOCK_MARGIN = timedelta(minutes=1)
_MOST_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """The converted records of one response.

    Attributes:
        records: the accepted records, shaped for their raw table; empty if rows were read in bulk.
        rows: the rows of the raw table, in the same order.
        refused_count: the number of refused records.
    """

    records: list[Record]
    rows: pa.Table
    refused_count: int


class Intake:
    """Converts records to rows, and checks the host's clock.

    Attributes:
        clock_fault: why the host's clock must be wrong; empty if it seems right.
    """

    def __init__(self, drift: Drift) -> None:
        """Collect refused records, and what does not fit the declared tables, in `drift`."""
        self.clock_fault = ""
        self._drift = drift

    def take(
        self,
        table_name: str,
        answer: Answer,
        project_id: int | None = None,
        *,
        is_wanted: Callable[[Record], bool] = lambda record: True,
        extra: Mapping[str, Any] | None = None,
    ) -> Taken:
        """Convert the records of a response to rows.

        Args:
            table_name: the raw table.
            answer: a list of records, or a single one.
            project_id: the project whose list was read, for records without a project id.
            is_wanted: which of the shaped records to keep.
            extra: values to add to each record.
        """
        table, rejections = TABLES[table_name], self._drift.rejections
        needed = _NEEDED.get(table_name, table.key)
        records: list[Record] = []
        places: list[int] = []
        refused_before = len(rejections)
        for place, record in enumerate(_listed(table_name, answer.data, project_id), 1):
            try:
                _require_objects(table_name, record)
                shaped = {**shape(table_name, record, project_id), **(extra or {})}
                shaped = usable(table, needed, shaped)
            except RowRefused as refused:
                parts = (refused.column, refused.value, refused.reason, table_name)
                rejections.append(Rejection(None, None, *parts, answer.request, place))
                continue
            if is_wanted(shaped):
                records.append(shaped)
                places.append(place)
        converted_before = len(rejections)
        rows = to_arrow(table, records, RECORD_SOURCE, self._drift, request=answer.request)
        lost = [(each.record or 1) - 1 for each in rejections[converted_before:]]
        for index, each in enumerate(lost, converted_before):
            rejections[index] = replace(rejections[index], record=places[each])
        for each in reversed(lost):
            del records[each]
        self._watch_clock(answer.served_at, rows)
        return Taken(records, rows, len(rejections) - refused_before)

    def accept(self, answer: Answer) -> Taken:
        """Accept a page that was converted in bulk, in which all records are valid."""
        assert answer.rows is not None
        self._watch_clock(answer.served_at, answer.rows)
        return Taken([], answer.rows, 0)

    def sentences(self) -> Iterator[str]:
        """One sentence for each list with refused records."""
        by_list: dict[str, list[Rejection]] = defaultdict(list)
        for each in dict.fromkeys(self._drift.rejections):
            if each.request:
                by_list[each.request.partition("?")[0]].append(each)
        for request, refused in by_list.items():
            count = "1 record was" if len(refused) == 1 else f"{len(refused):,} records were"
            first = refused[0].sentence
            yield f"{request}: {count} refused (see rejected_rows), the first: {first}"

    def _watch_clock(self, served_at: datetime | None, rows: pa.Table) -> None:
        """Compare the host's clock with the local one, and with the newest timestamp in rows."""
        if served_at is None or self.clock_fault:
            return
        latest = datetime.now(UTC) + _MOST_AHEAD
        stated = f"the host's clock says {served_at:%Y-%m-%d %H:%M:%S} UTC"
        if served_at > latest:
            self.clock_fault = f"{stated}, more than a day ahead of this machine's"
            return
        for name in _STAMPS:
            if name in rows.schema.names and rows.num_rows:
                stamps = rows[name]
                newest = pc.max(stamps).as_py()
                if newest is not None and newest > latest:  # ignore timestamps in the future
                    stamps = stamps.filter(pc.less_equal(stamps, pa.scalar(latest)))
                    newest = pc.max(stamps).as_py()
                if newest is not None and newest > served_at + _CLOCK_MARGIN:
                    self.clock_fault = (
                        f"{stated}, which is before a record's {name}, {newest:%F %T} UTC"
                    )
                    return


def _listed(table_name: str, data: object, project_id: int | None) -> list[Any]:
    if table_name == "history_days":
        if isinstance(data, dict) and project_id is not None:
            return history_day_records(data, project_id)
        return [data]
    return data if isinstance(data, list) else [data]


def _require_objects(table_name: str, record: object) -> None:
    """Refuse a record that is not an object, or in which a nested object is something else."""
    if isinstance(record, Unreadable):
        raise RowRefused(None, None, record.reason)
    if not isinstance(record, dict):
        raise RowRefused(None, excerpt(record), "not an object")
    for name in _NESTED.get(table_name, ()):
        inner = record.get(name)
        if inner is not None and not isinstance(inner, dict):
            raise RowRefused(name, excerpt(inner), "not an object")
    stories = record.get("stories") if table_name == "iterations" else None
    if stories is not None and not _are_stories(stories):
        raise RowRefused("stories", excerpt(stories), "not a list of stories")


def _are_stories(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and each.get("id") is not None for each in value
    )
