"""Read the plain rows of a stories CSV in bulk, column by column.

A row is plain if it is a story in which `StoryRows` would refuse nothing. This module converts such
rows to the same values, several times faster, because dates, people, labels and states repeat. All
other rows are left to `StoryRows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.csv import cells as read
from ingest.archive.csv.exports import DATES
from ingest.archive.csv.part_columns import part_lists
from ingest.archive.csv.row_batches import RowBatch
from ingest.archive.csv.rows import SUSPICIOUS_LINE, Row
from ingest.archive.csv.story_records import StoryRows, is_date_only
from ingest.archive.dates import Moments
from ingest.archive.errors import RowRefused
from ingest.archive.id_set import are_distinct
from ingest.archive.text_columns import (
    DistinctTexts,
    flags,
    group_rows,
    without_empty,
    without_nulls,
)
from ingest.tables import ARROW_TYPES, TABLES

_INSTANTS = (
    ("created at", "created_at"), ("accepted at", "accepted_at"), ("deadline", "deadline")
)  # fmt: skip
_TYPES = read.STORY_TYPES - {"release"}
_ONE_LINE = ("type", "estimate", "priority", "current state", "labels", "requested by")


class PlainRows:
    """Splits batches into plain rows, as rows of `stories`, and other rows."""

    def __init__(self, rows: StoryRows, record_source: str, file: str) -> None:
        """Prepare to read.

        Args:
            rows: the reader of all other rows, with which this shares ids, labels and facts.
            record_source: stored with each row.
            file: stored with each row.
        """
        self._rows = rows
        self._source = record_source
        self._file = file
        self._label_list = cache(lambda cell: orjson.dumps(rows.labels(cell)))
        self._owners = cache(self._owners_of)

    def split(self, batch: RowBatch) -> tuple[pa.Table, list[Row]]:
        """The plain rows as rows of `stories`, and the other rows as cells."""
        at = self._at(batch.columns)
        plain = _are_plain(self._rows, batch, at)
        others = list(batch.only(~plain).rows())
        if not plain.all():
            batch_of_plain = batch.only(plain)
            at = self._at(batch_of_plain.columns)
        else:
            batch_of_plain = batch
        ids = at["id"].cells.cast(pa.int64())
        if not self._are_new(ids, others):
            return TABLES["stories"].arrow_schema.empty_table(), list(batch.rows())
        self._rows.ids["stories"].add_all(ids.to_numpy())
        return self._stories(batch_of_plain, at, ids), others

    def _at(self, columns: list[pa.StringArray]) -> dict[str, DistinctTexts]:
        """The single columns, by name."""
        single = self._rows.columns.single
        return {name: DistinctTexts(columns[place]) for name, place in single.items()}

    def _are_new(self, ids: pa.Int64Array, others: list[Row]) -> bool:
        """Whether no id occurs twice; which of two rows is refused depends on their order."""
        single = self._rows.columns.single
        positions = [single[name] for name in ("id", "url") if name in single]
        numbers = ids.to_numpy()
        ids_of_others = {
            read.parse_id(row[each].rpartition("/")[2])
            for _, row in others
            for each in positions
            if not isinstance(row, RowRefused) and each < len(row)
        }
        if ids_of_others and not ids_of_others.isdisjoint(numbers.tolist()):
            return False
        return are_distinct(numbers) and not self._rows.ids["stories"].has_any(numbers)

    def _stories(
        self, batch: RowBatch, at: dict[str, DistinctTexts], ids: pa.Int64Array
    ) -> pa.Table:
        rows, count = self._rows, len(ids)
        empty = DistinctTexts(pa.nulls(count, pa.string()))
        found: dict[str, pa.Array] = {
            "id": ids,
            "project_id": pa.repeat(pa.scalar(rows.facts.id, pa.int64()), count),
            "name": without_nulls(at.get("title", empty).cells),
            "story_type": _lowered(at["type"]),
            "current_state": _lowered(at["current state"]),
            "record_source": pa.repeat(pa.scalar(self._source), count),
            "source_file": pa.repeat(pa.scalar(self._file), count),
            "source_line": pa.array(batch.lines),
        }
        if "labels" in at:
            found["labels"] = at["labels"].mapped(self._label_list, pa.string())
        for name in ("description", "url"):
            if name in at:
                found[name] = without_empty(at[name].cells)
        self._add_instants(found, at)
        self._add_plain_values(found, at)
        self._add_owners(found, batch.columns, count)
        found |= part_lists(rows, batch.columns, ids.to_numpy())
        self._add_iterations(at, ids.to_numpy())
        arrays = [
            found[field.name] if field.name in found else pa.nulls(count, field.type)
            for field in TABLES["stories"].arrow_schema
        ]
        return pa.Table.from_arrays(arrays, schema=TABLES["stories"].arrow_schema)

    def _add_instants(self, found: dict[str, pa.Array], at: dict[str, DistinctTexts]) -> None:
        """Add the timestamps, and whether they are dates without times."""
        rows = self._rows
        codes, moments = [], []
        for name, field in _INSTANTS:
            if name not in at:
                continue
            parsed = rows.moments[name]
            found_moments = [parsed[each] if each else None for each in at[name].distinct]
            texts = pa.array([each.text if each else None for each in found_moments], pa.string())
            taken = pa.array(at[name].codes)
            found[field] = texts.cast(ARROW_TYPES["timestamp"]).take(taken)
            if name != "deadline":
                codes.append(at[name].codes)
                moments.append(found_moments)
                rows.facts.update_newest(
                    max(filter(None, found_moments), key=lambda each: each.at, default=None)
                )
        count = len(found["id"])
        firsts, combined = (
            group_rows(*codes) if codes else (np.empty(0, np.int64), np.zeros(count, np.int64))
        )
        are_dates = [
            is_date_only(*(each[code[row]] for code, each in zip(codes, moments, strict=True)))
            for row in firsts
        ]
        found["is_date_only"] = pa.array(are_dates or [True]).take(pa.array(combined))

    def _add_plain_values(self, found: dict[str, pa.Array], at: dict[str, DistinctTexts]) -> None:
        def points(cell: str) -> float | None:
            return read.parse_estimate(cell) if cell else None

        id_of = self._rows.people.id_of
        if "estimate" in at:
            doubles = at["estimate"].mapped(points, pa.float64())
            found["estimate"] = doubles.cast(ARROW_TYPES["decimal"])
            estimates = {points(each) for each in at["estimate"].distinct}
            self._rows.facts.estimates.update(each for each in estimates if each is not None)
        if "priority" in at:
            found["story_priority"] = at["priority"].mapped(
                lambda cell: read.parse_priority(cell) if cell else None, pa.string()
            )
        if "iteration" in at:
            found["iteration_number"] = at["iteration"].mapped(read.parse_iteration, pa.int64())
        if "requested by" in at:
            found["requested_by_id"] = at["requested by"].mapped(
                lambda cell: id_of(cell.strip()) if cell.strip() else None, pa.int64()
            )

    def _add_owners(
        self, found: dict[str, pa.Array], columns: list[pa.StringArray], count: int
    ) -> None:
        owned_by = self._rows.columns.groups["owned by"]
        if not owned_by:
            return
        owners = [
            texts
            for (position,) in owned_by
            if not (texts := DistinctTexts(columns[position])).is_empty
        ]
        if not owners:
            found["owner_ids"] = pa.repeat(pa.scalar("[]"), count)
            return
        firsts, codes = group_rows(*(each.codes for each in owners))
        names = ([each.distinct[each.codes[row]] for each in owners] for row in firsts.tolist())
        owners_of = [self._owners(*each) for each in names]
        for place, (name, kind) in enumerate(
            (("owner_ids", pa.string()), ("owned_by_id", pa.int64()), ("owners", pa.string()))
        ):
            values = pa.array([each[place] for each in owners_of], kind)
            found[name] = values.take(pa.array(codes))

    def _owners_of(self, *names: str) -> tuple[bytes, int | None, bytes | None]:
        record = self._rows.owners(names)
        owners = record.get("owners")
        return (
            orjson.dumps(record["owner_ids"]),
            record.get("owned_by_id"),
            orjson.dumps(owners) if owners else None,
        )

    def _add_iterations(self, at: dict[str, DistinctTexts], ids: np.ndarray) -> None:
        """Add the iterations to the project's facts, as `StoryRows` does."""
        names = ("iteration", "iteration start", "iteration end")
        if not all(name in at and not at[name].is_empty for name in names):
            return
        rows, facts = self._rows, self._rows.facts
        numbers, starts, ends = (at[name] for name in names)
        done = np.zeros(len(ids), np.int64)
        if "accepted at" in at:
            is_accepted = at["current state"].where(lambda cell: cell.strip().lower() == "accepted")
            days = _ordinals(rows.moments["accepted at"], at["accepted at"], 0)
            done = np.where(is_accepted, days, 0)
        for here in _alike(numbers.codes, starts.codes, ends.codes):
            number, first, last = (
                each.distinct[each.codes[here[0]]] for each in (numbers, starts, ends)
            )
            start = rows.moments["iteration start"][first]
            end = rows.moments["iteration end"][last]
            if not (number.strip() and start and end):
                continue
            span = start.day, end.day
            facts.iterations[int(number)][span].extend(ids[here].tolist())
            days = done[here]
            first_day, last_day = (day.toordinal() for day in span)
            is_outside = (days > 0) & ((days < first_day) | (days > last_day))
            facts.misplaced_count += int(is_outside.sum())


def _lowered(texts: DistinctTexts) -> pa.Array:
    return texts.mapped(lambda cell: cell.strip().lower(), pa.string())


def _alike(*codes: np.ndarray) -> Iterator[np.ndarray]:
    """Groups of rows with the same codes, each in order, sorted by their first rows."""
    order = np.lexsort(codes[::-1])
    sorted_codes = np.stack(codes)[:, order]
    starts = np.flatnonzero((np.diff(sorted_codes, axis=1) != 0).any(axis=0)) + 1
    yield from sorted(np.split(order, starts), key=lambda rows: rows[0]) if len(order) else ()


# Which rows are plain ---------------------------------------------------------------------------


def _are_plain(rows: StoryRows, batch: RowBatch, at: dict[str, DistinctTexts]) -> np.ndarray:
    """For each row, whether it is plain.

    Args:
        rows: the header and its parsers.
        batch: the rows.
        at: the single columns, by name.
    """
    header, columns = rows.columns, batch.columns
    id_cells = without_nulls(at["id"].cells)
    plain = flags(pc.match_substring_regex(id_cells, r"^[1-9]\d{0,11}$"))
    if "url" in at:
        plain &= _are_urls(without_nulls(at["url"].cells), id_cells)
    plain &= at["type"].where(lambda cell: cell.strip().lower() in _TYPES)
    plain &= at["current state"].where(lambda cell: cell.strip().lower() in read.STATES)
    for name, read_one in (
        ("estimate", lambda cell: cell and read.parse_estimate(cell)),
        ("priority", lambda cell: cell and read.parse_priority(cell)),
        ("iteration", read.parse_iteration),
        *((name, rows.moments[name].__getitem__) for name in DATES),
    ):
        if name in at:
            plain &= at[name].where(_readable(read_one))
    for name in _ONE_LINE:
        if name in at:
            plain &= at[name].where(lambda cell: "\n" not in cell)
    for (position,) in header.groups["owned by"]:
        plain &= DistinctTexts(columns[position]).where(lambda cell: "\n" not in cell)
    if {"iteration start", "iteration end"} <= at.keys():
        plain &= _are_in_order(rows, at)
    for _, position in header.unknown:
        plain &= ~flags(pc.greater(pc.binary_length(columns[position]), 0))
    return plain & _are_plain_texts(rows, batch, at)


def _ordinals(moments: Moments, texts: DistinctTexts, absent: int) -> np.ndarray:
    """The days of a column as ordinals; `absent` for empty and invalid cells."""
    is_readable = _readable(moments.__getitem__)
    found = (moments[each] if is_readable(each) else None for each in texts.distinct)
    days = [moment.day.toordinal() if moment else absent for moment in found]
    return np.array(days, np.int64)[texts.codes]


def _are_in_order(rows: StoryRows, at: dict[str, DistinctTexts]) -> np.ndarray:
    first, last = "iteration start", "iteration end"
    starts = _ordinals(rows.moments[first], at[first], 0)
    return starts <= _ordinals(rows.moments[last], at[last], 1 << 30)


def _are_plain_texts(rows: StoryRows, batch: RowBatch, at: dict[str, DistinctTexts]) -> np.ndarray:
    """For each row, whether no text starts with an apostrophe or has a suspicious line."""
    places = {
        place
        for name, spans in rows.columns.groups.items()
        if name != "owned by"
        for span in spans
        for place in span
        if place >= 0
    }
    plain = np.ones(len(batch.lines), np.bool_)
    for name in ("title", "description"):
        if name in at:
            plain &= ~flags(pc.starts_with(at[name].cells, "'"))
            places.add(rows.columns.single[name])
    for place in places:
        broken = np.flatnonzero(batch.line_breaks[place])
        if len(broken):
            texts = batch.columns[place].take(pa.array(broken))
            plain[broken] &= ~flags(pc.match_substring_regex(texts, SUSPICIOUS_LINE))
    return plain


def _readable(read_one: Callable[[str], Any]) -> Callable[[str], bool]:
    def is_readable(cell: str) -> bool:
        try:
            read_one(cell)
        except ValueError:
            return False
        return True

    return is_readable


def _are_urls(urls: pa.StringArray, ids: pa.StringArray) -> np.ndarray:
    """Whether each URL is empty, or the first URL with the row's own id."""
    is_empty = flags(pc.equal(pc.binary_length(urls), 0))
    first = next((each.as_py() for each in urls if each.as_py()), "")
    prefix = first[: first.rfind("/") + 1]
    expected = pc.binary_join_element_wise(prefix, ids, "")
    return is_empty | flags(pc.equal(urls, expected))
