"""Describe what failed in a build: the projects and stories, and how to exclude those.

A model, or a test of severity error, should fail only if the SQL of this project is wrong. If data
makes one fail anyway, users can exclude that data until the SQL is corrected.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb

_MAX_LISTED = 5
_WHERE = re.compile(r"\w+ Error in \w+ ")  # dbt's own first line

_Entity = tuple[int | None, int | None]  # project_id, story_id


def failures(target: Path, warehouse: Path) -> list[str]:
    """A line for each failure in dbt's last run, then the commands that exclude its data.

    A model that stops with an error does not say at which row, so its command leaves out half of
    the projects.

    Args:
        target: dbt's target folder.
        warehouse: the DuckDB file that was built.
    """
    nodes = json.loads((target / "manifest.json").read_bytes())["nodes"]
    results = json.loads((target / "run_results.json").read_bytes())["results"]
    lines: list[str] = []
    excluded: dict[str, set[int]] = {"excluded_project_ids": set(), "excluded_story_ids": set()}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        stopped = [each for each in results if each["status"] == "error"]
        for result in stopped:
            name = nodes[result["unique_id"]]["name"]
            lines.append(f"{name} stops: {_first_line(result['message'])}")
        half = _half_of_projects(connection) if stopped else []
        if half:
            setting = f"excluded_project_ids: {half}"
            lines.append(
                "to find the project whose data causes it, build without half of them, then "
                f"without half of that half: make build ARGS=\"--vars '{{{setting}}}'\""
            )
        for result in results:
            if result["status"] != "fail" or not result["compiled_code"]:
                continue
            node = nodes[result["unique_id"]]
            rules, entities = _failing(connection, _query(node, result))
            for project_id, story_id in entities:
                if story_id is not None:
                    excluded["excluded_story_ids"].add(story_id)
                elif project_id is not None:
                    excluded["excluded_project_ids"].add(project_id)
            listed = [_description(connection, *each) for each in entities[:_MAX_LISTED]]
            more = "; ..." if len(entities) > _MAX_LISTED else ""
            where = "; ".join(listed) or "its rows have no project or story"
            broken = f" ({'; '.join(rules)})" if rules else ""
            lines.append(f"{node['name']} fails{broken}: {where}{more}")
    for variable, ids in excluded.items():
        if ids:
            setting = f"{variable}: {sorted(ids)}"
            lines.append(f"to build without them: make build ARGS=\"--vars '{{{setting}}}'\"")
    return lines


def _first_line(message: str | None) -> str:
    """The cause of an error, without the line that names the model, the query and its position."""
    lines = [line.strip() for line in (message or "").splitlines() if line.strip()]
    causes = [line for line in lines if not _WHERE.match(line)]
    return next(iter(causes or lines), "dbt gives no reason")


def _half_of_projects(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Half of the projects; none if there is only one."""
    rows = connection.execute(
        "select id from pivotal_tracker_data.projects where id is not null group by id order by id"
    ).fetchall()
    return [project_id for (project_id,) in rows[: len(rows) // 2]]


def _query(node: dict[str, Any], result: dict[str, Any]) -> str:
    """The test's query, without the database name that dbt uses for the file."""
    return result["compiled_code"].replace(f'"{node["database"]}".', "")


def _failing(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], list[_Entity]]:
    """The broken rules that a test's rows name, and the rows' projects and stories."""
    cursor = connection.execute(query)
    columns = [each[0] for each in cursor.description]
    # Dictionaries keep the order of the rows, and each key once.
    rules: dict[str, None] = {}
    entities: dict[_Entity, None] = {}
    for values in cursor.fetchmany(1000):
        row = dict(zip(columns, values, strict=True))
        rules |= dict.fromkeys(filter(None, (row.get("broken_rules") or "").split("; ")))
        entity = _project_id(row), row.get("story_id", row.get("expected_story_id"))
        if entity != (None, None):
            entities[entity] = None
    return list(rules), list(entities)


def _project_id(row: dict[str, Any]) -> int | None:
    """The row's project, or else the one at the start of its iteration's or activity's key."""
    if row.get("project_id") is not None:
        return row["project_id"]
    for column in ("iteration_key", "activity_id"):
        first = str(row.get(column) or "").replace("_", "-").split("-")[0]
        if first.isdigit():
            return int(first)
    return None


def _description(
    connection: duckdb.DuckDBPyConnection, project_id: int | None, story_id: int | None
) -> str:
    """`project 100, story 2060 (dump.json, line 3)`, as far as known."""
    if story_id is None:
        return f"project {project_id}"
    row = connection.execute(
        "select coalesce(?, project_id), source_file, source_line "
        "from staging.stg_pivotal_tracker__stories where story_id = ?",
        [project_id, story_id],
    ).fetchone()
    project_id, file, line = row or (project_id, None, None)
    project = "" if project_id is None else f"project {project_id}, "
    place = f" ({file}{f', line {line}' if line else ''})" if file else ""
    return f"{project}story {story_id}{place}"
