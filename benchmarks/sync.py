"""Compare later syncs with the first load of the same workspace, in one run.

`python -m benchmarks.sync [STORIES ...]` prints a Markdown table for README.md.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from benchmarks.api import run_load
from benchmarks.measure import Measured, table_row
from simulator import CommandError, DemoServer, Workspace, serve, simulate

_PROJECTS = 20
_SHARE = 100  # one story in a hundred changes
_HEADER = """\
| stories | projects | sync after | requests | / first load | CPU s | / first load | wall s |
|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Measure each size and print its rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description=__doc__)
    parser.add_argument("stories", nargs="*", type=int, default=[2_000, 20_000])
    print(_HEADER, flush=True)
    for stories in parser.parse_args().stories:
        workspace = simulate(stories=stories)
        for number in range(_PROJECTS - len(workspace.projects)):
            project = workspace.create_project(f"Small {number}")
            workspace.create_story(project.id, "The only one")
        with tempfile.TemporaryDirectory() as folder, serve(workspace) as server:
            _measure(workspace, server, Path(folder))


def _measure(workspace: Workspace, server: DemoServer, folder: Path) -> None:
    stories, first = len(workspace.stories), _sync(server, folder)
    changes = {
        "nothing changed": lambda: None,
        "1 % changed in one project": lambda: _change(workspace, [max(_sizes(workspace))[1]]),
        "1 % changed in all projects": lambda: _change(workspace, list(workspace.projects)),
    }
    _print(stories, "(first load)", first, first)
    for name, change in changes.items():
        change()
        _print(stories, name, _sync(server, folder), first)


def _sync(server: DemoServer, folder: Path) -> tuple[int, Measured]:
    before = server.request_count
    load = run_load(server, folder)
    return server.request_count - before, load


def _sizes(workspace: Workspace) -> list[tuple[int, int]]:
    return [(len(each.story_ids), each.id) for each in workspace.projects.values()]


def _change(workspace: Workspace, project_ids: list[int]) -> None:
    """Move, estimate, comment on or rename one story in a hundred of the whole workspace."""
    chance = random.Random(7)
    ids = [each for project in project_ids for each in workspace.projects[project].story_ids]
    workspace.advance_to(workspace.now + 3600)
    wanted = len(workspace.stories) // _SHARE
    for story_id in chance.sample(sorted(ids), wanted):
        try:
            workspace.change_state(story_id, chance.choice(("started", "finished", "unstarted")))
        except CommandError:  # not possible from its current state, or without an estimate
            workspace.add_comment(story_id, "noted")


def _print(
    stories: int, name: str, sync: tuple[int, Measured], first: tuple[int, Measured]
) -> None:
    row = table_row(
        f"{stories:,}",
        str(_PROJECTS),
        name,
        f"{sync[0]:,}",
        f"{sync[0] / first[0]:.1%}",
        f"{sync[1].cpu_seconds:.1f}",
        f"{sync[1].cpu_seconds / first[1].cpu_seconds:.0%}",
        f"{sync[1].seconds:.1f}",
    )
    print(row, flush=True)


if __name__ == "__main__":
    main()
