"""Files that were edited, damaged or crafted are loaded correctly, or refused in one line."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile
from unittest import mock

import pytest

from ingest.archive import ArchiveError, ArchiveReader
from ingest.archive.csv import rows as csv_rows
from ingest.archive.files.archive_file import find_files
from ingest.archive.options import ArchiveOptions
from ingest.pipeline import run
from ingest.warehouses.configured import as_warehouse
from tests.ingest.archive.samples import HEADER, Loaded, csv_text, story, write_csv

ROWS = [story(101, title="Café “x”"), story(102, created_at="12/31/2019", description="a; b, c")]
TEXT = csv_text(ROWS)
STORY = {"kind": "story", "id": 7, "project_id": 9, "name": "x", "story_type": "bug",
         "current_state": "started", "created_at": "2020-01-01T00:00:00Z"}  # fmt: skip


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def with_delimiter(delimiter):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows([HEADER, *ROWS])
    return out.getvalue()


def formula(text):
    doubled = text.replace('"', '""')
    return f'="{doubled}"'


def formulas(rows):
    return "".join(",".join(map(formula, each)) + "\n" for each in rows)


def packed_by_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as package:
        member = tarfile.TarInfo("a.csv")
        member.size = len(TEXT.encode())
        package.addfile(member, io.BytesIO(TEXT.encode()))
    return out.getvalue()


def packed_by_zip(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name in names:
            is_document = name.endswith(".xlsx")
            package.writestr(name, packed_by_zip("[Content_Types].xml") if is_document else "x")
    return out.getvalue()


@pytest.mark.parametrize("small", [1 << 18, 0], ids=["csv module", "DuckDB"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(with_delimiter(";"), id="semicolons, as saved by a spreadsheet"),
        pytest.param(with_delimiter("|"), id="pipes"),
        pytest.param("sep=|\n" + with_delimiter("|"), id="a separator line of pipes"),
        pytest.param(
            with_delimiter("\t").encode("utf-16"), id="Unicode text, as saved by a spreadsheet"
        ),
        pytest.param(
            "\n".join(", ".join(f'"{cell}"' for cell in each) for each in [HEADER, *ROWS]),
            id="spaces before quotes",
        ),
        pytest.param(
            "".join(csv_text([], [csv_text([], each).strip()]) for each in [HEADER, *ROWS]),
            id="a single quoted cell in each row",
        ),
        pytest.param(formulas([HEADER, *ROWS]), id="formulas"),
        pytest.param(TEXT.partition("\n")[0] + "\n" + formulas(ROWS), id="formulas below a header"),
        pytest.param(
            csv_text([list(map(formula, each)) for each in ROWS], map(formula, HEADER)),
            id="quoted formulas",
        ),
        pytest.param(
            csv_text(ROWS, [f" {each.upper()}\xa0 " for each in HEADER]),
            id="blanks and capitals in the header",
        ),
        pytest.param("My backlog,,,\n\n" + TEXT, id="a title above the header"),
        pytest.param("My backlog\n" + with_delimiter(";"), id="a title above semicolons"),
        pytest.param("# Shop\n# of 2019\n" + TEXT, id="remarks above the header"),
        pytest.param(
            csv_text(ROWS, [each.title().replace(" ", "") for each in HEADER]),
            id="a header without spaces",
        ),
        pytest.param(
            csv_text(ROWS, [each.upper().replace("I", "\u0130") for each in HEADER]),
            id="a header in Turkish capitals",
        ),
        pytest.param("sep=;\r\n" + with_delimiter(";"), id="a separator line"),
        pytest.param("sep=,\n" + TEXT, id="a separator line of commas"),
        pytest.param(TEXT.encode("cp1252"), id="typographic quotes"),
        pytest.param(b"\xef\xbb\xbf" + TEXT.encode(), id="a byte order mark"),
        pytest.param(TEXT.encode("utf-16"), id="utf-16"),
        pytest.param(TEXT.replace("\n", "\r"), id="carriage returns only"),
        pytest.param("\n\n" + TEXT + "\n\n", id="blank lines around"),
        pytest.param(gzip.compress(TEXT.encode()), id="gzip without its ending"),
    ],
)
def test_a_file_saved_by_another_program_has_the_same_stories(
    tmp_path, monkeypatch, content, small
):
    monkeypatch.setattr("ingest.archive.csv.row_batches._SMALL", small)
    loaded = Loaded(write(tmp_path / "shop.csv", content))
    found = [(each["id"], each["name"], each["description"]) for each in loaded.stories]
    assert found == [(101, "Café “x”", None), (102, "Story 102", "a; b, c")]
    assert loaded.reader.rejections == []
    assert loaded.stories[1]["created_at"].isoformat() == "2019-12-31T00:00:00+00:00"


def test_a_nul_does_not_affect_other_cells(tmp_path):
    path = write_csv(tmp_path / "shop.csv", [story(101, title="a\0b")])
    assert Loaded(path).one_story()["name"] == "a\0b"


@pytest.mark.parametrize(
    ("days", "read"),
    [
        (["31/12/2019", "01/02/2019"], ["2019-12-31", "2019-02-01"]),
        (["12/31/2019", "01/02/2019"], ["2019-12-31", "2019-01-02"]),
        (["01/02/2019"], ["2019-01-02"]),
    ],
    ids=["day first", "month first", "as Tracker wrote it"],
)
def test_the_order_of_day_and_month_is_detected_per_file(tmp_path, days, read):
    rows = [story(101 + number, created_at=day) for number, day in enumerate(days)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    assert [f"{each['created_at']:%Y-%m-%d}" for each in loaded.stories] == read
    is_noted = any("read as day/month/year" in each for each in loaded.reader.skipped)
    assert is_noted == (days[0] == "31/12/2019")


def test_a_date_that_contradicts_the_files_order_is_invalid(tmp_path):
    days = ["31/12/2019", "12/31/2019", "Feb 30, 2015"]
    rows = [story(101 + number, created_at=day) for number, day in enumerate(days)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    found = [each["created_at"] and f"{each['created_at']:%Y-%m-%d}" for each in loaded.stories]
    assert found == [None, "2019-12-31", None]
    assert loaded.reader.skipped[-1].endswith("(and 1 more); kept in extra_fields")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "is empty"),
        ("a.json", b" \n ", "is empty"),
        (
            "a.json.gz",
            gzip.compress(gzip.compress(b"{}")),
            "is compressed twice; decompress it once",
        ),
        ("a.csv.gz", gzip.compress(TEXT.encode() * 50)[:-20], "is damaged or truncated"),
        ("a.csv.gz", gzip.compress(TEXT.encode()) + b"\r\n", "unpack it with gunzip first"),
        ("a.zip", b"MZ" + packed_by_zip("a.csv"), "has other data before a zip; unpack it first"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not an export, dump or backup of Tracker"),
        ("a.csv", b"\0" * 1000, "is not an export, dump or backup of Tracker"),
        ("a.csv.bz2", bz2.compress(TEXT.encode()), "is compressed with bzip2; unpack it first"),
        ("a.csv.xz", lzma.compress(TEXT.encode()), "is compressed with xz; unpack it first"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd" + TEXT.encode(), "is compressed with zstd"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\4", "is compressed with 7-Zip; unpack it first"),
        ("a.tar.gz", gzip.compress(packed_by_tar()), "is a tar file; unpack it first"),
        ("a.xlsx", packed_by_zip("[Content_Types].xml", "xl/workbook.xml"), "office document"),
        ("a.zip", packed_by_zip("b.xlsx"), "a.zip!b.xlsx: is an office document"),
        ("a.zip.gz", gzip.compress(packed_by_zip("a.csv")), "inside other zips or a gzip"),
        ("a.ods", packed_by_zip("mimetype", "content.xml"), "save its sheets as CSV files"),
        ("a.json", b"[" * 100_000 + b"]" * 100_000, "is invalid JSON: depth limit exceeded"),
        ("a.json", b'[{"kind":"story","estimate":}]', "is invalid JSON"),
    ],
    ids=[
        "empty", "blank", "compressed twice", "cut off", "text after a gzip",
        "a zip that unpacks itself", "picture", "nothing but NUL",
        "bzip2", "xz", "zstd", "7-Zip", "tar", "Excel", "Excel in a zip",
        "zip in a gzip", "OpenDocument", "deep", "no value",
    ],
)  # fmt: skip
def test_a_file_without_tracker_data_is_refused_in_one_line(tmp_path, name, content, reason):
    with pytest.raises(ArchiveError, match=reason) as error:
        Loaded(write(tmp_path / name, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_no_row_is_lost_by_invalid_bytes(tmp_path, encoding):
    content = TEXT.encode(encoding) + b"\xe9"
    loaded = Loaded(write(tmp_path / "shop.csv", content))
    assert [each["id"] for each in loaded.stories] == [101, 102]
    assert f"some bytes are not valid {encoding.upper()}" in loaded.reader.skipped[0]


def test_an_undefined_windows_byte_does_not_affect_other_characters(tmp_path):
    rows = [story(101, title="“Café” – ok"), story(102, title="x")]
    content = csv_text(rows).encode("cp1252").replace(b"x,", b"\x81,")
    loaded = Loaded(write(tmp_path / "shop.csv", content))
    assert [each["name"] for each in loaded.stories] == ["“Café” – ok", "\x81"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_a_windows_byte_does_not_affect_utf_8_elsewhere(tmp_path, mark):
    rows = [story(101, title="Café “x” 😀"), story(102, title="Zoë £5", requested_by="Ünï")]
    damaged = csv_text(rows).encode().replace("£".encode(), b"\xa3").replace("Ü".encode(), b"\xdc")
    loaded = Loaded(write(tmp_path / "shop.csv", mark + damaged))
    assert [each["name"] for each in loaded.stories] == ["Café “x” 😀", "Zoë £5"]
    assert [each["name"] for each in loaded.people] == ["Ada Obi", "Ünï"]
    assert loaded.archive_files[0]["encoding"].endswith("+cp1252")
    note = "is a mix of UTF-8 and Windows-1252; both were decoded"
    assert loaded.reader.skipped == [f"{tmp_path}/shop.csv: {note}"]


def test_windows_text_with_one_valid_utf_8_sequence_is_windows_text(tmp_path):
    rows = [story(number, title="“Café” – „Äpfel“ – ÄÖÜ “CAFÉ”") for number in range(101, 120)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows, encoding="cp1252"))
    assert {each["name"] for each in loaded.stories} == {"“Café” – „Äpfel“ – ÄÖÜ “CAFÉ”"}
    assert loaded.archive_files[0]["encoding"] == "cp1252"
    note = "was read as Windows-1252; if letters are wrong, save it as UTF-8"
    assert loaded.reader.skipped == [f"{tmp_path}/shop.csv: {note}"]


TWO = [{**STORY, "id": 7}, {**STORY, "id": 8, "name": "brace } in {"}]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("{}{}", []),
        ("\n {}\n\n\t{}  \n", []),
        ('{}{}\n\n{"kind": "story", "id": 9', [(3, "invalid JSON: ")]),
        ('{"kind":,}\n{}\n{}\n', [(1, "invalid JSON: ")]),
        ('{}\n{"kind":,}\n{}\n', [(2, "invalid JSON: ")]),
        ('{}\n{}\n{"kind": "sto', [(3, "invalid JSON: ")]),
    ],
    ids=["end to end", "with blanks", "cut off", "first line", "second line", "last line"],
)
def test_consecutive_documents_are_read_and_broken_ones_refused(tmp_path, text, refused):
    parts = iter([json.dumps(each) for each in TWO])
    while "{}" in text:
        text = text.replace("{}", next(parts), 1)
    loaded = Loaded(write(tmp_path / "a.json", text))
    assert [each["id"] for each in loaded.stories] == [7, 8]
    assert [(line, reason[:14]) for line, _, reason in loaded.refusals] == refused


def test_consecutive_indented_documents_have_line_numbers(tmp_path):
    text = "\n\n".join(json.dumps(each, indent=1) for each in TWO)
    loaded = Loaded(write(tmp_path / "a.json", text))
    assert [each["source_line"] for each in loaded.stories] == [1, len(STORY) + 4]


def test_json_with_a_windows_byte_is_read(tmp_path):
    text = json.dumps([{**STORY, "name": "Zoë £5"}], ensure_ascii=False)
    loaded = Loaded(write(tmp_path / "a.json", text.encode().replace("£".encode(), b"\xa3")))
    assert loaded.one_story()["name"] == "Zoë £5"


@pytest.mark.parametrize(
    "cell", ["x" * 9_999, '"' + "x" * 9_999 + '"', "x," * 5_000], ids=["word", "quoted", "cells"]
)
def test_an_endless_line_is_refused_without_reading_all_of_it(tmp_path, monkeypatch, cell):
    monkeypatch.setattr(csv_rows, "LONGEST_LINE", 2_000)
    rest = csv_text([story(104)]).partition("\n")[2]
    path = write(tmp_path / "shop.csv", TEXT + "103," + cell + "\n" + rest)
    loaded = Loaded(path)
    assert [each["id"] for each in loaded.stories] == [101, 102, 104]
    assert [line for line, *_ in loaded.refusals] == [4]


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        pytest.param("x" * 1_100_000, True, id="on one line, so no quote is missing"),
        pytest.param("x\n" * 550_000, False, id="over many lines, as after a lost quote"),
    ],
)
@pytest.mark.parametrize("header", [HEADER, [HEADER[1], HEADER[0], *HEADER[2:]]], ids=["", "moved"])
def test_an_oversized_cell_affects_only_its_own_row(tmp_path, text, is_kept, header):
    csv.field_size_limit(131_072)  # a global limit, which other tests raise
    rows = [story(101, header, description=text), story(102, header)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows, header))
    assert [each["id"] for each in loaded.stories] == [101, 102]
    assert loaded.stories[0]["description"] == (text if is_kept else None)
    assert is_kept or "rest of the row" in loaded.stories[0]["extra_fields"]


@pytest.mark.parametrize("small", [1 << 18, 0], ids=["csv module", "DuckDB"])
def test_rows_of_spaces_are_ignored(tmp_path, monkeypatch, small):
    monkeypatch.setattr("ingest.archive.csv.row_batches._SMALL", small)
    first, second = csv_text([story(101)]), csv_text([story(102)]).partition("\n")[2]
    blank = " ," * (len(HEADER) - 1) + " \n"
    loaded = Loaded(write(tmp_path / "shop.csv", first + blank * 3 + second + blank))
    assert [each["id"] for each in loaded.stories] == [101, 102]
    assert loaded.refusals == []


def test_a_header_alone_is_a_project_without_stories(tmp_path):
    loaded = Loaded(write_csv(tmp_path / "shop_20250401_101112.csv", []))
    assert ([each["name"] for each in loaded.projects], loaded.stories) == (["shop"], [])


@pytest.mark.parametrize(
    "record",
    [
        {**STORY, "id": 10**30},
        {**STORY, "id": [1]},
        {**STORY, "id": True},
        {**STORY, "id": "seven"},
        {**STORY, "project_id": 10**30},
        {"kind": "story_update_activity", "guid": 5, "project": 4},
        {"kind": "story_update_activity", "project": {"id": ""}, "project_version": 3},
        {"kind": "daily_history_container", "project_id": 9, "header": 5, "data": [1]},
        {"kind": "label", "id": None, "project_id": 9, "name": "x"},
    ],
    ids=[
        "huge id", "list for an id", "boolean id", "word for an id", "huge project",
        "number for a project", "webhook without project", "number for a header", "no id",
    ],
)  # fmt: skip
def test_only_a_record_of_the_wrong_shape_is_refused(tmp_path, record):
    path = write(tmp_path / "dump.json", json.dumps([record, {**STORY, "id": 8}]))
    loaded = Loaded(path)
    assert [each["id"] for each in loaded.stories] == [8]
    assert len(loaded.refusals) == 1


@pytest.mark.parametrize(
    ("record", "table", "column"),
    [
        ({**STORY, "owners": [{"name": "without id"}, {"id": 5}], "owner_ids": None}, "stories",
         ("owner_ids", "[5]")),
        ({"kind": "epic", "id": 6, "project_id": 9, "label": [1]}, "epics", ("label", "[1]")),
        ({"kind": "iteration", "number": 1, "project_id": 9, "stories": [1]}, "iterations",
         ("story_ids", "[]")),
        ({"kind": "story_update_activity", "guid": "9_5", "performed_by": 4}, "activity",
         ("performed_by_id", None)),
        ({"kind": "project_membership", "id": 3, "project_id": 9, "person": "x"}, "memberships",
         ("person", '"x"')),
    ],
    ids=["owner without id", "label that is a list", "numbers for stories",
         "number for a person", "text for a person"],
)  # fmt: skip
def test_a_record_with_a_part_of_the_wrong_shape_loads(tmp_path, record, table, column):
    path = write(tmp_path / "dump.json", json.dumps([record, {**STORY, "id": 8}]))
    loaded = Loaded(path)
    assert loaded.refusals == []
    (found,) = [each for each in loaded.tables[table] if each.get("id") != 8]
    name, value = column
    assert found[name] == value


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "person",
    ["Ann", [1], 5, {}, {"id": None}, {"id": "x"}, {"id": 5, "name": 7}, {"name": "Ann"}],
    ids=str,
)
def test_a_stored_person_of_the_wrong_shape_does_not_affect_the_next_load(tmp_path, person):
    member = {"kind": "project_membership", "id": 3, "project_id": 9, "person": person}
    warehouse = as_warehouse(tmp_path / "warehouse.duckdb")
    for record in (member, STORY):
        path = write(tmp_path / f"{record['kind']}.json", json.dumps([record]))
        run(ArchiveReader([path]), "archive", "exports", warehouse)
    with warehouse.reading() as reading:
        assert reading.rows("select id from pivotal_tracker_data.stories") == [(7,)]


def test_values_of_the_wrong_type_are_kept_in_extra_fields(tmp_path):
    record = {**STORY, "name": {"a": 1}, "comments": {"a": 2}, "labels": "x", "estimate": "many"}
    found = Loaded(write(tmp_path / "dump.json", json.dumps(record))).one_story()
    assert json.loads(found["extra_fields"]) == {"name": {"a": 1}, "estimate": "many"}


def test_many_small_files_are_read_as_one_dump(tmp_path):
    for number in range(1, 1_001):
        write(tmp_path / f"{number}.json", json.dumps({**STORY, "id": number}))
    loaded = Loaded(tmp_path)
    assert (len(loaded.stories), len(loaded.archive_files)) == (1_000, 1_000)


def test_gzipped_json_inside_a_zip_is_read(tmp_path):
    path = tmp_path / "dump.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("stories/page.json.gz", gzip.compress(json.dumps([STORY]).encode()))
    assert Loaded(path).one_story()["id"] == 7


def test_circular_links_are_not_followed(tmp_path):
    write_csv(tmp_path / "a" / "shop.csv", ROWS)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "one").symlink_to(tmp_path / "a" / "other")
    (tmp_path / "a" / "other").symlink_to(tmp_path / "a" / "one")
    assert len(Loaded(tmp_path).stories) == 2
    with pytest.raises(ArchiveError, match="no such file or folder"):
        Loaded(tmp_path / "a" / "one")


def test_special_files_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    write_csv(tmp_path / "shop.csv", ROWS)
    assert len(Loaded(tmp_path).stories) == 2
    with pytest.raises(ArchiveError, match="is neither a file nor a folder"):
        Loaded(tmp_path / "pipe.csv")


def test_an_unreadable_folder_is_reported(tmp_path, monkeypatch):
    (tmp_path / "shut").mkdir()
    scandir = os.scandir

    def deny(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    rejections = []
    assert list(find_files([tmp_path], ArchiveOptions(), rejections)) == []
    assert [each.reason for each in rejections] == ["cannot be read: Permission denied"]


@pytest.mark.parametrize(
    "name",
    ['it\'s "x".csv', "new\nline.csv", "ünï 😀.csv", "-dash.csv", "a;b.csv", "[ab]*?.csv"],
    ids=["quotes", "newline", "unicode", "dash", "semicolon", "pattern"],
)
def test_any_file_name_is_accepted(tmp_path, name):
    loaded = Loaded(write_csv(tmp_path / name, [story(101), story(102, id="x")]))
    assert loaded.one_story()["source_file"].endswith(name)
    assert loaded.rejected_rows[0]["file"].endswith(name)


def test_a_repeated_file_is_read_once(tmp_path):
    write_csv(tmp_path / "a.csv", ROWS)
    write_csv(tmp_path / "copy of a.csv", ROWS)
    loaded = Loaded(tmp_path / "a.csv", tmp_path / "a.csv", tmp_path)
    assert (len(loaded.stories), len(loaded.projects)) == (2, 1)
    assert not any(each["is_deleted"] for each in loaded.stories)


def nested(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        (nested(253), None),
        (nested(255), "nested more than 254 levels deep"),
        (nested(900), "nested more than 254 levels deep"),
        (nested(2_000), "invalid JSON: maximum recursion depth exceeded"),
        ("9" * 400, None),
        ("9" * 5_000, "invalid JSON: Exceeds the limit"),
        ("1e400", None),
        ("NaN", None),
        ('"\\ud800"', None),
        ('["\\ud800", {"\\udfff": "\\ud83d\\ude00"}]', None),
        ('"\\u0000"', None),
    ],
    ids=["253 levels", "255 levels", "900 levels", "2,000 levels", "400 digits", "5,000 digits",
         "beyond any number", "not a number", "lone surrogate", "lone surrogates in a list", "NUL"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["labels", "estimate", "name", "other", "updated_at"])
@pytest.mark.parametrize("arrangement", ["[%s,\n%s,%s]", "%s\n%s\n%s", "%s %s %s"])
def test_an_impossible_value_affects_at_most_its_own_record(
    tmp_path, value, refused, field, arrangement
):
    records = [json.dumps({**STORY, "id": number, field: "VALUE"}) for number in (1, 2, 3)]
    records = [records[0].replace('"VALUE"', "null"), records[1].replace('"VALUE"', value),
               records[2].replace('"VALUE"', "null")]  # fmt: skip
    loaded = Loaded(write(tmp_path / "a.json", arrangement % tuple(records)))
    kept = [1, 3] if refused else [1, 2, 3]
    assert [each["id"] for each in loaded.stories] == kept
    assert [reason[: len(refused or "")] for *_, reason in loaded.refusals] == (
        [refused] if refused else []
    )
    for each in loaded.stories:
        for text in (each["labels"], each["extra_fields"]):
            json.loads(text or "{}")
            assert "\\ud" not in (text or ""), "PostgreSQL accepts no lone surrogates"


def test_a_part_that_is_nested_too_deeply_does_not_affect_its_story(tmp_path):
    comment = '{"kind": "comment", "id": 3, "story_id": 7, "text": "x", "y": ' + nested(253) + "}"
    loaded = Loaded(write(tmp_path / "a.json", json.dumps(STORY) + "\n" + comment))
    assert loaded.one_story()["comments"] is None
    assert [reason for *_, reason in loaded.refusals] == ["nested more than 254 levels deep"]


def test_an_undecodable_file_name_is_reported_with_its_bytes(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    folder = next(tmp_path.iterdir())
    write(folder / os.fsdecode(b"a\xff.json"), json.dumps([STORY]))
    write(folder / os.fsdecode(b"b\xfe.json"), "{")
    loaded = Loaded(tmp_path)
    assert loaded.one_story()["source_file"] == f"{tmp_path}/caf\\xe9/a\\xff.json"
    (refused,) = loaded.rejected_rows
    assert refused["file"] == f"{tmp_path}/caf\\xe9/b\\xfe.json"
    assert loaded.reader.failure({"stories": 1}).startswith(refused["file"])


def test_a_gzip_of_zeros_is_refused(tmp_path):
    write(tmp_path / "a.json.gz", gzip.compress(b"[" + b" " * (64 << 20) + b"]"))
    write(tmp_path / "b.json", json.dumps([STORY]))
    with mock.patch("ingest.archive.files.archive_file._MAX_GZIP_RATIO", 100):
        loaded = Loaded(tmp_path)
    assert loaded.one_story()["id"] == 7
    assert [reason[:36] for *_, reason in loaded.refusals] == [
        "decompresses to an implausible size,"
    ]


def test_an_attachment_in_two_monthly_zips_is_one_row(tmp_path):
    for name, content in (("a.zip", b"first"), ("b.zip", b"second one")):
        with zipfile.ZipFile(tmp_path / name, "w") as package:
            package.writestr("shop_20200101_1010.csv", TEXT)
            package.writestr("101/pic.png", content)
    warehouse = as_warehouse(tmp_path / "warehouse.duckdb")
    for paths in ([tmp_path / "a.zip", tmp_path / "b.zip"], [tmp_path / "a.zip"]) * 2:
        run(ArchiveReader(paths), "archive", "exports", warehouse)
        with warehouse.reading() as reading:
            assert reading.rows("select bytes from pivotal_tracker_data.attachments") == [
                (10 if len(paths) == 2 else 5,)
            ]
