"""The demo gives the same marts from its API, from a JSON dump and from CSV exports.

A JSON dump has everything that the API has, so every mart (including future ones) must be equal,
except for columns that state the source of a row. The columns that a CSV export determines are
listed by mart.
"""

from collections import Counter
from datetime import UTC

import duckdb
import pytest
import requests

from ingest.archive import ArchiveOptions, ArchiveReader
from ingest.source import Extract
from simulator import serve, simulate
from tests.ingest.api.quick_warehouse import QuickWarehouse
from tests.support import marts
from tests.support.demo_archives import Exporter, write_json_dump

# Columns that state the source of a row; all other columns must be equal.
PROVENANCE = {
    "record_source", "record_sources", "source_file", "source_line", "file_count", "file_paths",
    "tracker_as_of",
}  # fmt: skip

# A CSV file states the iterations of its stories, and no others.
HAS_STORIES = (
    "iteration_key in (select iteration_key from staging.stg_pivotal_tracker__iteration_stories)"
)

# The columns that the two CSV files of an export zip determine. Timestamps are dates; ids of
# projects, people, labels and comments are derived from names, so rows are matched by name. Not
# listed are columns that need transitions or settings (cycle times, velocity), and performers.
CSV_COLUMNS = {
    "dim_story": (
        "story_id, project, story_name, story_type, story_priority, current_state, "
        "requester_name, owner_names, label_names, epic_names, url, estimate, owner_count, "
        "comment_count, task_count, completed_task_count, coalesce(open_blocker_count, 0), "
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


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The warehouses by format, and the compiled models."""
    folder = tmp_path_factory.mktemp("round_trip")
    found = {each: QuickWarehouse(folder / f"{each}.duckdb") for each in ("api", "json", "csv")}
    models = marts.compiled_models(folder / "empty.duckdb")
    with serve(simulate(stories=160)) as server:
        found["api"].sync(server)
        (as_of,) = found["api"].execute("select max(as_of) from pivotal_tracker_data.extracts")[0]
        load(found["json"], write_json_dump(server, folder / "dump", as_of.astimezone(UTC)))
        for project in get(server, "/projects"):
            exporter = Exporter(server, project)
            path = exporter.write_zip(folder / "exports", as_of.astimezone(UTC))
            load(
                found["csv"], path, project_name=project["name"], time_zone=exporter.zone.key,
                iteration_length=project["iteration_length"],
                week_start_day=project["week_start_day"],
            )  # fmt: skip
    for each in found.values():
        marts.build(each.path, models)
    return found, models


def get(server, path):
    return requests.get(
        server.base_url + path, headers={"X-TrackerToken": server.token}, timeout=30
    ).json()


def load(warehouse, path, **options):
    reader = ArchiveReader([path], ArchiveOptions(**options))
    extract = Extract(reader, "archive", str(path))
    warehouse.load({name: list(rows()) for name, rows in extract.tables().items()})
    assert reader.rejections == []
    assert not reader.drift.undeclared
    assert not reader.drift.misfits


def test_a_json_dump_gives_the_same_marts_as_the_api(built):
    found, models = built
    differing = Counter(
        (each.mart, each.column)
        for each in marts.differences(found["api"].path, found["json"].path, models)
        if each.column not in PROVENANCE
    )
    assert differing == {}


@pytest.mark.parametrize("mart", CSV_COLUMNS)
def test_a_csv_export_gives_the_columns_that_it_determines(built, mart):
    found, _ = built
    api, csv = (carried(found[each].path, mart) for each in ("api", "csv"))
    assert api
    assert sorted((api - csv).elements(), key=str)[:3] == []
    assert sorted((csv - api).elements(), key=str)[:3] == []


def carried(path, mart):
    columns, condition = CSV_COLUMNS[mart]
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
