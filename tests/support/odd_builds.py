"""Build random odd projects beside clean ones, and find what fails or goes unreported."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.crafted import crafted_warehouse
from tests.support.marts import CompiledModels, broken_checks, build
from tests.support.odd_projects import Damage, damages, extract, odd_project, project_records
from tests.support.silent_repairs import unreported

READ_BY = datetime(2024, 5, 17, tzinfo=UTC)  # the end of the day after the reading
CLEAN = (1, 2)
FIRST_ODD = 1000
OddProjects = dict[int, list[Damage]]


def random_odd_projects(count: int, number: int) -> OddProjects:
    """Random damage to `count` projects; the same for the same number."""
    samples: list[list[Damage]] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(damages(sorted(project_records(1))), min_size=1, max_size=5))
    def draw(done: list[Damage]) -> None:
        samples.append(done)

    draw()
    return dict(enumerate(samples[:count], FIRST_ODD))


def problems(
    odd: OddProjects, folder: Path, models: CompiledModels, clean: Path | None = None
) -> list[str]:
    """The problems of building odd projects together with clean ones, reduced to a minimum.

    Args:
        odd: the damage, by project.
        folder: where to build.
        models: the compiled models.
        clean: the warehouse of the clean projects only; built if not given.
    """
    clean = clean or built({}, folder / "clean.duckdb", models)
    found = _problems_of(odd, folder, models, clean)
    if not found or len(odd) == 1:
        return [f"{line} {odd if len(odd) == 1 else ''}" for line in found]
    items = list(odd.items())
    halves = [dict(items[: len(items) // 2]), dict(items[len(items) // 2 :])]
    return [
        line for half in halves for line in problems(half, folder, models, clean)
    ] or found  # they fail only together


def built(odd: OddProjects, path: Path, models: CompiledModels) -> Path:
    """Build a warehouse of the clean and some odd projects."""
    records = defaultdict(list, extracts=[extract()])
    for project_id in (*CLEAN, *odd):
        for table, rows in odd_project(project_id, odd.get(project_id, [])).items():
            records[table] += rows
    path.unlink(missing_ok=True)
    crafted_warehouse(path, records, accepts=True)
    build(path, models)
    return path


def _problems_of(odd: OddProjects, folder: Path, models: CompiledModels, clean: Path) -> list[str]:
    try:
        path = built(odd, folder / "odd.duckdb", models)
    except duckdb.Error as error:
        return [f"the build fails: {error}"]
    broken = broken_checks(path, models)
    return [
        *(f"{name}: {rows[:3]}" for name, rows in broken.items()),
        *unreported(path, READ_BY),
        *_changes(clean, path, models),
    ]


def _changes(clean: Path, path: Path, models: CompiledModels) -> list[str]:
    """The marts in which the odd projects change the rows of the clean ones."""
    changed = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{clean}' as clean (read_only)")
        connection.execute(f"attach '{path}' as odd (read_only)")
        for mart in models.keys:
            columns = connection.execute(
                "select column_name from duckdb_columns() where database_name = 'clean' "
                "and schema_name = 'marts' and table_name = ?",
                [mart],
            ).fetchall()
            rows = "from {}.marts." + mart
            if ("project_id",) in columns:
                rows += f" where project_id in {CLEAN}"
            one, two = rows.format("clean"), rows.format("odd")
            differing = [f"({one} except all {two})"]
            if ("project_id",) in columns:
                differing.append(f"({two} except all {one})")
            found = connection.execute(" union all ".join(differing)).fetchmany(3)
            if found:
                changed.append(f"{mart} of clean projects differs: {found}")
    return changed
