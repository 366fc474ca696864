"""Find the plain rows of a stories CSV: those in which `StoryRows` would refuse nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.csv import cells as read
from ingest.archive.csv.exports import DATES
from ingest.archive.csv.row_batches import RowBatch
from ingest.archive.csv.rows import SUSPICIOUS_LINE
from ingest.archive.csv.story_records import StoryRows
from ingest.archive.dates import Moments
from ingest.archive.distinct_texts import DistinctTexts
from ingest.archive.text_columns import flags, without_nulls

_TYPES = read.STORY_TYPES - {"release"}
_ONE_LINE = ("type", "estimate", "priority", "current state", "labels", "requested by")


def are_plain(rows: StoryRows, batch: RowBatch, at: dict[str, DistinctTexts]) -> np.ndarray:
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


def ordinals(moments: Moments, texts: DistinctTexts, absent: int) -> np.ndarray:
    """The days of a column as ordinals; `absent` for empty and invalid cells."""
    is_readable = _readable(moments.__getitem__)
    found = (moments[each] if is_readable(each) else None for each in texts.distinct)
    days = [moment.day.toordinal() if moment else absent for moment in found]
    return np.array(days, np.int64)[texts.codes]


def _are_in_order(rows: StoryRows, at: dict[str, DistinctTexts]) -> np.ndarray:
    first, last = "iteration start", "iteration end"
    starts = ordinals(rows.moments[first], at[first], 0)
    return starts <= ordinals(rows.moments[last], at[last], 1 << 30)


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
