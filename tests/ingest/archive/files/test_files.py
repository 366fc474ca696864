"""Zips, folders and gzips are read; unsafe ones are refused with one clear line."""

import gzip
import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from ingest.archive import ArchiveError
from tests.conftest import ROOT
from tests.ingest.archive.samples import HEADER, Loaded, csv_text, story, write_csv

HISTORY_HEADER = ["ID", "Type", "Message", "Performed By", "Occurred At"]


def write_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return path


def export_zip(path, slug="shop", first=101, **more):
    """An export zip as Tracker created them in 2025."""
    members = {
        f"{slug}_20250401_101112.csv": csv_text([story(first), story(first + 1)]),
        f"project_history_{slug}_20250401_101112.csv": csv_text([], HISTORY_HEADER),
        f"{first}/plan.txt": b"hello",
        f"{first}/pic ture.png": b"\x89PNG\x00",
    }
    return write_zip(path, {**members, **more})


def test_an_export_zip_loads_and_its_attachments_are_catalogued(tmp_path):
    loaded = Loaded(export_zip(tmp_path / "shop.zip"))
    assert [each["id"] for each in loaded.stories] == [101, 102]
    (project,) = loaded.projects
    assert project["name"] == "shop"
    assert [
        (each["story_id"], each["project_id"], each["file_name"], each["bytes"], each["sha256"])
        for each in loaded.attachments
    ] == [
        (101, project["id"], "pic ture.png", 5, hashlib.sha256(b"\x89PNG\x00").hexdigest()),
        (101, project["id"], "plan.txt", 5, hashlib.sha256(b"hello").hexdigest()),
    ]
    assert loaded.reader.rejections == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.zip"]


def test_a_zip_with_backslashes_is_the_same_export(tmp_path):
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as package:
        for name, content in {
            "out\\shop_20250401_101112.csv": csv_text([story(101)]),
            "out\\101\\plan.txt": b"hello",
            "out\\Thumbs.db": b"x",
        }.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            package.writestr(info, content)
    loaded = Loaded(tmp_path / "shop.zip")
    assert [each["name"] for each in loaded.projects] == ["shop"]
    assert [(each["file_name"], each["path"]) for each in loaded.attachments] == [
        ("plan.txt", "out/101/plan.txt")
    ]
    assert loaded.reader.skipped == []


def test_zips_in_folders_may_contain_several_projects(tmp_path):
    export_zip(tmp_path / "2025" / "shop.zip")
    export_zip(tmp_path / "2025" / "bank.zip", "bank", 900)
    write_csv(tmp_path / "old" / "depot_20140101_1010.csv", [story(5)])
    loaded = Loaded(tmp_path)
    assert {each["name"] for each in loaded.projects} == {"shop", "bank", "depot"}
    assert len(loaded.stories) == 5
    assert len({each["project_id"] for each in loaded.attachments}) == 2


def test_zips_inside_a_zip_are_the_same_exports(tmp_path):
    depot = write_zip(tmp_path / "Depot.zip", {"stories.csv": csv_text([story(5)])})
    exports = [export_zip(tmp_path / "1001.zip"), export_zip(tmp_path / "2.zip", "bank", 900)]
    loaded = Loaded(packed_again(tmp_path / "all.zip", *exports, depot))
    assert {each["name"] for each in loaded.projects} == {"shop", "bank", "Depot"}
    assert {each["id"] for each in loaded.stories} == {101, 102, 900, 901, 5}
    assert len({each["project_id"] for each in loaded.attachments}) == 2
    assert loaded.stories[-1]["source_file"].startswith(f"{tmp_path}/all.zip!2025/")
    assert loaded.reader.rejections == []


def test_a_zip_that_is_an_attachment_remains_one(tmp_path):
    inner = write_zip(tmp_path / "inner.zip", {"stories.csv": csv_text([story(7)])}).read_bytes()
    loaded = Loaded(export_zip(tmp_path / "shop.zip", **{"101/more.zip": inner}))
    assert {each["id"] for each in loaded.stories} == {101, 102}
    assert "more.zip" in {each["file_name"] for each in loaded.attachments}


def test_data_in_a_folder_of_a_zip_named_by_a_number_is_no_attachment(tmp_path):
    dump = b'[{"kind": "story", "id": 7, "project_id": 1234, "name": "x", "story_type": "bug", ' \
        b'"current_state": "started", "created_at": "2020-01-01T00:00:00Z"}]'  # fmt: skip
    members = {"1234/stories.json": dump, "2019/shop_20190401_1010.csv": csv_text([story(101)]),
               "101/plan.txt": b"hello", "101/empty.txt": b""}  # fmt: skip
    loaded = Loaded(write_zip(tmp_path / "a.zip", members))
    assert {each["id"] for each in loaded.stories} == {7, 101}
    assert {each["file_name"] for each in loaded.attachments} == {"empty.txt", "plan.txt"}
    assert loaded.reader.rejections == []


def test_a_renamed_file_gets_the_name_of_its_folder_or_zip(tmp_path):
    write_zip(tmp_path / "Our Shop.zip", {"stories.csv": csv_text([story(101)])})
    write_csv(tmp_path / "Our Bank" / "stories.csv", [story(201)])
    assert {each["name"] for each in Loaded(tmp_path).projects} == {"Our Shop", "Our Bank"}


def test_a_gzipped_csv_is_read(tmp_path):
    path = tmp_path / "shop_20250401_1010.csv.gz"
    path.write_bytes(gzip.compress(csv_text([story(101)]).encode()))
    assert Loaded(path).one_story()["id"] == 101


def test_files_of_operating_systems_are_ignored(tmp_path):
    export_zip(tmp_path / "a.zip", **{"__MACOSX/._shop.csv": b"x", ".DS_Store": b"x"})
    (tmp_path / ".hidden.csv").write_text("x")
    assert Loaded(tmp_path).reader.skipped == []


def encrypted(path):
    write_zip(path, {"a.csv": csv_text([story(101)])})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def truncated(path):
    export_zip(path)
    path.write_bytes(path.read_bytes()[:-40])


def damaged(path):
    write_zip(path, {"a.csv": csv_text([story(101)])}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"Story 101", b"Stary 101"))


def bomb(path):
    write_zip(path, {"a.csv": b"0" * (50 << 20)})


def packed_again(path, *members):
    """Put zips into a zip, in place of them."""
    write_zip(path, {f"2025/{each.name}": each.read_bytes() for each in members})
    for each in members:
        each.unlink()
    return path


def nested(path):
    member = export_zip(path.with_name("inner.zip"))
    packed_again(path, packed_again(path.with_name("middle.zip"), member))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (encrypted, "is encrypted; unpack it with its password first"),
        (truncated, "is a damaged zip"),
        (damaged, "is damaged or truncated: Bad CRC"),
        (bomb, "decompresses to an implausible size: from"),
        (nested, "is a zip inside other zips"),
        (lambda path: write_zip(path, {"a.zip": b"PK"}), "is a damaged zip"),
        (lambda path: write_zip(path, {"../../etc/a.csv": b"x"}), "leads outside the zip"),
        (lambda path: write_zip(path, {"/etc/a.csv": b"x"}), "leads outside the zip"),
        (lambda path: write_zip(path, {"C:\\a.csv": b"x"}), "leads outside the zip"),
    ],
    ids=[
        "encrypted",
        "truncated",
        "damaged",
        "bomb",
        "nested",
        "damaged inside",
        "parent",
        "absolute",
        "drive",
    ],
)
def test_an_unsafe_zip_is_refused_in_one_line(tmp_path, damage, reason):
    damage(tmp_path / "bad.zip")
    with pytest.raises(ArchiveError, match=r"bad\.zip.*" + reason.replace("(", "\\(")) as error:
        Loaded(tmp_path / "bad.zip")
    assert "\n" not in str(error.value)
    good = write_csv(tmp_path / "shop.csv", [story(101)])
    loaded = Loaded(tmp_path / "bad.zip", good)
    assert len(loaded.stories) == 1
    assert reason in loaded.rejected_rows[0]["reason"]
    with pytest.raises(ArchiveError, match="nothing was loaded, because of --strict"):
        Loaded(tmp_path / "bad.zip", good, strict=True)


def test_a_zip_with_too_much_content_is_refused(tmp_path):
    path = export_zip(tmp_path / "big.zip")
    with pytest.raises(ArchiveError, match="would unpack to more than 0 MB"):
        Loaded(path, max_unpacked_bytes=500)


def test_a_history_with_only_a_header_is_not_a_stories_file(tmp_path):
    path = tmp_path / "project_history_shop_20250401_101112.csv"
    path.write_text(csv_text([], HISTORY_HEADER))
    loaded = Loaded(path, write_csv(tmp_path / "shop_20250401_101112.csv", [story(101)], HEADER))
    assert len(loaded.stories) == 1


def test_reading_files_does_not_import_pandas(tmp_path):
    path = write_csv(tmp_path / "shop.csv", [story(101)])
    program = (
        "import sys; from ingest.__main__ import main; "
        f"code = main(['archive', {str(path)!r}]); "
        "sys.exit(code or 'pandas' in sys.modules or 'rich' in sys.modules)"
    )
    settings = {"WAREHOUSE_PATH": str(tmp_path / "w.duckdb"), "INGEST_LOG_PATH": str(tmp_path)}
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **settings}, check=False
    )
    assert finished.returncode == 0
