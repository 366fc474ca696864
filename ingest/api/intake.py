"""The way of the records of an answer into rows: whatever cannot be a row is refused by itself."""

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
    history_day_records,
    shape,
    shown,
    to_arrow,
    usable,
)
from ingest.tables import TABLES

RECORD_SOURCE = "api"
# Without these, more than the key, an activity means nothing.
_NEEDED = dict.fromkeys(("activity", "my_activity"), ("guid", "project_id", "project_version"))
_NESTED = {
    "activity": ("project", "performed_by"),
    "my_activity": ("project", "performed_by"),
    "memberships": ("person",),
    "epics": ("label",),
}
# Instants that the server sets, so that none is later than its clock.
_STAMPS = ("created_at", "updated_at", "occurred_at")
_CLOCK_MARGIN = timedelta(minutes=1)
_MOST_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """What became of the records of one answer.

    Attributes:
        records: those that were taken in, shaped for their raw table.
        rows: the same as rows of the raw table, in the same order.
        refused_count: how many were refused.
    """

    records: list[Record]
    rows: pa.Table
    refused_count: int


class Intake:
    """Makes rows of records, refuses those that cannot be rows, and watches the host's clock.

    Attributes:
        clock_fault: why the host's clock is not believed; empty as long as it is.
    """

    def __init__(self, drift: Drift) -> None:
        """Collect in `drift` what does not fit the declared tables, and what is refused."""
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
        """Make rows of the records of an answer.

        Args:
            table_name: the raw table.
            answer: a list of records, or one.
            project_id: the project whose list it is, for records that do not say.
            is_wanted: says which of the shaped records are kept.
            extra: values that each record is given.
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
        """The rows of a page whose records are all plain, so that none of them is refused."""
        assert answer.rows is not None
        self._watch_clock(answer.served_at, answer.rows)
        return Taken([], answer.rows, 0)

    def sentences(self) -> Iterator[str]:
        """One sentence for each list of which something was refused."""
        by_list: dict[str, list[Rejection]] = defaultdict(list)
        for each in dict.fromkeys(self._drift.rejections):
            if each.request:
                by_list[each.request.partition("?")[0]].append(each)
        for request, refused in by_list.items():
            count = "1 record was" if len(refused) == 1 else f"{len(refused):,} records were"
            first = refused[0].sentence
            yield f"{request}: {count} refused (see rejected_rows), the first: {first}"

    def _watch_clock(self, served_at: datetime | None, rows: pa.Table) -> None:
        """Compare the host's clock with ours, and with the newest stamp that it serves."""
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
                if newest is not None and newest > latest:  # nonsense says nothing of the clock
                    stamps = stamps.filter(pc.less_equal(stamps, pa.scalar(latest)))
                    newest = pc.max(stamps).as_py()
                if newest is not None and newest > served_at + _CLOCK_MARGIN:
                    self.clock_fault = (
                        f"{stated}, before a record that it serves ({name} {newest:%F %T} UTC)"
                    )
                    return


def _listed(table_name: str, data: object, project_id: int | None) -> list[Any]:
    if table_name == "history_days":
        if isinstance(data, dict) and project_id is not None:
            return history_day_records(data, project_id)
        return [data]
    return data if isinstance(data, list) else [data]


def _require_objects(table_name: str, record: object) -> None:
    """Refuse what is no object, or has something else where one belongs."""
    if isinstance(record, Unreadable):
        raise RowRefused(None, None, record.reason)
    if not isinstance(record, dict):
        raise RowRefused(None, shown(record), "not an object")
    for name in _NESTED.get(table_name, ()):
        inner = record.get(name)
        if inner is not None and not isinstance(inner, dict):
            raise RowRefused(name, shown(inner), "not an object")
    stories = record.get("stories") if table_name == "iterations" else None
    if stories is not None and not _are_stories(stories):
        raise RowRefused("stories", shown(stories), "not a list of stories")


def _are_stories(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and each.get("id") is not None for each in value
    )
