"""Reading rows in bulk gives the same result as reading them one by one, including refusals."""

import csv
import gzip
import io
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive import ArchiveError, ArchiveOptions, id_set
from ingest.archive.csv import row_batches
from ingest.archive.reader import ArchiveReader
from tests.ingest.archive.samples import HEADER, Loaded, csv_text, row, story, write_csv


@pytest.fixture(autouse=True, scope="module")
def small_files_are_read_by_duckdb_too():
    with mock.patch.object(row_batches, "_SMALL", 0):
        yield


WIDE = [*HEADER, "Swimlane"]
TEXT = st.text(
    st.sampled_from("ab \"'\n\r,;=<>\\1234é\u2028\x00😀()-")
    | st.characters(exclude_categories=["Cs"]),
    max_size=25,
)
DAY = st.sampled_from(["", "Nov 19, 2015", "Nov 20, 2015", "11/21/2015", " Nov 9, 2015 "])
NAME = st.sampled_from(["", "Ada Obi", "Bo Li", " Ada  Obi ", "ADA OBI", "Zoë"])
COMMENT = TEXT | st.builds(
    "{} ({} - {})".format, TEXT, NAME | TEXT, st.sampled_from(["Nov 1, 2014", "Nov 1"])
)
GOOD = {
    "title": TEXT,
    "type": st.sampled_from(["feature", "Bug ", "chore"]),
    "estimate": st.sampled_from(["", "0", "1", "0.5", "-1", " 2 "]),
    "priority": st.sampled_from(["", "none", "p1 - High"]),
    "current_state": st.sampled_from(["accepted", "started", " Finished", "unscheduled"]),
    "labels": st.sampled_from(["", "api", "API, tech debt", " , x,x"]),
    "iteration": st.sampled_from(["", "3", " 4"]),
    "iteration_start": st.sampled_from(["", "Nov 2, 2015", "11/2/2015"]),
    "iteration_end": st.sampled_from(["", "Nov 8, 2015", "Nov 15, 2015"]),
    "created_at": DAY,
    "accepted_at": DAY,
    "deadline": DAY,
    "requested_by": NAME,
    "url": st.just(""),
    "description": TEXT,
    "owned_by": st.lists(NAME, max_size=2),
    "blocker": st.lists(TEXT, max_size=1),
    "blocker_status": st.lists(st.sampled_from(["resolved", "", "x"]), max_size=1),
    "comment": st.lists(COMMENT, max_size=2),
    "task": st.lists(TEXT, max_size=2),
    "task_status": st.lists(st.sampled_from(["completed", "not completed", ""]), max_size=2),
    "reviewer": st.lists(NAME, max_size=1),
    "review_type": st.lists(st.sampled_from(["", "Design"]), max_size=1),
    "review_status": st.lists(st.sampled_from(["", "in review", "Pass", "odd"]), max_size=1),
    "pull_request": st.lists(TEXT, max_size=1),
    "git_branch": st.lists(TEXT, max_size=1),
}
ODD = [
    *({"id": each} for each in ("", "x", "0", "#105", " 106", "0107", "1234567890123")),
    *({"type": each} for each in ("release", "epic", "flunk", "", "bug\n")),
    *({"current_state": each} for each in ("done", "")),
    *({"created_at": each} for each in ("Feb 30, 2015", "31/12/2019", "soon")),
    *({"iteration": each} for each in ("x", "12345678901")),
    {"iteration": "3", "iteration_start": "Nov 9, 2015", "iteration_end": "Nov 8, 2015"},
    *({"estimate": each} for each in ("lots", "nan")),
    {"priority": "p9 - No"},
    {"labels": "a\nb"},
    {"requested_by": "Bo\nLi"},
    {"owned_by": ["Bo\nLi"]},
    *({"url": f"https://www.pivotaltracker.com/story/show/{each}"} for each in (101, "")),
    {"url": " "},
    *({"description": each} for each in ("a\n<<<<<<< HEAD\nb", "a\n102,N,,feature,,", "'=1")),
    {"task": ["a\n>>>>>>> x"]},
    {"swimlane": "left"},
]
NUMBER = st.integers(101, 140)
PLAIN = st.fixed_dictionaries({"number": NUMBER}, optional=GOOD)
ROW = st.one_of(
    PLAIN.map(lambda cells: story(header=WIDE, **cells)),
    PLAIN.map(lambda cells: story(header=WIDE, **cells)),
    PLAIN.map(lambda cells: story(header=WIDE, **cells)[:22]),
    NUMBER.map(lambda number: story(number, WIDE)),
    st.builds(
        lambda cells, odd: story(header=WIDE, **{**cells, **odd}), PLAIN, st.sampled_from(ODD)
    ),
    st.sampled_from([[], ["<<<<<<< HEAD"], ["a", "b"]]),
)


def result_one_by_one(path, **options):
    with mock.patch.object(ArchiveReader, "_has_only_source", return_value=False):
        return result(path, **options)


def result(path, **options):
    """The complete result of reading a file: its rows, refusals, or error."""
    try:
        loaded = Loaded(path, **options)
    except ArchiveError as error:
        return str(error)
    tables = {name: sorted(rows, key=str) for name, rows in loaded.tables.items()}
    return tables, loaded.refusals, loaded.reader.skipped, loaded.reader.drift


@given(
    rows=st.lists(ROW, min_size=1, max_size=12),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    batch=st.sampled_from([1, 2, 100]),
)
def test_rows_read_in_bulk_equal_rows_read_one_by_one(
    tmp_path_factory, rows, encoding, line_end, batch
):
    path = tmp_path_factory.mktemp("csv") / "shop_20151130_1010.csv"
    text = csv_text(rows, WIDE, line_end)
    path.write_bytes(text.encode(encoding, "replace"))
    with mock.patch.object(row_batches, "_BATCH", batch):
        assert result(path) == result_one_by_one(path)


CELLS = st.lists(
    st.lists(TEXT | st.sampled_from([' "a"', '"a" ', "a\n\nb"]), max_size=5), max_size=6
)


@given(rows=CELLS, damaged=st.text(st.sampled_from('",\n\r a'), max_size=6), raw=st.booleans())
def test_both_readers_find_the_same_cells_on_the_same_lines(tmp_path_factory, rows, damaged, raw):
    path = tmp_path_factory.mktemp("csv") / "shop.csv"
    header = ["Id", "Title", "Type", "State", "URL"]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    text = out.getvalue() + (damaged + "\n1,2,3,4,5\n" if raw else "")
    path.write_bytes(text.encode("utf-8", "replace"))
    cells = cells_of(path)
    with mock.patch.object(row_batches, "_is_plain_text", return_value=False):
        assert cells_of(path) == cells


def cells_of(path):
    from ingest.archive.csv.exports import open_stories_file
    from ingest.archive.errors import FileRefused, RowRefused
    from ingest.archive.files.archive_file import ArchiveFile

    try:
        file = open_stories_file(
            ArchiveFile(path, path.name, path.stat().st_size), ArchiveOptions(), is_only_file=True
        )
    except FileRefused as refused:
        return str(refused)
    width = len(header) if (header := file.columns.header) else 0
    return [
        (line, cells.reason if isinstance(cells, RowRefused) else (cells + [""] * width)[:width])
        for batch in row_batches.row_batches(file)
        for line, cells in batch.rows()
    ]


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_plain_file_is_read_by_duckdb_and_an_odd_one_by_the_csv_module(tmp_path, is_plain):
    rows = [story(101), story(102, title="x" if is_plain else 'say "hi" , then')]
    path = write_csv(tmp_path / "shop.csv", rows)
    with mock.patch.object(
        row_batches, "_by_csv_module", wraps=row_batches._by_csv_module
    ) as csv_module:
        assert len(Loaded(path).stories) == 2
    assert csv_module.called != is_plain


def test_reading_continues_row_by_row_after_the_bulk_reader_fails(tmp_path):
    rows = [story(number) for number in range(101, 140)]
    text = csv_text(rows) + '140,"a"b,c\n' + csv_text([story(141)]).partition("\n")[2]
    path = tmp_path / "shop.csv"
    path.write_text(text)
    with mock.patch.object(row_batches, "_BATCH", 4):
        loaded = Loaded(path)
    assert [each["id"] for each in loaded.stories] == [*range(101, 140), 141]
    assert [(line, reason) for line, _, reason in loaded.refusals] == [(41, "unknown story type")]
    assert [each["source_line"] for each in loaded.stories] == [*range(2, 41), 42]


def test_a_gzipped_file_is_read_in_bulk(tmp_path):
    rows = [story(number, description="a\n\nb") for number in range(101, 140)]
    gzipped = tmp_path / "shop_20151130_1010.csv.gz"
    gzipped.write_bytes(gzip.compress(csv_text(rows).encode()))
    assert result(gzipped) == result_one_by_one(gzipped)
    assert [each["source_line"] for each in Loaded(gzipped).stories] == list(range(2, 119, 3))


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_empty_rows_are_ignored_but_blank_lines_in_texts_are_not(tmp_path, line_end):
    empty = [""] * len(HEADER)
    text = f"a{line_end}{line_end}b"
    rows = [empty, story(101, description=text), empty, story(102), empty]
    path = write_csv(tmp_path / "shop.csv", rows, line_end=line_end)
    with mock.patch.object(row_batches, "_by_csv_module", side_effect=AssertionError):
        loaded = Loaded(path)
    assert [(each["id"], each["source_line"]) for each in loaded.stories] == [(101, 3), (102, 7)]
    assert loaded.stories[0]["description"] == text
    assert loaded.refusals == []


def test_epics_and_releases_among_plain_rows_are_read(tmp_path):
    epic = row(id=101, title="Big", labels="big", type="epic", created_at="Nov 1, 2015")
    rows = [story(101), epic, story(102, type="release"), story(103, labels="Big")]
    path = write_csv(tmp_path / "shop.csv", rows)
    assert result(path) == result_one_by_one(path)


def test_an_id_with_leading_zeros_is_the_same_story(tmp_path):
    path = write_csv(
        tmp_path / "shop.csv", [story(101, id="0107", url=""), story(107), story("9" * 5000)]
    )
    assert result(path) == result_one_by_one(path)
    assert [(line, reason) for line, _, reason in Loaded(path).refusals] == [
        (3, "duplicate id: an earlier row has it"),
        (4, "no story id"),
    ]


@given(st.lists(st.lists(st.integers(-5, 40), max_size=8), max_size=12), st.integers(1, 3))
def test_an_id_set_contains_the_same_ids_as_a_set(steps, max_recent):
    ids, expected = id_set.IdSet(), set()
    with mock.patch.object(id_set, "_MAX_RECENT", max_recent):
        for number, step in enumerate(steps):
            assert ids.has_any(np.array(step, np.int64)) == (not expected.isdisjoint(step))
            if number % 2:
                ids.add_all(np.array(step, np.int64))
            for each in () if number % 2 else step:
                ids.add(each)
            expected.update(step)
            assert (sorted(ids), len(ids)) == (sorted(expected), len(expected))
            assert all((each in ids) == (each in expected) for each in range(-6, 42))
