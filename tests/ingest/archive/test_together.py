"""Several files of one project, loaded in one or several runs, become one project."""

import json
from datetime import UTC, datetime

import duckdb
import pytest

from ingest.archive import ArchiveError, ArchiveOptions, ArchiveReader
from ingest.pipeline import run
from tests.ingest.archive.samples import Loaded, story, write_csv
from tests.ingest.test_pipeline import ListReader

STATE = "current_state"


def done(number):
    return story(number, current_state="accepted", accepted_at="Nov 20, 2015")


def test_stories_missing_in_a_later_complete_export_are_deleted(tmp_path):
    old = write_csv(
        tmp_path / "shop_20151120_1000.csv", [story(101), story(102), done(103), story(104)]
    )
    middle = write_csv(tmp_path / "shop_20151121_1000.csv", [story(101), story(102)])
    new = write_csv(tmp_path / "shop_20151122_1000.csv", [story(101, title="new")])
    loaded = Loaded(old, new, middle)
    assert [(each["id"], each["name"], each["deleted_at"]) for each in loaded.stories] == [
        (101, "new", None),
        (102, "Story 102", datetime(2015, 11, 22, 10, tzinfo=UTC)),
        # No later export has accepted stories, as people export parts of a project.
        (103, "Story 103", None),
        (104, "Story 104", datetime(2015, 11, 21, 10, tzinfo=UTC)),
    ]
    assert {each["delete_evidence"] for each in loaded.stories} == {"export", None}
    assert len(loaded.projects) == 1


def test_an_export_with_refused_rows_proves_no_deletion(tmp_path):
    write_csv(tmp_path / "shop_20151120_1000.csv", [story(101), story(102)])
    write_csv(tmp_path / "shop_20151121_1000.csv", [story(101), story("?")])
    assert not any(each["is_deleted"] for each in Loaded(tmp_path).stories)


def test_a_backlog_imported_again_is_another_project(tmp_path):
    rows = [story(number, title=f"Same {number}") for number in range(101, 106)]
    again = [story(number + 900, title=f"Same {number}") for number in range(101, 106)]
    write_csv(tmp_path / "a" / "shop_20151120_1000.csv", rows)
    write_csv(tmp_path / "b" / "shop_20161120_1000.csv", again)
    loaded = Loaded(tmp_path)
    older, newer = loaded.projects
    assert older["id"] != newer["id"]
    assert (older["resembles_project_id"], newer["resembles_project_id"]) == (None, older["id"])
    assert not any(each["is_deleted"] for each in loaded.stories)


def test_unrelated_files_with_the_same_name_are_not_mixed(tmp_path):
    write_csv(tmp_path / "a" / "stories.csv", [story(101)])
    write_csv(tmp_path / "b" / "stories.csv", [story(202, title="else")])
    assert len(Loaded(tmp_path).projects) == 2


@pytest.fixture
def warehouse(tmp_path):
    return tmp_path / "warehouse.duckdb"


def load(warehouse, *paths, **options):
    reader = ArchiveReader(list(paths), ArchiveOptions(**options))
    return run(reader, "archive", str(paths[0]), warehouse)


def stored(warehouse, statement):
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set schema = 'pivotal_tracker_data'")
        return connection.execute(statement).fetchall()


MANY = range(101, 121)
OTHERS = [*range(201, 220), 101]  # story 101 was moved to the other project


@pytest.mark.parametrize(
    ("old", "new"), [("shop_20151120_1000", "bank_20161120_1000"), ("shop", "bank"), ("z", "a")]
)
def test_two_projects_that_share_a_moved_story_are_two_projects(tmp_path, warehouse, old, new):
    write_csv(tmp_path / f"{old}.csv", [story(each) for each in MANY])
    later = [story(each, title="new", created_at="Nov 25, 2015") for each in OTHERS]
    write_csv(tmp_path / f"{new}.csv", later)
    load(warehouse, tmp_path)
    counts = stored(
        warehouse,
        "select count(*), count(*) filter (where name = 'new') from stories "
        "group by project_id order by 1",
    )
    assert counts == [(19, 0), (20, 20)]
    assert len(stored(warehouse, "select id from projects")) == 2
    assert stored(warehouse, "select reason from rejected_rows") == []


def test_parts_of_a_project_that_share_a_story_are_one_project(tmp_path):
    write_csv(tmp_path / "accepted.csv", [done(each) for each in MANY])
    write_csv(tmp_path / "open.csv", [story(each) for each in OTHERS])
    assert len(Loaded(tmp_path).projects) == 1


def dump_of(folder, numbers, name):
    stories = [
        {"id": each, "kind": "story", "project_id": 9, "name": "json", STATE: "accepted",
         "created_at": "2015-01-01T00:00:00Z", "updated_at": "2015-02-01T00:00:00Z"}
        for each in numbers
    ]  # fmt: skip
    path = folder / "dump.json"
    path.write_text(json.dumps([{"id": 9, "kind": "project", "name": name}, *stories]))
    return path


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("csv_name", "numbers", "is_same"),
    [("bank", OTHERS, False), ("the shop", OTHERS, True), ("bank", range(101, 140), True)],
    ids=["a moved story", "the name", "most stories"],
)
@pytest.mark.parametrize("is_loaded_before", [False, True])
def test_a_csv_is_of_the_project_of_a_dump(
    tmp_path, warehouse, csv_name, numbers, is_same, is_loaded_before
):
    dump = dump_of(tmp_path, MANY, "The Shop")
    csv = write_csv(tmp_path / f"{csv_name}_20161120_1000.csv", [story(each) for each in numbers])
    for paths in [[dump], [csv]] if is_loaded_before else [[dump, csv]]:
        load(warehouse, *paths)
    projects = {each for (each,) in stored(warehouse, "select id from projects")}
    assert (projects == {9}) == is_same
    assert len(projects) == 2 - is_same


class FewStories(ListReader):
    """An API reader with two stories of project 9 and a member."""

    def __init__(self):
        story = {"project_id": 9, "name": "api", "current_state": "started"}
        ada = {"project_id": 9, "person_id": 5, "person": {"id": 5, "name": "Ada Obi"}}
        records = {
            "projects": [{"id": 9, "name": "The Shop"}],
            "stories": [{"id": each, **story} for each in (101, 102)],
            "memberships": [{"id": 1, **ada}],
        }
        super().__init__(records)
        self.as_of, self.project_ids = datetime(2015, 11, 19, tzinfo=UTC), [9]

    def tables(self):
        return list(self.records)


def test_several_runs_into_a_warehouse_are_combined(tmp_path, warehouse):
    first = write_csv(tmp_path / "shop_20151120_1000.csv", [story(101), story(102), story(104)])
    second = write_csv(tmp_path / "shop_20151122_1000.csv", [story(101, title="new"), story(103)])
    load(warehouse, first)
    (project,) = stored(warehouse, "select id from projects")
    load(warehouse, second)
    load(warehouse, second)  # repeating it changes nothing
    assert stored(
        warehouse, "select id, name, is_deleted, deleted_at from stories order by id"
    ) == [
        (101, "new", None, None),
        (102, "Story 102", True, datetime(2015, 11, 22, 10, tzinfo=UTC)),
        (103, "Story 103", None, None),
        (104, "Story 104", True, datetime(2015, 11, 22, 10, tzinfo=UTC)),
    ]
    load(warehouse, first)  # an older export changes nothing
    assert stored(warehouse, "select name, is_deleted from stories where id < 103 order by id") == [
        ("new", None),
        ("Story 102", True),
    ]
    load(warehouse, write_csv(tmp_path / "shop_20151119_1000.csv", [story(101), story(100)]))
    assert stored(
        warehouse, "select id, name, deleted_at from stories where id < 102 order by id"
    ) == [
        (100, "Story 100", datetime(2015, 11, 20, 10, tzinfo=UTC)),
        (101, "new", None),
    ]
    assert stored(warehouse, "select id from projects") == [project]


def test_api_rows_are_kept_and_identify_the_project_of_a_csv(tmp_path, warehouse):
    run(FewStories(), "api", "https://example.com", warehouse)
    csv = write_csv(tmp_path / "shop_20201120_1000.csv", [story(101), story(103)])
    dump = tmp_path / "dump.json"
    dump.write_text(
        json.dumps({"id": 102, "kind": "story", "project_id": 9, "name": "json",
                    STATE: "accepted", "created_at": "2020-01-01T00:00:00Z",
                    "updated_at": "2024-01-01T00:00:00Z"})
    )  # fmt: skip
    load(warehouse, csv, dump)
    assert stored(
        warehouse, "select id, name, project_id, requested_by_id from stories order by id"
    ) == [(101, "api", 9, None), (102, "api", 9, None), (103, "Story 103", 9, 5)]
    assert stored(warehouse, "select id, name, record_source from projects") == [
        (9, "The Shop", "api")
    ]
    assert stored(warehouse, "select count(*) from people") == [(0,)]


def test_strict_leaves_the_warehouse_unchanged(tmp_path, warehouse):
    load(warehouse, write_csv(tmp_path / "shop_20151120_1000.csv", [story(101)]))
    bad = write_csv(tmp_path / "shop_20151121_1000.csv", [story(101, title="new"), story("?")])
    with pytest.raises(ArchiveError, match="nothing was loaded, because of --strict"):
        load(warehouse, bad, strict=True)
    assert stored(warehouse, "select name from stories") == [("Story 101",)]
    assert stored(warehouse, "select count(*) from extracts") == [(1,)]
    summary = load(warehouse, bad)
    assert stored(warehouse, "select name from stories") == [("new",)]
    assert stored(
        warehouse, "select file, line, column_name, value, reason from rejected_rows"
    ) == [(str(bad), 3, "Id", "?", "no story id")]
    assert any("1 row was refused" in each for each in summary.skipped)
