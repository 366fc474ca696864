"""Read comments, tasks and blockers of many stories in bulk, as the JSON text that is stored.

The JSON is built column by column, several times faster than by `StoryParts`, with the same result.
Stories with unusual parts are left to `StoryParts`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive.csv import cells as read
from ingest.archive.csv.story_parts import PART_IDS
from ingest.archive.csv.story_records import StoryRows
from ingest.archive.text_columns import DistinctTexts, filled_rows, flags, group_rows

# JSON escapes, in the order in which they must be applied; other control characters are rare.
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_RARE = ("reviewer", "pull request", "git branch")
_FIELDS = {"comment": "comments", "task": "tasks", "blocker": "blockers", "reviewer": "reviews"}
_NEEDS_ESCAPE = r'[\x00-\x1f"\\]'


class _Sparse(dict[int, str]):
    """The cells of one row by position, without the empty ones."""

    def __missing__(self, position: int) -> str:
        return ""


def part_lists(
    rows: StoryRows, columns: list[pa.StringArray], ids: np.ndarray
) -> dict[str, pa.StringArray]:
    """The lists of parts of all rows, by field; null if the file has no column for them.

    Args:
        rows: the header and its parsers.
        columns: the cells of each column.
        ids: the story id of each row.
    """
    found: dict[str, pa.StringArray] = {}
    left: dict[str, np.ndarray] = {}
    groups = rows.columns.groups
    comments = _parts([columns[place] for (place,) in groups["comment"]])
    found["comments"], left["comments"] = _lists(
        comments, _comment_fields(rows, comments), "text", ids
    )
    for group, field, ending in (
        ("task", "tasks", _task_ending),
        ("blocker", "blockers", _blocker_ending),
    ):
        spans = [span for span in groups[group] if span[0] >= 0]
        parts = _parts([columns[place] for place, _ in spans])
        statuses = [columns[place] if place >= 0 else None for _, place in spans]
        fields = _pair_fields(parts, statuses, ending)
        found[field], left[field] = _lists(parts, fields, "description", ids)
    for field, texts in _read_one_by_one(rows, columns, ids, left).items():
        lists = found.get(field, pa.nulls(len(ids), pa.string()))
        mask = np.zeros(len(ids), np.bool_)
        mask[list(texts)] = True
        values = pa.array([texts[row] for row in sorted(texts)], pa.string())
        found[field] = pc.replace_with_mask(lists, pa.array(mask), values)
    for group, field in _FIELDS.items():
        if groups[group]:
            found[field] = found.get(field, pa.nulls(len(ids), pa.string())).fill_null("[]")
    return found


def _read_one_by_one(
    rows: StoryRows, columns: list[pa.StringArray], ids: np.ndarray, left: dict[str, np.ndarray]
) -> dict[str, dict[int, bytes]]:
    """The lists of rare fields, and of the rows in `left`, by field and row."""
    places = [
        (group, place)
        for group, spans in rows.columns.groups.items()
        for span in spans
        for place in span
        if place >= 0 and group != "owned by"
    ]
    filled = {place: filled_rows(columns[place]) for _, place in places}
    rare = [filled[place] for group, place in places if group in _RARE]
    wanted = np.unique(np.concatenate([*left.values(), *rare]))
    cells: dict[int, _Sparse] = {row: _Sparse() for row in wanted.tolist()}
    for place, here in filled.items() if cells else ():
        chosen = here[np.isin(here, wanted)]
        texts = columns[place].take(pa.array(chosen)).to_pylist()
        for row, text in zip(chosen.tolist(), texts, strict=True):
            cells[row][place] = text
    is_left = {field: set(each.tolist()) for field, each in left.items()}
    found: dict[str, dict[int, bytes]] = defaultdict(dict)
    for row, each in cells.items():
        for field, parts in rows.parts.of_story(each, int(ids[row])).items():
            if row in is_left.get(field, (row,)):
                found[field][row] = orjson.dumps(parts)
    return found


def _task_ending(status: str, number: int) -> str:
    return f',"complete":{_truth(status, "completed")},"position":{number}}}'


def _blocker_ending(status: str, number: int) -> str:
    return f',"resolved":{_truth(status, "resolved")}}}'


def _truth(status: str, wanted: str) -> str:
    return "true" if status.strip().lower() == wanted else "false"


@dataclass
class _Parts:
    """The filled cells of one group of columns, sorted by row.

    Attributes:
        rows: the row of each cell.
        places: the repetition of the group that each cell is in.
        numbers: the number of each cell within its story, from 1.
        texts: the cells.
    """

    rows: np.ndarray
    places: np.ndarray
    numbers: np.ndarray
    texts: pa.StringArray


@dataclass
class _PartFields:
    """The fields of the parts of a group, except for the ids of the part and its story.

    Attributes:
        texts: the text of each part.
        endings: the end of each JSON object, after the text.
        is_plain: whether each part could be parsed in bulk.
    """

    texts: pa.StringArray
    endings: pa.StringArray
    is_plain: np.ndarray


def _parts(columns: list[pa.StringArray]) -> _Parts:
    """The filled cells in the repetitions of a column."""
    rows = [filled_rows(column) for column in columns]
    places = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    taken = [column.take(pa.array(each)) for column, each in zip(columns, rows, strict=True)]
    row = np.concatenate([np.empty(0, np.int64), *rows])
    order = np.lexsort((places, row))
    row = row[order]
    texts = pa.concat_arrays([pa.array([], pa.string()), *taken]).take(pa.array(order))
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    counts = np.diff(np.append(starts, len(row)))
    numbers = np.arange(len(row)) - np.repeat(starts, counts) + 1
    return _Parts(row, places[order], numbers, texts)


def _comment_fields(rows: StoryRows, parts: _Parts) -> _PartFields:
    """Texts and endings of comments in the form `text (Author - Mon D, YYYY)`.

    The authors and days of other comments are not added to people and facts here.
    """

    def person(author: str) -> str:
        return f',"person_id":{rows.people.id_of(author.strip())}'

    def instant(day: str) -> str:
        written = rows.comment_moments[day[:-1]]
        rows.facts.update_newest(written)
        return f',"created_at":"{written.text}"}}' if written else "}"

    texts, tails, has_tail = _halves(parts.texts, " (")
    authors, days, has_author = _halves(tails, " - ")
    is_plain = has_tail & has_author & ~flags(pc.starts_with(parts.texts, "'"))
    is_plain &= DistinctTexts(authors).where(_is_author) & DistinctTexts(days).where(_is_last_day)
    plain = pa.array(is_plain)
    endings = pc.binary_join_element_wise(
        DistinctTexts(authors.filter(plain)).mapped(person, pa.string()),
        DistinctTexts(days.filter(plain)).mapped(instant, pa.string()),
        "",
    )
    absent = pa.nulls(len(is_plain), pa.string())
    return _PartFields(texts, pc.replace_with_mask(absent, plain, endings), is_plain)


def _halves(texts: pa.StringArray, sign: str) -> tuple[pa.StringArray, pa.StringArray, np.ndarray]:
    """The texts before and after the last `sign`, and whether each text contains it."""
    pieces = pc.split_pattern(texts, sign, max_splits=1, reverse=True)
    offsets, flat = pieces.offsets.to_numpy(), pieces.flatten()
    before, after = flat.take(pa.array(offsets[:-1])), flat.take(pa.array(offsets[1:] - 1))
    return before, after, np.diff(offsets) == 2


def _is_author(text: str) -> bool:
    name = text.strip()
    return bool(name) and not any(sign in name for sign in "()\n\r")


def _is_last_day(text: str) -> bool:
    return text[-1:] == ")" and read.is_comment_day(text[:-1])


def _pair_fields(
    parts: _Parts, statuses: list[pa.StringArray | None], ending: Callable[[str, int], str]
) -> _PartFields:
    """Texts and endings of tasks or blockers; `ending` takes the status and the number."""
    codes, endings = np.zeros(len(parts.rows), np.int64), [""]
    for place, column in enumerate(statuses):
        here = parts.places == place
        if not here.any():
            continue
        absent = pa.nulls(int(here.sum()), pa.string())
        cells = absent if column is None else column.take(pa.array(parts.rows[here]))
        texts = DistinctTexts(cells)
        numbers = parts.numbers[here]
        firsts, found = group_rows(texts.codes, numbers)
        codes[here] = len(endings) + found
        endings += [ending(texts.distinct[texts.codes[row]], int(numbers[row])) for row in firsts]
    ends = pa.array(endings, pa.string()).take(pa.array(codes))
    return _PartFields(parts.texts, ends, ~flags(pc.starts_with(parts.texts, "'")))


def _lists(
    parts: _Parts, fields: _PartFields, name: str, ids: np.ndarray
) -> tuple[pa.StringArray, np.ndarray]:
    """The list of each row, null if a part is not plain; and the rows with such parts.

    Args:
        parts: the cells.
        fields: their parsed fields.
        name: the name of the text's field.
        ids: the story id of each row.
    """
    left_rows = np.unique(parts.rows[~fields.is_plain])
    kept = ~np.isin(parts.rows, left_rows)
    rows, stories = parts.rows[kept], ids[parts.rows[kept]]
    chosen = pa.array(kept)
    objects = pc.binary_join_element_wise(
        '{"id":',
        pa.array(-(stories * PART_IDS + parts.numbers[kept])).cast(pa.string()),
        ',"story_id":',
        pa.array(stories).cast(pa.string()),
        f',"{name}":"',
        _escaped(fields.texts.filter(chosen)),
        '"',
        fields.endings.filter(chosen),
        "",
    )
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    offsets = pa.array(np.append(starts, len(rows)), pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, objects), ",")
    lists = pc.binary_join_element_wise("[", joined, "]", "")
    places = np.full(len(ids), -1)
    places[rows[starts]] = np.arange(len(starts))
    return lists.take(pa.array(places, mask=places < 0)), left_rows


def _escaped(texts: pa.StringArray) -> pa.StringArray:
    """Escape texts for JSON as orjson does, without the quotes around them."""
    special = pc.match_substring_regex(texts, _NEEDS_ESCAPE)
    if not pc.any(special).as_py():
        return texts
    few = texts.filter(special)
    escaped = few
    for sign, escape in _ESCAPES:
        escaped = pc.replace_substring(escaped, sign, escape)
    rare = pc.match_substring_regex(escaped, r"[\x00-\x1f]")
    if pc.any(rare).as_py():
        each = [orjson.dumps(text)[1:-1].decode() for text in few.filter(rare).to_pylist()]
        escaped = pc.replace_with_mask(escaped, rare, pa.array(each, pa.string()))
    return pc.replace_with_mask(texts, special, escaped)
