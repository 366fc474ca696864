"""Find a failing random history, shrink it, and print its steps.

`python -m tests.exactness SEED`, or `FIRST LAST` to find the seed whose sync fails.
"""

import sys
import tempfile
from pathlib import Path

from simulator.instants import iso
from tests.exactness.checking import failures
from tests.exactness.histories import Cuts, History, cuts_of, history_of
from tests.exactness.shrinking import shrunk
from tests.support.marts import compiled_models


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


if __name__ == "__main__":
    sys.exit(main())
