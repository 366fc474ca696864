"""Load a workspace of random histories in two ways, build both, and compare the marts."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingest.warehouses.base import DATASET
from simulator import DemoServer, serve
from tests.conftest import ingest
from tests.exactness.exports import unlike_exports
from tests.exactness.histories import Cuts, History, World, spans_of, world_of
from tests.oracle import flow, versions
from tests.oracle.test_oracle import differences as cells_that_differ
from tests.oracle.test_oracle import mart as by_key
from tests.support import oracle
from tests.support.marts import CompiledModels, Difference, build, differences, rows

SHARED = -1  # stands for differences that do not belong to one history
# Columns about the load itself: a row that later syncs find unchanged keeps its first load.
LOAD_COLUMNS = {("fct_reconciliation", "tracker_as_of")}
# Columns that depend on all projects.
ALL_PROJECTS_COLUMNS = {("fct_flow_daily", "is_in_all_projects")}
# Columns that activities do not determine: only story records contain the names of review types,
# and whether a list is empty is unknown unless it was read.
NOT_IN_ACTIVITIES = {
    ("dim_person", "email"),
    ("dim_person", "username"),
    ("dim_release", "url"),
    ("dim_story", "blocker_count"),
    ("dim_story", "comment_count"),
    ("dim_story", "completed_task_count"),
    ("dim_story", "open_blocker_count"),
    ("dim_story", "record_source"),
    ("dim_story", "review_count"),
    ("dim_story", "task_count"),
    ("dim_story", "url"),
    ("fct_flow_efficiency", "active_seconds"),
    ("fct_flow_efficiency", "blocked_seconds"),
    ("fct_flow_efficiency", "blocker_count"),
    ("fct_flow_efficiency", "flow_efficiency"),
    ("fct_flow_efficiency", "undated_blocker_count"),
    ("fct_flow_efficiency", "waiting_seconds"),
    ("fct_review", "review_type_name"),
    ("fct_task", "task_position"),
    ("rpt_data_coverage", "record_sources"),
    ("fct_wip_aging", "is_blocked"),
    ("fct_wip_aging", "open_blocker_count"),
}
# Marts about the sources themselves.
SOURCE_MARTS = {"fct_history_coverage", "rpt_data_coverage"}
# By mart: its key, and its rows of (workspace, iterations, starts of projects).
ORACLES = {
    "fct_story_cycle_time": (
        ("story_id",),
        lambda world, iterations, starts: oracle.story_cycle_time(world, world.now, iterations),
    ),
    "fct_iteration_velocity": (
        ("iteration_key",),
        lambda world, iterations, starts: oracle.iteration_velocity(world, world.now, iterations),
    ),
    "fct_activity": (("activity_id",), lambda world, iterations, starts: oracle.activity(world)),
    "dim_project": (
        ("project_id",),
        lambda world, iterations, starts: oracle.project(world, world.now, iterations),
    ),
    "dim_story_history": (
        ("story_version_key",),
        lambda world, iterations, starts: versions.story_history(world, world.now),
    ),
    "dim_project_history": (
        ("project_version_key",),
        lambda world, iterations, starts: versions.project_history(world, world.now),
    ),
    "fct_flow_daily": (
        ("project_id", "story_state", "flow_date"),
        lambda world, iterations, starts: flow.flow_daily(world, starts, world.now),
    ),
}


class SyncFailed(AssertionError):
    """A sync failed unexpectedly."""


@dataclass(frozen=True)
class Outcome:
    """The result of checking the histories of one workspace.

    Attributes:
        differences: differing cells by the seed of the history, or `SHARED`. They come from two
            comparisons: a warehouse synced at each cut against one loaded once at the end; and a
            warehouse whose last sync covered a single history against the full load (for that
            history) and the sync before (for the others).
        unlike_activities: cells that differ between the full load and a warehouse without story
            records, in which stories are known only from activities.
        unlike_exports: by mart and kind of export, rows that CSV exports alone or stories as JSON
            alone give otherwise than the full load, and measures that they do not determine.
        wrong_cells: by mart, cells of the full load that differ from the oracle in plain Python:
            (key, column, expected, actual).
        counts: how often each command was accepted (`create`) or refused (`create refused`).
    """

    differences: dict[int, list[Difference]]
    unlike_activities: list[Difference]
    unlike_exports: dict[str, list]
    wrong_cells: dict[str, list[tuple]]
    counts: Counter[str]

    def problems(self, cells: int = 6) -> list[str]:
        """A few lines about each problem, the shortest first; empty if there is none."""
        lines = []
        for seed, found in sorted(self.differences.items(), key=lambda item: len(item[1])):
            again = f"python -m tests.exactness {seed}"
            lines.append(
                f"after syncs, {len(found)} cells of the marts differ; alone and shrunk: {again}"
            )
            lines += [f"  {each}" for each in found[:cells]]
        if found := self.unlike_activities:
            lines.append(f"from activities alone, {len(found)} cells of the marts differ")
            lines += [f"  {each}" for each in found[:cells]]
        for mart, found in self.unlike_exports.items():
            if found:
                lines.append(f"{len(found)} rows of {mart} are not as in the full load")
                lines += [f"  {each}" for each in found[:cells]]
        for mart, found in self.wrong_cells.items():
            if found:
                lines.append(f"{len(found)} cells of {mart} are not what happened")
                lines += [f"  (key, column, expected, found) {each}" for each in found[:cells]]
        return lines


def failures(
    histories: list[History], cuts: Cuts, folder: Path, models: CompiledModels
) -> dict[int, list[str]]:
    """The problems of each history by seed, found by bisection if a problem has no seed."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        outcome = outcome_of(World(cuts, histories), folder, models)
    except SyncFailed as error:
        problems = [str(error)]
    else:
        of_all = (*outcome.unlike_exports.values(), *outcome.wrong_cells.values())
        if not outcome.unlike_activities and not any(of_all):
            return {seed: list(map(str, each)) for seed, each in outcome.differences.items()}
        problems = outcome.problems(cells=40)
    if len(histories) == 1:
        return {histories[0].seed: problems}
    half = len(histories) // 2
    return failures(histories[:half], cuts, folder, models) | failures(
        histories[half:], cuts, folder, models
    )


def outcome_of_seeds(seeds: range, folder: Path, models: CompiledModels) -> Outcome:
    """Check the histories of consecutive seeds together in one workspace."""
    try:
        return outcome_of(world_of(seeds), folder, models)
    except SyncFailed as error:
        found_by = f"python -m tests.exactness {seeds[0]} {seeds[-1]}"
        raise SyncFailed(f"{error}\nwhose history it was, alone and shrunk: {found_by}") from None


def outcome_of(world: World, folder: Path, models: CompiledModels) -> Outcome:
    """Run the histories of a world, syncing one warehouse at each cut and another at the end.

    Raises:
        SyncFailed: if a sync fails.
    """
    synced, before, partly, fresh = (
        folder / name / "warehouse.duckdb" for name in ("synced", "before", "partly", "fresh")
    )
    last_synced = world.histories[0].seed
    with serve(world.workspace) as server:
        for epoch in range(len(world.cuts.syncs_at)):
            if epoch:
                for copy in (before, partly):
                    copy.parent.mkdir(exist_ok=True)
                    shutil.copy(synced, copy)
            world.play(epoch)
            _sync(server, synced)
        _sync(server, fresh)
        _sync(server, partly, *world.scenes[0].project_ids)
        assert server.failures == []
        for warehouse in (synced, before, partly, fresh):
            build(warehouse, models)
        made_at = datetime.fromtimestamp(world.workspace.now, UTC)
        exports = unlike_exports(server, fresh, folder, made_at, models)
    activities = _without_stories(fresh, folder / "activities.duckdb")
    build(activities, models)
    by_seed: dict[int, list[Difference]] = {}
    for each in differences(synced, fresh, models):
        if (each.mart, each.column) not in LOAD_COLUMNS:
            by_seed.setdefault(_seed_of(world, each.row), []).append(each)
    for each in differences(partly, fresh, models):
        is_of_all = (each.mart, each.column) in LOAD_COLUMNS | ALL_PROJECTS_COLUMNS
        if not is_of_all and _seed_of(world, each.row) == last_synced:
            by_seed.setdefault(last_synced, []).append(each)
    for each in differences(partly, before, models):
        seed = _seed_of(world, each.row)
        if (each.mart, each.column) not in ALL_PROJECTS_COLUMNS and seed not in (
            last_synced,
            SHARED,
        ):
            by_seed.setdefault(seed, []).append(each)
    unlike_activities = [
        each
        for each in differences(fresh, activities, models)
        if each.mart not in SOURCE_MARTS
        and (each.mart, each.column) not in NOT_IN_ACTIVITIES | LOAD_COLUMNS
    ]
    wrong_cells = _wrong_cells(world, fresh)
    return Outcome(by_seed, unlike_activities, exports, wrong_cells, world.counts)


def _without_stories(loaded: Path, path: Path) -> Path:
    """Copy a warehouse without its story records, so that only activities know the stories."""
    shutil.copy(loaded, path)
    with duckdb.connect(str(path)) as connection:
        for table in ("stories", "story_transitions"):
            connection.execute(f"delete from {DATASET}.{table}")
    return path


def _wrong_cells(world: World, warehouse: Path) -> dict[str, list[tuple]]:
    iterations = spans_of(world.workspace)
    projects = rows(warehouse, "dim_project")
    starts = {row["project_id"]: row["started_at"] for row in projects}
    wrong = {}
    for mart, (key, recomputed) in ORACLES.items():
        expected = recomputed(world.workspace, iterations, starts)
        wrong[mart] = cells_that_differ(expected, by_key(warehouse, mart, *key))
    return wrong


def _seed_of(world: World, row: dict[str, object]) -> int:
    """The seed of the history that a mart's row belongs to, found by its ids."""
    if len(world.histories) == 1:
        return world.histories[0].seed
    workspace, story_id = world.workspace, row.get("story_id")
    project_id = row.get("project_id")
    story = workspace.stories.get(story_id) or workspace.deleted_stories.get(story_id)
    if project_id is None and story is not None:
        project_id = story.project_id
    for history, scene in zip(world.histories, world.scenes, strict=True):
        if project_id in scene.project_ids or row.get("person_id") in scene.person_ids:
            return history.seed
    return SHARED


def _sync(server: DemoServer, warehouse: Path, *project_ids: int) -> None:
    project_options = [argument for each in project_ids for argument in ("--project", str(each))]
    host = {"base_url": server.base_url, "api_token": server.token}
    done = ingest("api", *project_options, warehouse=warehouse, **host)
    if done.returncode != 0:
        raise SyncFailed(done.stderr.strip().splitlines()[-1])
