"""Load a workspace from its exports, and the columns of the marts that each kind determines."""

import json
from collections import Counter

import duckdb
import requests

from ingest.archive import ArchiveOptions, ArchiveReader
from ingest.source import Extract
from tests.ingest.api.quick_warehouse import QuickWarehouse
from tests.support.demo_archives import Exporter
from tests.support.marts import build, rows

# A CSV file states the iterations of its stories, and no others.
HAS_STORIES = (
    "iteration_key in (select iteration_key from staging.stg_pivotal_tracker__iteration_stories)"
)

# The columns that the two CSV files of an export zip determine. Timestamps are dates; ids of
# projects, people, labels and comments are derived from names, so rows are matched by name. Not
# listed are columns that need transitions or settings (cycle times, velocity), and performers. A
# file has no column for what no story has: a count of 0 is null.
CSV_COLUMNS = {
    "dim_story": (
        "story_id, project, story_name, story_type, story_priority, current_state, "
        "requester_name, owner_names, label_names, epic_names, url, estimate, "
        "coalesce(owner_count, 0), coalesce(comment_count, 0), coalesce(task_count, 0), "
        "coalesce(completed_task_count, 0), coalesce(open_blocker_count, 0), "
        "is_in_progress, is_accepted, day_in(created_at, zone), day_in(accepted_at, zone), "
        "day_in(deadline_at, zone)",
        "not is_deleted",
    ),
    "fct_story_cycle_time": (
        "story_id, story_type, current_state, estimate, is_accepted, day_in(accepted_at, zone)",
        "not is_deleted",
    ),
    "fct_iteration_velocity": (
        "project, iteration_number, starts_at, finishes_at, length_weeks, accepted_points, "
        "accepted_story_count, accepted_feature_count, accepted_bug_count, accepted_chore_count",
        HAS_STORIES,
    ),
    "dim_iteration": (
        "project, iteration_number, length_weeks, is_done, is_current, is_future, starts_at, "
        "finishes_at",
        HAS_STORIES,
    ),
    "fct_comment": (
        "story_id, comment_text, day_in(created_at, zone)",
        "story_id is not null",
    ),
    "fct_task": ("story_id, task_description, is_complete", "true"),
    "fct_blocker": ("story_id, blocker_description, is_resolved", "true"),
    "fct_review": ("story_id, review_type_name, review_status", "true"),
    "dim_epic": ("project, epic_id, epic_name, day_in(created_at, zone)", "true"),
    "dim_release": (
        "project, release_id, release_name, day_in(accepted_at, zone)", "not is_deleted",
    ),
    "dim_project": (
        "project, time_zone, week_start_day, iteration_length_weeks, story_count, "
        "accepted_story_count, accepted_points",
        "story_count > 0",
    ),
}  # fmt: skip

# Stories with Tracker's default fields have ids and exact times, but no names of people.
JSON_COLUMNS = {
    "dim_story": (
        "story_id, mart.project_id, story_name, story_type, story_priority, current_state, "
        "requested_by_id, label_names, url, estimate, owner_count, is_in_progress, is_accepted, "
        "mart.created_at, accepted_at, deadline_at",
        "not is_deleted",
    ),
    "fct_story_cycle_time": (
        "story_id, story_type, current_state, estimate, lead_time_seconds, is_accepted, "
        "mart.created_at, accepted_at",
        "not is_deleted",
    ),
    "dim_project": (
        "project_id, story_count, accepted_story_count, accepted_points",
        "story_count > 0",
    ),
}


def unlike_exports(server, full_load, folder, made_at, models):
    """What the CSV exports alone, and the stories as JSON alone, give wrongly: one list per mart.

    Rows that only the full load has, rows that only the export has, and measures that have a value
    although the export does not determine it.
    """
    csv, stories = (QuickWarehouse(folder / f"{each}.duckdb") for each in ("csv", "json"))
    saved = folder / "stories"
    saved.mkdir()
    for project in get(server, "/projects"):
        exporter = Exporter(server, project)
        load_csv(csv, exporter.write_zip(folder / "exports", made_at, has_history=False), project)
        listed = get(server, f"/projects/{project['id']}/stories?limit=500")
        (saved / f"{project['id']}.json").write_text(json.dumps(listed))
    load(stories, saved)
    wrong = {}
    for kind, export, columns in (("CSV", csv, CSV_COLUMNS), ("JSON", stories, JSON_COLUMNS)):
        build(export.path, models)
        for mart in columns:
            full, alone = (carried(each, mart, columns) for each in (full_load, export.path))
            wrong[f"{mart} from {kind}"] = [*(full - alone).elements(), *(alone - full).elements()]
        wrong[f"measures from {kind}"] = invented(export.path)
    return wrong


def get(server, path):
    return requests.get(
        server.base_url + path, headers={"X-TrackerToken": server.token}, timeout=30
    ).json()


def load_csv(warehouse, path, project):
    """Load the CSV export of a project, with the settings that no CSV file states."""
    load(
        warehouse, path, project_name=project["name"],
        time_zone=project["time_zone"]["olson_name"],
        iteration_length=project["iteration_length"], week_start_day=project["week_start_day"],
    )  # fmt: skip


def load(warehouse, path, **options):
    reader = ArchiveReader([path], ArchiveOptions(**options))
    extract = Extract(reader, "archive", str(path))
    warehouse.load({name: list(rows()) for name, rows in extract.tables().items()})
    assert reader.rejections == []
    assert not reader.drift.undeclared
    assert not reader.drift.misfits


def carried(path, mart, determined):
    """The rows of a mart with the columns that a kind of export determines."""
    columns, condition = determined[mart]
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "create temp macro day_in(instant, zone) as cast(instant at time zone zone as date)"
        )
        rows = connection.execute(
            f"select {columns} from marts.{mart} as mart inner join ("
            "select project_id, project_name as project, time_zone as zone from marts.dim_project"
            ") as projects using (project_id) "
            f"where {condition}"
        )
        return Counter(rows.fetchall())


def invented(path):
    """Measures that need transitions and have a value."""
    found = set()
    for metric in rows(path, "dim_metric"):
        if metric["needs"] == "transitions":
            mart, name = metric["mart_name"], metric["metric_name"]
            # Iterations without accepted stories have 0 rejected ones.
            if name != "rejected_story_count" and any(
                row[name] is not None for row in rows(path, mart)
            ):
                found.add(f"{mart}.{name}")
    return sorted(found)
