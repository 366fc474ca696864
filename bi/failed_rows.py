"""Which rows made a test fail: what `make build` says when somebody's data breaks a rule of ours.

A test of severity error should fail only when our SQL is wrong. Where one fails all the same, this
names the projects and stories that it fails for, and how to build without them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

_MOST_NAMED = 5


def failures(target: Path, warehouse: Path) -> list[str]:
    """A line for each test that failed in dbt's last run, and one on how to go on.

    Args:
        target: dbt's target folder.
        warehouse: the DuckDB file that was built.
    """
    nodes = json.loads((target / "manifest.json").read_bytes())["nodes"]
    results = json.loads((target / "run_results.json").read_bytes())["results"]
    failed = [
        nodes[each["unique_id"]] | {"sql": _without_database(nodes[each["unique_id"]], each)}
        for each in results
        if each["status"] == "fail" and each["compiled_code"]
    ]
    lines: list[str] = []
    projects: set[int] = set()
    stories: set[int] = set()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for node in failed:
            named = []
            rules, entities = _found(connection, node["sql"])
            for project_id, story_id in entities:
                named.append(_named(connection, project_id, story_id))
                if story_id is not None:
                    stories.add(story_id)
                elif project_id is not None:
                    projects.add(project_id)
            more = "; ..." if len(named) > _MOST_NAMED else ""
            where = "; ".join(named[:_MOST_NAMED]) or "no project or story is named by its rows"
            broken = f" ({'; '.join(rules)})" if rules else ""
            lines.append(f"{node['name']} fails{broken}: {where}{more}")
    for name, ids in (("excluded_project_ids", projects), ("excluded_story_ids", stories)):
        if ids:
            given = f"{name}: {sorted(ids)}"
            lines.append(f"to build without them: make build ARGS=\"--vars '{{{given}}}'\"")
    return lines


def _without_database(node: dict[str, Any], result: dict[str, Any]) -> str:
    """The test's query; the file is opened under another name than dbt's."""
    return result["compiled_code"].replace(f'"{node["database"]}".', "")


def _found(
    connection: duckdb.DuckDBPyConnection, query: str
) -> tuple[list[str], list[tuple[int | None, int | None]]]:
    """The rules that the rows of a test break, where it says so, and their projects and stories."""
    found = connection.execute(query)
    columns = [each[0] for each in found.description]
    rules: dict[str, None] = {}
    entities: dict[tuple[int | None, int | None], None] = {}
    for values in found.fetchmany(1000):
        row = dict(zip(columns, values, strict=True))
        for rule in (row.get("broken_rules") or "").split("; "):
            if rule:
                rules[rule] = None
        story_id = row.get("story_id", row.get("expected_story_id"))
        project_id = row.get("project_id")
        for name, value in row.items():
            if project_id is None and name in ("iteration_key", "activity_id") and value:
                first = str(value).replace("_", "-").split("-")[0]
                project_id = int(first) if first.isdigit() else None
        if project_id is not None or story_id is not None:
            entities[(project_id, story_id)] = None
    return list(rules), list(entities)


def _named(
    connection: duckdb.DuckDBPyConnection, project_id: int | None, story_id: int | None
) -> str:
    """`project 100, story 2060 (dump.json, line 3)`, as far as it is known."""
    if story_id is None:
        return f"project {project_id}"
    row = connection.execute(
        "select project_id, source_file, source_line from staging.stg_pivotal_tracker__stories "
        "where story_id = ?",
        [story_id],
    ).fetchone()
    of_row, file, line = row or (None, None, None)
    place = f" ({file}{f', line {line}' if line else ''})" if file else ""
    project_id = project_id if project_id is not None else of_row
    return f"{f'project {project_id}, ' if project_id is not None else ''}story {story_id}{place}"
