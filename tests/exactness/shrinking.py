"""Find the smallest part of a history that still fails.

Each round tries many ways of leaving steps out, all in one workspace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.exactness.checking import failures
from tests.exactness.histories import Cuts, History, Step
from tests.support.marts import CompiledModels

_SIDE_BY_SIDE = 24


def shrunk(
    history: History,
    cuts: Cuts,
    folder: Path,
    models: CompiledModels,
    report: Callable[[str], None],
) -> History:
    """Shrink a failing history by leaving out steps (delta debugging)."""
    parts = _SIDE_BY_SIDE
    while history.steps:
        parts = min(parts, len(history.steps))
        removable = _removable(history, parts, cuts, folder, models)
        report(f"{len(history.steps)} steps in {parts} parts: {len(removable)} can be left out")
        if not removable:
            if parts == len(history.steps):
                break
            parts = min(2 * parts, len(history.steps))
            continue
        # Each can be left out alone; try all of them, then half, ... or at least the first.
        while len(removable) > 1:
            shorter = _without(history, removable, parts)
            if failures([shorter], cuts, folder, models):
                break
            removable = removable[: len(removable) // 2]
        history = _without(history, removable, parts)
        parts = max(_SIDE_BY_SIDE, parts - len(removable))
    return history


def _removable(
    history: History, parts: int, cuts: Cuts, folder: Path, models: CompiledModels
) -> list[int]:
    """Some of the parts that can be left out, one at a time, while the history still fails."""
    for first in range(0, parts, _SIDE_BY_SIDE):
        numbers = range(first, min(first + _SIDE_BY_SIDE, parts))
        tries = [replace(_without(history, [each], parts), seed=each) for each in numbers]
        failed = failures(tries, cuts, folder, models)
        if found := [each for each in numbers if each in failed]:
            return found
    return []


def _without(history: History, left_out: list[int], parts: int) -> History:
    """A history without some of the equal parts into which its steps are divided."""
    bounds = [index * len(history.steps) // parts for index in range(parts + 1)]
    steps: list[Step] = []
    for number, (begin, end) in enumerate(zip(bounds, bounds[1:], strict=False)):
        if number not in left_out:
            steps += history.steps[begin:end]
    return replace(history, steps=tuple(steps))
