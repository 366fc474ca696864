"""Find a failing random history, shrink it, and print its steps.

`python -m tests.exactness SEED`, or `FIRST LAST` to find the seed whose sync fails.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from simulator.instants import iso
from tests.exactness.checking import failures
from tests.exactness.histories import Cuts, History, Step, cuts_of, history_of
from tests.support.marts import CompiledModels, compiled_models

_SIDE_BY_SIDE = 24  # how many ways of leaving steps out share a workspace


def main() -> int:
    first, last = int(sys.argv[1]), int(sys.argv[-1])
    cuts = cuts_of(first)
    histories = {seed: history_of(seed, cuts) for seed in range(first, last + 1)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "tries"
        models = compiled_models(Path(name) / "compiled" / "warehouse.duckdb")
        failed = failures(list(histories.values()), cuts, folder, models)
        if not failed:
            print("nothing is wrong with these histories")
            return 0
        report(f"failing: {sorted(failed)}")
        history = shrunk(histories[min(failed)], cuts, folder, models, report)
        found = failures([history], cuts, folder, models)[history.seed]
    print("\n".join([*described(history, cuts), *found[:40]]))
    return 1


def described(history: History, cuts: Cuts) -> list[str]:
    """A description of a history and the times of its syncs."""
    lines = [f"seed {history.seed}, begins at {iso(cuts.begins_at)}"]
    for epoch, synced_at in enumerate(cuts.syncs_at):
        for number, plan in enumerate(history.projects):
            if plan.epoch == epoch:
                lines.append(f"  project {number}, {plan.age} s old: {plan.settings}")
        for step in history.steps:
            if step.epoch == epoch:
                lines.append(f"  {iso(step.at)} {step.command}({step.a}, {step.b}, {step.c})")
        lines.append(f"sync at {iso(synced_at)}")
    return lines


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def shrunk(
    history: History,
    cuts: Cuts,
    folder: Path,
    models: CompiledModels,
    report: Callable[[str], None],
) -> History:
    """Find the smallest part of a history that still fails (delta debugging)."""
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


if __name__ == "__main__":
    sys.exit(main())
