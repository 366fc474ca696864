"""A label's `counts`: how many stories carry it, state by state (docs/tracker-api.md, Labels).

All its stories count, releases too; a story without an estimate counts as one of zero points.
Held as one flat tuple of 24 numbers, because each change of a labelled story logs the figures
before and after: stories without points, points and stories, each for the eight states of
`entities.STATES` in that order. Tuples are shared between neighbouring activities.
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
    """Return a number as an int when it is one: Tracker writes 2, not 2.0."""
    return int(number) if number == int(number) else number


def counts_moved(
    counts: Counts, out_of: tuple[str, Number] | None, into: tuple[str, Number] | None
) -> Counts:
    """Return counts after a story left one (state, points) and entered another.

    Args:
        counts: the figures before.
        out_of: what the story counted as, `None` when it did not carry the label.
        into: what it counts as from now on, `None` when it carries the label no more.
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
    """Return counts as the API writes them."""
    record: dict[str, object] = {}
    for section, name in enumerate(_SECTIONS):
        by_state: dict[str, object] = dict(
            zip(STATES, counts[8 * section : 8 * section + 8], strict=True)
        )
        by_state["kind"] = "counts_by_story_state"
        record[name] = by_state
    record["kind"] = "story_counts"
    return record
