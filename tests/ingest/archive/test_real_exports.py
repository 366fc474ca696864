"""Every real export is loaded, or refused for the expected reason, with exact counts."""

import json
from collections import Counter

import pytest

from ingest.archive import ArchiveError
from tests.ingest.archive.samples import Loaded, shared_folder

EXPORTS = shared_folder("exports")
pytestmark = pytest.mark.skipif(EXPORTS is None, reason="../shared/exports is missing")
REFUSED = {"Fulcrum_Import_Template.csv", "stories_invalid.csv"}


def _files():
    for manifest in sorted(EXPORTS.glob("*/manifest.json")) if EXPORTS else []:
        for entry in json.loads(manifest.read_text())["files"]:
            if entry["file"] not in REFUSED:
                path = manifest.parent / entry["file"]
                yield pytest.param(path, entry, id=f"{manifest.parent.name}/{path.name}")


@pytest.mark.parametrize(("path", "entry"), list(_files()))
def test_a_real_file_has_the_rows_in_its_manifest(path, entry):
    loaded = Loaded(path)
    types = Counter(each["story_type"] for each in loaded.stories)
    types["epic"] = len(loaded.epics)
    assert +types == entry["types"]
    assert Counter(each["current_state"] for each in loaded.stories) == entry["states"]
    comments = [each for story in loaded.stories for each in json.loads(story["comments"] or "[]")]
    assert len(comments) == entry["comments"]
    with_author = [each for each in comments if "person_id" in each]
    assert len(with_author) == entry["comments_with_author_date_suffix"]
    tasks = [each for story in loaded.stories for each in json.loads(story["tasks"] or "[]")]
    assert len(tasks) == entry["tasks"]
    assert loaded.reader.rejections == []
    assert not loaded.reader.drift.undeclared
    assert not loaded.reader.drift.misfits


def test_only_the_invalid_row_of_the_invalid_file_is_refused():
    loaded = Loaded(EXPORTS / "fulcrum-invalid" / "stories_invalid.csv")
    assert [each["id"] for each in loaded.stories] == [1817033]
    assert loaded.refusals == [(3, "Story Type", "unknown story type")]


def test_the_import_template_is_not_an_export():
    with pytest.raises(ArchiveError, match="no Id column: it is an import template"):
        Loaded(EXPORTS / "fulcrum-import-template")


def test_all_exports_together_are_eight_projects():
    loaded = Loaded(EXPORTS)
    assert {name: len(rows) for name, rows in loaded.tables.items() if rows} == {
        "stories": 147, "projects": 8, "epics": 2, "labels": 40, "releases": 6, "iterations": 105,
        "people": 8, "archive_files": 20, "rejected_rows": 2,
    }  # fmt: skip
    assert not any(each["is_deleted"] for each in loaded.stories)


def test_nine_exports_of_one_project_are_one_project():
    loaded = Loaded(EXPORTS / "kel4545-sql-query-exercise-series")
    (project,) = loaded.projects
    assert project["name"] == "04_sql_query_exercise"
    living = [each for each in loaded.stories if not each["is_deleted"]]
    assert len(living) == 38
    assert {each["source_file"].rpartition("/")[2] for each in living} == {"09_stories.csv"}


def test_a_backlog_imported_again_is_flagged():
    loaded = Loaded(EXPORTS / "limbertvargas-2019")
    resembling = {each["name"]: each["resembles_project_id"] for each in loaded.projects}
    ids = {each["name"]: each["id"] for each in loaded.projects}
    assert resembling == {"01_workshop2": None, "02_test": None, "03_project91": ids["02_test"]}
    assert any("the backlog was imported again" in each for each in loaded.reader.skipped)


def test_accepted_points_per_iteration_are_right_from_csv_alone():
    loaded = Loaded(EXPORTS / "limbertvargas-2019" / "01_workshop2_20191006_1729.csv")
    points = {}
    for iteration in loaded.iterations:
        contents = [
            each
            for each in loaded.stories
            if each["accepted_at"]
            and iteration["start"] <= each["accepted_at"] < iteration["finish"]
        ]
        if contents:
            points[iteration["number"]] = (
                len(contents),
                sum(each["estimate"] or 0 for each in contents),
            )
    assert points == {1: (4, 3), 31: (2, 0)}
    # The open stories are in iteration 33, which is the current one.
    assert len(loaded.iterations) == 33
