"""Many rows of a stories CSV at once, column by column, where each row is plain.

A row is plain when reading it cell by cell (`stories_csv`) would refuse nothing and find nothing
but a story: of such rows the same values come out, several times faster, because days, people,
labels and states repeat. Every other row is left to the reading cell by cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive import cells as read
from ingest.archive.errors import RowRefused
from ingest.archive.row_batches import RowBatch
from ingest.archive.rows import Row
from ingest.archive.stories_csv import StoryRows
from ingest.tables import ARROW_TYPES, TABLES

_TYPES = read.STORY_TYPES - {"release"}
_DAYS = ("created at", "accepted at", "deadline", "iteration start", "iteration end")
# A line inside a cell that may be a merge-conflict marker or another row: looked at by itself.
_SUSPICIOUS = r"(?m)^(?:[<>]{7} |\d{3,12},)"


class _Texts:
    """One column: its cells, and its distinct cells with the place of each in the rows."""

    def __init__(self, cells: pa.StringArray) -> None:
        self.cells = cells

    @cached_property
    def _encoded(self) -> pa.DictionaryArray:
        return self.cells.fill_null("").dictionary_encode()

    @cached_property
    def codes(self) -> np.ndarray:
        return self._encoded.indices.to_numpy()

    @cached_property
    def distinct(self) -> list[str]:
        return self._encoded.dictionary.to_pylist()

    @property
    def is_empty(self) -> bool:
        return self.cells.null_count == len(self.cells)

    def where(self, is_so: Callable[[str], bool]) -> np.ndarray:
        """For each row whether its cell is such."""
        return np.array([is_so(each) for each in self.distinct], np.bool_)[self.codes]

    def mapped(self, read_one: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
        """What each cell means, each distinct one read once."""
        values = pa.array([read_one(each) for each in self.distinct], kind)
        return values.take(pa.array(self.codes))

    def texts(self) -> list[str]:
        """The cells as they are."""
        distinct = self.distinct
        return [distinct[code] for code in self.codes]


class PlainRows:
    """Splits batches of rows into plain ones, as rows of `stories`, and the others."""

    def __init__(self, rows: StoryRows, record_source: str, file: str) -> None:
        """Prepare to read.

        Args:
            rows: reads rows cell by cell; what is found out is kept in one place with it.
            record_source: stored with each row.
            file: stored with each row.
        """
        self._rows = rows
        self._source = record_source
        self._file = file
        self._owner_lists: dict[tuple[str, ...], tuple[bytes, int | None, bytes | None]] = {}

    def split(self, batch: RowBatch) -> tuple[pa.Table, list[Row]]:
        """The plain rows as rows of `stories`, and the other ones as cells."""
        plain = self._are_plain(batch)
        others = list(batch.only(~plain).rows())
        batch_of_plain = batch if plain.all() else batch.only(plain)
        columns, lines = batch_of_plain.columns, batch_of_plain.lines
        ids = self._at(columns, "id").cells.cast(pa.int64())
        if not self._are_new(ids, others):
            return TABLES["stories"].arrow_schema.empty_table(), list(batch.rows())
        self._rows.ids("stories").update(ids.to_pylist())
        return self._stories(columns, ids, lines), others

    def _at(self, columns: list[pa.StringArray], name: str) -> _Texts:
        position = self._rows.columns.single.get(name)
        if position is None:
            return _Texts(pa.nulls(len(columns[0]), pa.string()))
        return _Texts(columns[position])

    def _are_new(self, ids: pa.Int64Array, others: list[Row]) -> bool:
        """Whether no id stands twice: which of two rows is refused depends on their order."""
        position = self._rows.columns.single["id"]
        known = self._rows.ids("stories")
        here = set(ids.to_pylist())
        told = {
            cells[position].strip().lstrip("#")
            for _, cells in others
            if not isinstance(cells, RowRefused) and position < len(cells)
        }
        return len(here) == len(ids) and here.isdisjoint(known) and told.isdisjoint(map(str, here))

    # Which rows are plain ----------------------------------------------------------------------

    def _are_plain(self, batch: RowBatch) -> np.ndarray:
        columns, header = batch.columns, self._rows.columns
        at = {name: self._at(columns, name) for name in header.single}
        id_cells = at["id"].cells.fill_null("")
        plain = _flags(pc.match_substring_regex(id_cells, r"^[1-9]\d{0,11}$"))
        if "url" in at:
            plain &= _are_urls(at["url"].cells.fill_null(""), id_cells)
        plain &= at["type"].where(lambda cell: cell.strip().lower() in _TYPES)
        if "current state" not in at:
            return np.zeros_like(plain)
        plain &= at["current state"].where(lambda cell: cell.strip().lower() in read.STATES)
        for name, read_one in (
            ("estimate", lambda cell: cell and read.parse_estimate(cell)),
            ("priority", lambda cell: cell and read.parse_priority(cell)),
            ("iteration", _iteration_number),
            *((name, self._rows.days.__getitem__) for name in _DAYS),
        ):
            if name in at:
                plain &= at[name].where(_readable(read_one))
        for name in ("type", "estimate", "priority", "current state", "labels", "requested by"):
            if name in at:
                plain &= at[name].where(lambda cell: "\n" not in cell)
        for (position,) in header.groups["owned by"]:
            plain &= _Texts(columns[position]).where(lambda cell: "\n" not in cell)
        if {"iteration start", "iteration end"} <= at.keys():
            plain &= self._are_in_order(at["iteration start"], at["iteration end"])
        for _, position in header.unknown:
            plain &= ~_flags(pc.greater(pc.binary_length(columns[position]), 0))
        return plain & self._are_plain_texts(columns, at)

    def _are_in_order(self, starts: _Texts, ends: _Texts) -> np.ndarray:
        def ordinals(texts: _Texts, absent: int) -> np.ndarray:
            days = (
                self._rows.days[each] if _readable(self._rows.days.__getitem__)(each) else None
                for each in texts.distinct
            )
            return np.array([day.toordinal() if day else absent for day in days])[texts.codes]

        return ordinals(starts, 0) <= ordinals(ends, 1 << 30)

    def _are_plain_texts(self, columns: list[pa.StringArray], at: dict[str, _Texts]) -> np.ndarray:
        groups = self._rows.columns.groups
        positions = {
            place
            for name, spans in groups.items()
            if name != "owned by"
            for span in spans
            for place in span
            if place >= 0
        }
        texts = [at[name].cells for name in ("title", "description") if name in at]
        plain = np.ones(len(columns[0]), np.bool_)
        for cells in texts:  # a guard against spreadsheets
            plain &= ~_flags(pc.starts_with(cells, "'"))
        for cells in [*texts, *(columns[each] for each in positions)]:
            if cells.null_count < len(cells):
                broken = _flags(pc.match_substring(cells, "\n"))
                if broken.any():
                    suspicious = pc.match_substring_regex(
                        cells.filter(pa.array(broken)), _SUSPICIOUS
                    )
                    plain[broken] &= ~_flags(suspicious)
        return plain

    # Their values ------------------------------------------------------------------------------

    def _stories(
        self, columns: list[pa.StringArray], ids: pa.Int64Array, lines: np.ndarray
    ) -> pa.Table:
        rows, count = self._rows, len(ids)
        at = {name: self._at(columns, name) for name in rows.columns.single}
        days = {name: at[name] for name in _DAYS if name in at}
        found: dict[str, pa.Array] = {
            "id": ids,
            "project_id": pa.repeat(pa.scalar(rows.facts.id, pa.int64()), count),
            "name": at["title"].cells.fill_null(""),
            "story_type": at["type"].mapped(lambda cell: cell.strip().lower(), pa.string()),
            "current_state": at["current state"].mapped(
                lambda cell: cell.strip().lower(), pa.string()
            ),
            "labels": self._labels(at.get("labels"), count),
            "record_source": pa.repeat(pa.scalar(self._source), count),
            "source_file": pa.repeat(pa.scalar(self._file), count),
            "source_line": pa.array(lines),
            "is_date_only": pa.repeat(pa.scalar(True), count),
        }
        for name, field in (("description", "description"), ("url", "url")):
            if name in at:
                cells = at[name].cells
                found[field] = pc.if_else(pc.equal(pc.binary_length(cells), 0), None, cells)
        for name, field in zip(_DAYS[:3], ("created_at", "accepted_at", "deadline"), strict=True):
            if name in days:
                found[field] = self._instants(days[name])
        for name in ("created at", "accepted at"):
            if name in days and not days[name].is_empty:
                told = filter(None, map(rows.days.__getitem__, days[name].distinct))
                rows.facts.saw_day(max(told, default=None))
        self._add_plain_values(found, at)
        self._add_people(found, columns, at, count)
        self._add_parts(found, columns, ids)
        self._note_iterations(at, found, ids)
        return _as_rows_of_stories(found, count)

    def _instants(self, days: _Texts) -> pa.Array:
        midnights = self._rows.midnights

        def instant(cell: str) -> str | None:
            day = self._rows.days[cell] if cell else None
            return midnights[day] if day else None

        texts = pa.array([instant(each) for each in days.distinct], pa.string())
        return texts.cast(ARROW_TYPES["timestamp"]).take(pa.array(days.codes))

    def _labels(self, cells: _Texts | None, count: int) -> pa.Array:
        if cells is None:
            return pa.repeat(pa.scalar("[]"), count)
        return cells.mapped(lambda cell: orjson.dumps(self._rows.labels(cell)), pa.string())

    def _add_plain_values(self, found: dict[str, pa.Array], at: dict[str, _Texts]) -> None:
        def points(cell: str) -> float | None:
            return read.parse_estimate(cell) if cell else None

        if "estimate" in at:
            doubles = at["estimate"].mapped(points, pa.float64())
            found["estimate"] = doubles.cast(ARROW_TYPES["decimal"])
            told = {points(each) for each in at["estimate"].distinct}
            self._rows.facts.estimates.update(each for each in told if each is not None)
        if "priority" in at:
            found["story_priority"] = at["priority"].mapped(
                lambda cell: read.parse_priority(cell) if cell else None, pa.string()
            )
        if "iteration" in at:
            found["iteration_number"] = at["iteration"].mapped(_iteration_number, pa.int64())

    def _add_people(
        self,
        found: dict[str, pa.Array],
        columns: list[pa.StringArray],
        at: dict[str, _Texts],
        count: int,
    ) -> None:
        id_of = self._rows.people.id_of
        if "requested by" in at:
            found["requested_by_id"] = at["requested by"].mapped(
                lambda cell: id_of(cell.strip()) if cell.strip() else None, pa.int64()
            )
        owners = [
            texts
            for (position,) in self._rows.columns.groups["owned by"]
            if not (texts := _Texts(columns[position])).is_empty
        ]
        if not owners:
            found["owner_ids"] = pa.repeat(pa.scalar("[]"), count)
            return
        told = [self._owners(each) for each in zip(*(each.texts() for each in owners), strict=True)]
        for place, (name, kind) in enumerate(
            (("owner_ids", pa.string()), ("owned_by_id", pa.int64()), ("owners", pa.string()))
        ):
            found[name] = pa.array([each[place] for each in told], kind)

    def _owners(self, names: tuple[str, ...]) -> tuple[bytes, int | None, bytes | None]:
        known = self._owner_lists.get(names)
        if known is None:
            record = self._rows.owners(names)
            owners = record.get("owners")
            known = self._owner_lists[names] = (
                orjson.dumps(record["owner_ids"]),
                record.get("owned_by_id"),
                orjson.dumps(owners) if owners else None,
            )
        return known

    def _add_parts(
        self, found: dict[str, pa.Array], columns: list[pa.StringArray], ids: pa.Int64Array
    ) -> None:
        """Comments, tasks and the like, of the rows that have any."""
        rows, groups, numbers = self._rows, self._rows.columns.groups, ids.to_pylist()
        comments: dict[int, list[Any]] = {}
        for (place,) in groups["comment"]:
            for row, cell in _filled(columns[place]):
                told = comments.setdefault(row, [])
                told.append(rows.comment(cell, numbers[row], len(told) + 1, "story_id"))
        lists: dict[str, dict[int, list[Any]]] = {"comments": comments}
        sparse: dict[int, _Sparse] = {}
        for name, spans in groups.items():
            for place in (each for span in spans for each in span if each >= 0):
                if name not in ("owned by", "comment"):
                    for row, cell in _filled(columns[place]):
                        sparse.setdefault(row, _Sparse())[place] = cell
        for row, cells in sparse.items():
            for name, parts in rows.parts(cells, numbers[row]).items():
                lists.setdefault(name, {})[row] = parts
        for name, parts_by_row in lists.items():
            texts: list[bytes | None] = [None] * len(numbers)
            for row, parts in parts_by_row.items():
                texts[row] = orjson.dumps(parts)
            found[name] = pa.array(texts, pa.string())

    def _note_iterations(
        self, at: dict[str, _Texts], found: dict[str, pa.Array], ids: pa.Int64Array
    ) -> None:
        """What `StoryRows` notes of each row: the spans, and which of them are history."""
        names = ("iteration", "iteration start", "iteration end")
        if not all(name in at and not at[name].is_empty for name in names):
            return
        days, facts = self._rows.days, self._rows.facts
        accepted = at["accepted at"].texts() if "accepted at" in at else [""] * len(ids)
        states = found["current_state"].to_pylist()
        told = zip(ids.to_pylist(), *(at[name].texts() for name in names), states, accepted,
                   strict=True)  # fmt: skip
        for identity, number, start, end, state, day in told:
            first, last = days[start], days[end]
            if not number.strip() or first is None or last is None:
                continue
            facts.spans[first, last] += 1
            done = days[day] if state == "accepted" else None
            if done:
                facts.iterations[int(number)][first, last].append(identity)
                facts.misplaced_count += not first <= done <= last


class _Sparse(dict[int, str]):
    """The cells of one row by position, without the empty ones."""

    def __missing__(self, position: int) -> str:
        return ""


def _filled(column: pa.StringArray) -> Iterator[tuple[int, str]]:
    """The cells that are not empty, with their rows."""
    if column.null_count < len(column):
        places = np.flatnonzero(_flags(pc.greater(pc.binary_length(column), 0)))
        yield from zip(places.tolist(), column.take(pa.array(places)).to_pylist(), strict=True)


def _flags(array: pa.BooleanArray | pa.ChunkedArray) -> np.ndarray:
    return array.fill_null(False).to_numpy(zero_copy_only=False).copy()


def _readable(read_one: Callable[[str], Any]) -> Callable[[str], bool]:
    def is_readable(cell: str) -> bool:
        try:
            read_one(cell)
        except ValueError:
            return False
        return True

    return is_readable


def _iteration_number(cell: str) -> int | None:
    text = cell.strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("no iteration number")
    return int(text) if text else None


def _are_urls(urls: pa.StringArray, ids: pa.StringArray) -> np.ndarray:
    """Whether each URL ends with the row's id, as that of the first row does, or is empty."""
    is_empty = _flags(pc.equal(pc.binary_length(urls), 0))
    first = next((each.as_py() for each in urls if each.as_py()), "")
    prefix = first[: first.rfind("/") + 1]
    expected = pc.binary_join_element_wise(prefix, ids, "")
    return is_empty | _flags(pc.equal(urls, expected))


def _as_rows_of_stories(found: dict[str, pa.Array], count: int) -> pa.Table:
    schema = TABLES["stories"].arrow_schema
    arrays = [
        found[field.name] if field.name in found else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
