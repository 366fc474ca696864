"""A label's `counts`: how many stories carry it, state by state (docs/tracker-api.md, Labels).

All stories with the label count, including releases; unestimated stories count as zero points.
The counts are one flat tuple of 24 numbers, because each change of a labelled story logs the counts
before and after: stories without points, points and stories, each for the eight states in the order
of `entities.STATES`. Consecutive activities share tuples.
"""

from __future__ import annotations

from simulator.entities import STATES, Number

Counts = tuple[Number, ...]

NO_COUNTS: Counts = (0,) * 24
_STATE_INDEX = {state: index for index, state in enumerate(STATES)}
_SECTIONS = (
    "number_of_zero_point_stories_by_state",
    "sum_of_story_estimates_by_state",
    "number_of_stories_by_state",
)


def whole(number: Number) -> Number:
    """Return a whole number as int: Tracker writes 2, not 2.0."""
    return int(number) if number == int(number) else number


def counts_moved(
    counts: Counts, out_of: tuple[str, Number] | None, into: tuple[str, Number] | None
) -> Counts:
    """Return counts after a story left one (state, points) and entered another.

    Args:
        counts: the figures before.
        out_of: the story's previous (state, points); `None` if it did not have the label.
        into: its new (state, points); `None` if it no longer has the label.
    """
    figures = list(counts)
    for place, sign in ((out_of, -1), (into, 1)):
        if place is not None:
            state, points = place
            index = _STATE_INDEX[state]
            figures[index] += sign if not points else 0
            figures[8 + index] = whole(figures[8 + index] + sign * points)
            figures[16 + index] += sign
    return tuple(figures)


def counts_record(counts: Counts) -> dict[str, object]:
    """Return counts in the form of the API."""
    record: dict[str, object] = {}
    for section, name in enumerate(_SECTIONS):
        by_state: dict[str, object] = dict(
            zip(STATES, counts[8 * section : 8 * section + 8], strict=True)
        )
        by_state["kind"] = "counts_by_story_state"
        record[name] = by_state
    record["kind"] = "story_counts"
    return record
