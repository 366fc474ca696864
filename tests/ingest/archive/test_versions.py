"""The newest version of a record wins, whatever folders the files are in."""

import itertools
import json
import os
import zipfile
from datetime import UTC, datetime

import duckdb
import pytest

from ingest.archive import ArchiveOptions, ArchiveReader
from ingest.archive.versions import version_of
from ingest.pipeline import run
from tests.ingest.archive.samples import Loaded, story, write_csv


def iteration(strength, **fields):
    return {"kind": "iteration", "project_id": 9, "number": 1, "start": "2020-01-06T00:00:00Z",
            "finish": "2020-01-13T00:00:00Z", "team_strength": strength, **fields}  # fmt: skip


def record(updated_at, **fields):
    return {"kind": "story", "id": 7, "project_id": 9, "name": "x", "story_type": "bug",
            "current_state": "started", "created_at": "2020-01-01T00:00:00Z",
            "updated_at": updated_at, **fields}  # fmt: skip


def write(path, *records, modified_at=1_600_000_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(records)))
    os.utime(path, (modified_at, modified_at))
    return path


@pytest.fixture(params=["a older, b newer", "a newer, b older"])
def folders(request, tmp_path):
    """The folders of the older and the newer dump, in either order."""
    older, newer = ("a", "b") if request.param.startswith("a older") else ("b", "a")
    return tmp_path / older, tmp_path / newer


def strength(tmp_path):
    (found,) = Loaded(tmp_path).iterations
    return found["team_strength"]


def test_a_record_without_an_instant_is_as_new_as_the_newest_in_its_dump(tmp_path, folders):
    for folder, year, value in zip(folders, (2021, 2022), (0.5, 1), strict=True):
        write(folder / "stories.json", record(f"{year}-01-01T00:00:00Z"))
        write(folder / "iterations.json", iteration(value))
    assert strength(tmp_path) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("dump_20210301_1200.json", "dump_20220301_1200.json"),
        ("2021-03-01/iterations.json", "2022-03-01/iterations.json"),
        ("backup 20210301/x/iterations.json", "backup 20210302T0100/y/iterations.json"),
    ],
)
def test_the_timestamp_in_the_file_name_decides_next(tmp_path, folders, names):
    for folder, name, value in zip(folders, names, (0.5, 1), strict=True):
        # The content does not matter if the name has a timestamp.
        write(folder / name, iteration(value), record(f"20{30 - 10 * value:.0f}-01-01T00:00:00Z"))
    assert strength(tmp_path) == 1


def test_a_folder_that_contains_all_dumps_has_no_time(tmp_path):
    for folder, year, value in (("a", 2022, 1), ("b", 2021, 0.5)):
        path = tmp_path / "2020-01-01" / folder
        write(path / "stories.json", record(f"{year}-01-01T00:00:00Z"))
        write(path / "iterations.json", iteration(value))
    assert strength(tmp_path) == 1


def test_the_later_of_two_histories_wins(tmp_path, folders):
    header = "ID,Type,Message,Performed By,Occurred At\n"
    row = "101,feature,{} started this feature,{},2015-11-20 10:00:00 UTC\n"
    for folder, day, name in zip(folders, (21, 22), ("Bo Li", "Ada Obi"), strict=True):
        folder.mkdir()
        path = folder / f"project_history_shop_201511{day}_1010.csv"
        path.write_text(header + row.format(name, name))
    (activity,) = Loaded(tmp_path).activity
    assert activity["message"].startswith("Ada Obi")


def test_the_modification_time_decides_without_a_timestamp_in_the_name(tmp_path, folders):
    for folder, day, value in zip(folders, (1, 2), (0.5, 1), strict=True):
        write(
            folder / "iterations.json", iteration(value), modified_at=1_600_000_000 + day * 86_400
        )
    assert strength(tmp_path) == 1


def test_the_time_of_a_zip_member_decides_without_a_timestamp_in_the_name(tmp_path):
    for name, year, value in (("a.zip", 2022, 1), ("b.zip", 2021, 0.5)):
        with zipfile.ZipFile(tmp_path / name, "w") as package:
            info = zipfile.ZipInfo("iterations.json", (year, 1, 1, 0, 0, 0))
            package.writestr(info, json.dumps([iteration(value)]))
    assert strength(tmp_path) == 1


def test_files_without_a_time_are_ordered_by_content_not_folder(tmp_path):
    found = set()
    for number, values in enumerate(((0.5, 1), (1, 0.5))):
        for folder, value in zip("ab", values, strict=True):
            write(tmp_path / str(number) / folder / "iterations.json", iteration(value))
        found.add(strength(tmp_path / str(number)))
    assert len(found) == 1


def test_parts_only_in_older_versions_come_from_the_newest_of_them(tmp_path):
    versions = [
        record("2020-01-01T00:00:00Z", name="first", tasks=[{"id": 1, "description": "first"}]),
        record("2020-01-02T00:00:00Z", name="second", tasks=[{"id": 1, "description": "second"}],
               comments=[{"id": 2, "text": "second"}]),
        record("2020-01-03T00:00:00Z", name="third", comments=[]),
        {"kind": "story", "id": 7, "name": "a reference", "story_type": "bug", "url": "u"},
    ]  # fmt: skip
    for number, order in enumerate(itertools.permutations(versions)):
        for name, each in zip("abcd", order, strict=True):
            write(tmp_path / str(number) / name / "stories.json", each)
        found = Loaded(tmp_path / str(number)).one_story()
        assert found["name"] == "third"
        assert json.loads(found["tasks"])[0]["description"] == "second"
        assert json.loads(found["comments"]) == []


def test_exports_without_a_timestamp_are_not_ordered_by_their_folders(tmp_path):
    for number, (a_day, b_day) in enumerate(((1, 2), (2, 1))):
        for folder, day in (("a", a_day), ("b", b_day)):
            path = tmp_path / str(number) / folder / "stories.csv"
            write_csv(path, [story(101, title=f"Day {day}")])
            os.utime(path, (1_600_000_000 + day * 86_400,) * 2)
        assert Loaded(tmp_path / str(number)).one_story()["name"] == "Day 2"


@pytest.mark.parametrize("newer_first", [False, True])
def test_a_stored_record_is_compared_by_the_time_of_its_own_file(tmp_path, newer_first):
    older = write(tmp_path / "older.json", iteration(0.5), record("2021-01-01T00:00:00Z"))
    newer = write(tmp_path / "newer.json", iteration(1), record("2022-01-01T00:00:00Z"))
    warehouse = tmp_path / "warehouse.duckdb"
    for path in (newer, older) if newer_first else (older, newer):
        # Another project of that run is newer than both, which must not affect this one.
        other = write(tmp_path / "other.json", {**record("2023-01-01T00:00:00Z"), "id": 8,
                                                "project_id": 10})  # fmt: skip
        reader = ArchiveReader([path, other], ArchiveOptions())
        run(reader, "archive", str(path), warehouse)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        statement = "select team_strength from pivotal_tracker_data.iterations"
        assert connection.execute(statement).fetchall() == [(1.0,)]


def test_a_more_trusted_source_wins_over_a_newer_one():
    day = datetime(2024, 1, 1, tzinfo=UTC)
    csv = version_of({}, "stories_csv", day.replace(year=2025))
    json_version = version_of({"updated_at": "2020-01-01T00:00:00Z"}, "json", day)
    assert csv < version_of({}, "history_csv", day) < json_version < version_of({}, "api", None)
