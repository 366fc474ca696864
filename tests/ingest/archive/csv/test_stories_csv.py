"""Stories CSV files of every generation are read; bad rows are refused one by one."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive import ArchiveError, ArchiveReader
from ingest.archive.project.people import person_id
from ingest.records import Drift, Rejections
from tests.ingest.archive.samples import (
    HEADER,
    OLD_HEADER,
    Loaded,
    csv_text,
    guarded,
    row,
    story,
    write_csv,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def load_one(tmp_path, header=HEADER, **cells):
    path = write_csv(tmp_path / "shop_20151120_1010.csv", [story(101, header, **cells)], header)
    return Loaded(path)


def test_a_story_has_exactly_the_values_of_its_row(tmp_path):
    loaded = load_one(
        tmp_path,
        labels="api, Q3 goals",
        estimate="2",
        priority="p1 - High",
        current_state="accepted",
        iteration="3",
        iteration_start="Nov 16, 2015",
        iteration_end="Nov 22, 2015",
        accepted_at="Nov 20, 2015",
        description="line\nline",
        owned_by=["Bo Li", "Ada Obi"],
        blocker=["#99"],
        blocker_status=["resolved"],
        comment=["looks good (Bo Li - Nov 21, 2015)", "no author"],
        task=["write", "test"],
        task_status=["completed", "not completed"],
        review_type=["Design"],
        reviewer=["Bo Li"],
        review_status=["in_review"],
        pull_request=["https://github.com/a/b/pull/1"],
        git_branch=["feature/x"],
    )
    found = {name: value for name, value in loaded.one_story().items() if value is not None}
    lists = {
        name: json.loads(found.pop(name))
        for name in (
            "labels", "owners", "owner_ids", "comments", "tasks", "blockers", "reviews",
            "pull_requests", "branches",
        )
    }  # fmt: skip
    ada, bo = person_id("Ada Obi"), person_id("Bo Li")
    (project,) = loaded.projects
    assert found == {
        "id": 101,
        "project_id": project["id"],
        "name": "Story 101",
        "description": "line\nline",
        "story_type": "feature",
        "story_priority": "p1",
        "current_state": "accepted",
        "url": "https://www.pivotaltracker.com/story/show/101",
        "requested_by_id": ada,
        "owned_by_id": bo,
        "iteration_number": 3,
        "estimate": Decimal(2),
        "accepted_at": datetime(2015, 11, 20, tzinfo=UTC),
        "created_at": datetime(2015, 11, 19, tzinfo=UTC),
        "record_source": "stories_csv",
        "source_file": loaded.archive_files[0]["file"],
        "source_line": 2,
        "is_date_only": True,
    }
    assert [each["name"] for each in lists["labels"]] == ["api", "q3 goals"]
    assert lists["owner_ids"] == [bo, ada]
    assert lists["owners"] == [{"id": bo, "name": "Bo Li"}, {"id": ada, "name": "Ada Obi"}]
    assert [(each["text"], each.get("person_id")) for each in lists["comments"]] == [
        ("looks good", bo),
        ("no author", None),
    ]
    assert [(each["description"], each["complete"]) for each in lists["tasks"]] == [
        ("write", True),
        ("test", False),
    ]
    assert [(each["description"], each["resolved"]) for each in lists["blockers"]] == [
        ("#99", True)
    ]
    assert [(each["review_type"]["name"], each["status"]) for each in lists["reviews"]] == [
        ("Design", "in_review")
    ]
    assert lists["pull_requests"][0]["original_url"] == "https://github.com/a/b/pull/1"
    assert lists["branches"][0]["name"] == "feature/x"
    assert {each["name"] for each in loaded.people} == {"Ada Obi", "Bo Li"}


def test_old_headers_are_the_same_columns(tmp_path):
    cells = {"story": "Old one", "story_type": "bug", "owned_by": "Bo Li", "note": "hi"}
    found = load_one(tmp_path, OLD_HEADER, title="", type="", **cells).one_story()
    assert (found["name"], found["story_type"]) == ("Old one", "bug")
    assert found["owned_by_id"] == person_id("Bo Li")
    assert json.loads(found["comments"])[0]["text"] == "hi"


def test_columns_in_any_order_and_unknown_ones(tmp_path):
    header = ["Swimlane", *reversed(HEADER)]
    found = load_one(tmp_path, header, swimlane="left").one_story()
    assert found["name"] == "Story 101"
    assert json.loads(found["extra_fields"]) == {"Swimlane": "left"}


@pytest.mark.parametrize("width", [16, 17, 20, len(HEADER), len(HEADER) + 4])
def test_rows_may_be_shorter_or_longer_than_the_header(tmp_path, width):
    cells = (story() + [""] * 10)[:width]
    path = write_csv(tmp_path / "shop.csv", [cells])
    assert Loaded(path).one_story()["name"] == "Story 101"


def test_comments_beyond_the_header_are_comments(tmp_path):
    header = HEADER[: HEADER.index("Comment") + 1]
    cells = [*story(101, header), "more (Ada Obi - Nov 20, 2015)"]
    found = Loaded(write_csv(tmp_path / "shop.csv", [cells], header)).one_story()
    assert [each["text"] for each in json.loads(found["comments"])] == ["more"]


@pytest.mark.parametrize(
    ("encoding", "line_end", "codec"),
    [
        ("utf-8", "\n", "utf-8"),
        ("utf-8-sig", "\r\n", "utf-8-sig"),
        ("utf-16", "\r\n", "utf-16"),
        ("utf-16-le", "\n", "utf-16-le"),
        ("utf-16-be", "\n", "utf-16-be"),
        ("cp1252", "\r\n", "cp1252"),
    ],
)
def test_every_encoding_is_detected(tmp_path, encoding, line_end, codec):
    rows = [story(number) for number in range(101, 300)] + [story(999, title="“Café” Ünï – ok")]
    path = write_csv(tmp_path / "shop.csv", rows, encoding=encoding, line_end=line_end)
    loaded = Loaded(path)
    assert loaded.stories[-1]["name"] == "“Café” Ünï – ok"
    assert loaded.archive_files[0]["encoding"] == codec
    assert len(loaded.stories) == 200


def test_line_numbers_are_those_on_which_rows_begin(tmp_path):
    rows = [story(101, description="a\nb\nc"), story(102), [], story(103)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    assert [each["source_line"] for each in loaded.stories] == [2, 5, 7]


@given(title=TEXT, description=TEXT, comment=TEXT, task=TEXT)
def test_any_cell_text_survives_a_csv_round_trip(
    tmp_path_factory, title, description, comment, task
):
    cells = {
        "title": guarded(title),
        "description": guarded(description),
        "comment": [guarded(f"{comment} (Ada Obi - Nov 20, 2015)")],
        "task": [guarded(task)],
        "task_status": ["completed"],
    }
    found = load_one(tmp_path_factory.mktemp("csv"), **cells).one_story()
    assert found["name"] == title
    assert (found["description"] or "") == description
    assert json.loads(found["comments"])[0]["text"] == comment
    assert [each["description"] for each in json.loads(found["tasks"] or "[]")] == [task] * bool(
        task
    )


def test_epics_and_releases_are_loaded_into_separate_tables(tmp_path):
    epic = row(id=7, title="Big", labels="big", type="epic", created_at="Nov 1, 2015",
               url="https://www.pivotaltracker.com/epic/show/7",
               comment=["why (Bo Li - Nov 2, 2015)"])  # fmt: skip
    release = story(102, type="release", deadline="Dec 24, 2015")
    loaded = Loaded(write_csv(tmp_path / "shop.csv", [epic, release, story(labels="Big")]))
    (found,) = loaded.epics
    assert (found["id"], found["name"], found["created_at"]) == (
        7,
        "Big",
        datetime(2015, 11, 1, tzinfo=UTC),
    )
    (label,) = loaded.labels
    assert found["label_id"] == label["id"] == json.loads(loaded.stories[1]["labels"])[0]["id"]
    assert json.loads(found["comments"])[0]["text"] == "why"
    assert [each["deadline"] for each in loaded.releases] == [datetime(2015, 12, 24, tzinfo=UTC)]
    assert [each["id"] for each in loaded.stories] == [102, 101]


def test_all_iterations_that_the_rows_state_are_loaded_and_idle_ones_in_between(tmp_path):
    def at(number, span, state, **cells):
        return {"iteration": number, "iteration_start": span[0], "iteration_end": span[1],
                "current_state": state, **cells}  # fmt: skip

    one, four = ("Nov 2, 2015", "Nov 8, 2015"), ("Nov 23, 2015", "Nov 29, 2015")
    current, next_one = ("Dec 7, 2015", "Dec 13, 2015"), ("Dec 14, 2015", "Dec 20, 2015")
    rows = [
        story(101, **at(1, one, "accepted", accepted_at="Nov 3, 2015", estimate="2")),
        story(102, **at(4, four, "accepted", accepted_at="Nov 29, 2015", estimate="5")),
        story(104, **at(6, current, "started")),
        story(103, **at(6, current, "unstarted")),
        story(105, **at(7, next_one, "unstarted")),
    ]
    path = write_csv(tmp_path / "shop_20151208_101112.csv", rows)
    loaded = Loaded(path, time_zone="America/New_York")
    assert [
        (each["number"], each["start"], each["finish"], each["story_ids"], each["is_inferred"])
        for each in loaded.iterations
    ] == [
        (1, datetime(2015, 11, 2, 5, tzinfo=UTC), datetime(2015, 11, 9, 5, tzinfo=UTC), "[101]",
         None),
        (2, datetime(2015, 11, 9, 5, tzinfo=UTC), datetime(2015, 11, 16, 5, tzinfo=UTC), "[]",
         True),
        (3, datetime(2015, 11, 16, 5, tzinfo=UTC), datetime(2015, 11, 23, 5, tzinfo=UTC), "[]",
         True),
        (4, datetime(2015, 11, 23, 5, tzinfo=UTC), datetime(2015, 11, 30, 5, tzinfo=UTC), "[102]",
         None),
        (5, datetime(2015, 11, 30, 5, tzinfo=UTC), datetime(2015, 12, 7, 5, tzinfo=UTC), "[]",
         True),
        (6, datetime(2015, 12, 7, 5, tzinfo=UTC), datetime(2015, 12, 14, 5, tzinfo=UTC),
         "[103,104]", None),
        (7, datetime(2015, 12, 14, 5, tzinfo=UTC), datetime(2015, 12, 21, 5, tzinfo=UTC), "[105]",
         None),
    ]  # fmt: skip
    (project,) = loaded.projects
    assert json.loads(project["inferred_fields"]) == [
        "iteration_length",
        "point_scale",
        "week_start_day",
    ]
    assert (project["iteration_length"], project["week_start_day"]) == (1, "Monday")
    assert (project["point_scale"], project["point_scale_is_custom"]) == ("0,1,2,3,5,8", None)
    assert loaded.reader.as_of == datetime(2015, 12, 8, 15, 11, 12, tzinfo=UTC)


def test_configured_settings_are_not_inferred(tmp_path):
    path = write_csv(tmp_path / "shop.csv", [story(estimate="3")])
    given_settings = {
        "time_zone": "Europe/Paris", "iteration_length": 2, "week_start_day": "Friday",
        "point_scale": "0,1,3", "project_name": "Our Shop",
    }  # fmt: skip
    (project,) = Loaded(path, **given_settings).projects
    assert (project["name"], project["iteration_length"]) == ("Our Shop", 2)
    assert (project["week_start_day"], project["point_scale"]) == ("Friday", "0,1,3")
    assert project["inferred_fields"] == "[]"
    assert project["point_scale_is_custom"] is True
    (project,) = Loaded(path, point_scale="0,1,2,3").projects
    assert project["point_scale_is_custom"] is False


def test_an_estimate_outside_trackers_scales_implies_a_custom_scale(tmp_path):
    (project,) = Loaded(write_csv(tmp_path / "shop.csv", [story(estimate="7")])).projects
    assert (project["point_scale"], project["point_scale_is_custom"]) == ("7", True)


def test_a_line_break_at_the_end_of_a_name_is_removed(tmp_path):
    rows = [story(101), story(102, requested_by="Ada Obi\n", owned_by=["\nAda Obi", "Bo Li"])]
    one, two = Loaded(write_csv(tmp_path / "shop.csv", rows)).stories
    assert one["requested_by_id"] == two["requested_by_id"]
    assert json.loads(two["owner_ids"])[0] == one["requested_by_id"]


@pytest.mark.parametrize("created_at", ["Nov 19, 2015", "2015-11-19T10:00:00Z"])
def test_lists_without_a_column_are_unknown_and_not_empty(tmp_path, created_at):
    header = [each for each in HEADER if each not in ("Owned By", "Labels")]
    rows = [story(header=header, created_at=created_at)]
    found = Loaded(write_csv(tmp_path / "shop.csv", rows, header)).one_story()
    assert (found["owner_ids"], found["labels"]) == (None, None)
    found = Loaded(write_csv(tmp_path / "full.csv", [story(created_at=created_at)])).one_story()
    assert (found["owner_ids"], found["labels"]) == ("[]", "[]")


def test_without_a_timestamp_in_its_name_a_file_is_as_of_its_newest_day(tmp_path):
    rows = [
        story(101, comment=["x (Ada Obi - Dec 1, 2015)"]),
        story(102, current_state="unstarted", iteration="9", iteration_start="Jan 4, 2027",
              iteration_end="Jan 10, 2027", deadline=""),
    ]  # fmt: skip
    loaded = Loaded(write_csv(tmp_path / "stories.csv", rows))
    assert loaded.reader.as_of == datetime(2015, 12, 1, tzinfo=UTC)


REFUSED = [
    pytest.param({"id": "x12"}, ("Id", "no story id"), id="id"),
    pytest.param({"type": "flunk"}, ("Type", "unknown story type"), id="type"),
    pytest.param({"current_state": "done"}, ("Current State", "unknown story state"), id="state"),
    pytest.param(
        {"url": "https://www.pivotaltracker.com/story/show/5"},
        ("URL", "the URL is another story's: rows are fused or shifted"),
        id="another story's URL",
    ),
    pytest.param(
        {"url": "Bo Li"},
        ("URL", "the URL is another story's: rows are fused or shifted"),
        id="shifted cells",
    ),
    pytest.param(
        {"description": "a\n<<<<<<< HEAD\nb", "url": ""},
        ("Description", "merge-conflict marker inside a cell"),
        id="marker in a cell",
    ),
    pytest.param(
        {"description": "a\n102,Next,,,,,feature,,unstarted", "url": ""},
        ("Description", "broken quoting: a cell contains another row"),
        id="row in a cell",
    ),
]


@pytest.mark.parametrize(("cells", "refusal"), REFUSED)
def test_an_invalid_row_is_refused_and_the_others_are_loaded(tmp_path, cells, refusal):
    rows = [story(101), story(102, **cells), story(103)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    assert [each["id"] for each in loaded.stories] == [101, 103]
    assert loaded.refusals == [(3, *refusal)]
    (rejected,) = loaded.rejected_rows
    assert (rejected["line"], rejected["column_name"], rejected["reason"]) == (3, *refusal)
    assert rejected["file"].endswith("shop.csv")
    assert loaded.archive_files[0]["is_whole"] is False
    assert "shop.csv: 1 row was refused" in loaded.reader.skipped[0]


@pytest.mark.parametrize(
    "text", ["a\n<<<<<<< HEAD\nb", "a\n102,Next,,,,,feature,,unstarted"], ids=["marker", "row"]
)
def test_a_text_that_looks_like_a_row_is_kept_if_the_url_after_it_is_the_storys(tmp_path, text):
    assert load_one(tmp_path, description=text).one_story()["description"] == text


@pytest.mark.parametrize(
    ("cells", "field", "misfit"),
    [
        ({"created_at": "Feb 30, 2015"}, "created_at", ("Created at", "impossible date")),
        ({"accepted_at": "soon"}, "accepted_at", ("Accepted at", "impossible date")),
        ({"estimate": "lots"}, "estimate", ("Estimate", "no estimate")),
        ({"priority": "p9 - No"}, "story_priority", ("Priority", "unknown priority")),
        ({"iteration": "next"}, "iteration_number", ("Iteration", "no iteration number")),
        ({"url": "#REF!"}, "url", ("URL", "not a URL")),
    ],
)
def test_an_invalid_value_is_kept_in_extra_fields(tmp_path, cells, field, misfit):
    rows = [story(101), story(102, **cells), story(103)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    (value,) = cells.values()
    column, reason = misfit
    assert [each[field] is None for each in loaded.stories if each["id"] == 102] == [True]
    assert json.loads(loaded.stories[1]["extra_fields"]) == {column: value}
    assert loaded.refusals == []
    assert loaded.archive_files[0]["is_whole"] is True
    note = f"shop.csv:3: {column}: {reason} ({value!r}); kept in extra_fields"
    assert any(each.endswith(note) for each in loaded.reader.skipped)


@pytest.mark.parametrize(("cells", "refusal"), REFUSED)
def test_strict_refuses_rows_with_any_invalid_value(tmp_path, cells, refusal):
    path = write_csv(tmp_path / "shop.csv", [story(101), story(102, **cells)])
    with pytest.raises(ArchiveError, match=r"shop\.csv:3: .*nothing was loaded") as error:
        Loaded(path, strict=True)
    assert "\n" not in str(error.value)


def test_conflict_markers_and_the_second_copies_of_rows_are_refused(tmp_path):
    text = csv_text([story(101), story(102)])
    ours, theirs = csv_text([story(103, title="ours")]), csv_text([story(103, title="theirs")])
    text += "<<<<<<< HEAD\n" + ours.partition("\n")[2] + "=======\n"
    text += theirs.partition("\n")[2] + ">>>>>>> abc123\n"
    path = tmp_path / "shop.csv"
    path.write_text(text)
    loaded = Loaded(path)
    assert [each["name"] for each in loaded.stories] == ["Story 101", "Story 102", "ours"]
    assert loaded.refusals == [
        (4, None, "merge-conflict marker"),
        (6, None, "merge-conflict marker"),
        (7, "Id", "duplicate id: an earlier row has it"),
        (8, None, "merge-conflict marker"),
    ]


def test_rows_fused_by_a_conflict_marker_in_quotes_are_detected(tmp_path):
    # A quoted cell that a merge conflict cut in half leaves its quote open; quotes of the next rows
    # close it, so that their texts appear outside of quotes.
    good = csv_text([story(101)]).splitlines(keepends=True)
    broken = csv_text([story(102, description='say "hi"\nand go')]).splitlines(keepends=True)[1:]
    text = "".join([*good, broken[0], "<<<<<<< HEAD\n", *csv_text(
        [story(103, description="two\nlines"), story(104, description="x, y\nz"), story(105)]
    ).splitlines(keepends=True)[1:]])  # fmt: skip
    path = tmp_path / "shop.csv"
    path.write_text(text)
    loaded = Loaded(path)
    # The part before the cut is read.
    assert [(each["id"], each["description"]) for each in loaded.stories] == [
        (101, None),
        (102, None),
        (103, "two\nlines"),
        (104, "x, y\nz"),
        (105, None),
    ]
    assert "broken quoting" in loaded.reader.skipped[0]
    assert all("URL" not in (each["name"] or "") for each in loaded.stories)


def test_an_unclosed_quote_is_refused(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(csv_text([story(101)]) + '102,"Story 102,,,\n')
    loaded = Loaded(path)
    assert [each["id"] for each in loaded.stories] == [101]
    assert loaded.refusals == [(3, None, "broken quoting: unexpected end of data")]


def test_a_template_without_ids_and_rows_is_refused(tmp_path):
    path = write_csv(tmp_path / "template.csv", [], [each for each in HEADER if each != "Id"])
    with pytest.raises(ArchiveError, match="has no rows and no Id column"):
        Loaded(path)


WITH_CLOCKS = """\
Id,Story,Labels,Iteration,Iteration Start,Iteration End,Story Type,Estimate,Current State,\
Started At,Created at,Accepted at,Deadline,Requested By,Owned By,Description,URL,Note,Note
7,Open,,,,,feature,5,started,2018-10-24 10:02:11 -0300,2018-10-20 09:00:00 -0300,,,Ru,Ru,,,"a",\
"b (Ru - Oct 25, 2018)"
8,Done,x,3,2018-10-21,2018-10-27,feature,3,accepted,2018-10-21 10:02:11 -0300,\
2018-10-20 23:30:00 -0300,2018-10-27 23:10:00 -0300,,Ru,Ru,,,,
9,A day,,,,,bug,,accepted,,2018-10-20,2018-10-26 10:00:00 -0300,,Ru,,,,,
"""


def test_a_file_with_clock_times_keeps_them(tmp_path):
    path = tmp_path / "cm42.csv"
    path.write_text(WITH_CLOCKS)
    loaded = Loaded(path, time_zone="America/Sao_Paulo")
    first, done, mixed = loaded.stories
    assert first["created_at"] == datetime(2018, 10, 20, 12, tzinfo=UTC)
    assert done["accepted_at"] == datetime(2018, 10, 28, 2, 10, tzinfo=UTC)
    assert [each["is_date_only"] for each in (first, done, mixed)] == [False, False, True]
    assert json.loads(first["extra_fields"]) == {"Started At": "2018-10-24 10:02:11 -0300"}
    assert loaded.reader.as_of == done["accepted_at"]
    # The acceptance is on the 27th in the project's time zone, but on the 28th in UTC.
    assert not any("outside the iteration" in each for each in loaded.reader.skipped)
    assert loaded.refusals == []


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%y", "%Y/%m/%d"])
def test_dates_are_read_alike_in_plain_and_other_rows(tmp_path, form):
    days = [datetime(2015, 11, 20 + number).strftime(form) for number in range(3)]
    rows = [story(101 + number, created_at=day) for number, day in enumerate(days)]
    rows.append(story(104, type="release", created_at=days[0]))
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    found = {each["id"]: each["created_at"].day for each in loaded.stories}
    assert found == {101: 20, 102: 21, 103: 22, 104: 20}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("word", ["NULL", "nan", "None", "\\N"])
@pytest.mark.parametrize("count", [1, 4_000])  # read cell by cell, and large enough to read in bulk
def test_a_word_for_an_empty_date_is_an_empty_cell_in_every_column(tmp_path, word, count):
    path = tmp_path / "shop_20151120_1010.csv"
    stories = [story(101 + number, labels="none") for number in range(count)]
    write_csv(path, [[cell or word for cell in each] for each in stories])
    loaded = Loaded(path)
    assert loaded.refusals == []
    assert {each["labels"] for each in loaded.stories} == {loaded.stories[0]["labels"]}
    assert '"name":"none"' in loaded.stories[0]["labels"]
    for name in ("accepted_at", "deadline", "estimate", "description"):
        assert {each[name] for each in loaded.stories} == {None}
    assert {each["comments"] for each in loaded.stories} == {"[]"}
    assert loaded.tables["people"] == Loaded(write_csv(path, stories)).tables["people"]


def test_an_ambiguous_date_column_is_read_as_configured_and_named(tmp_path):
    path = write_csv(tmp_path / "shop.csv", [story(101, created_at="01/02/2019")])
    loaded = Loaded(path, date_order="day_first")
    assert f"{loaded.one_story()['created_at']:%Y-%m-%d}" == "2019-02-01"
    read = "dates in Created at are read as day/month/year; no date proves it: set date_order"
    assert [each.partition("shop.csv: ")[2] for each in loaded.reader.skipped] == [read]


IMPORT_HEADER = ["Title", "Labels", "Type", "Estimate", "Current State", "Created at", "Comment"]


def imported(title, created="Nov 19, 2015", **cells):
    cells = {"type": "feature", "current_state": "unstarted", **cells}
    return row(IMPORT_HEADER, title=title, created_at=created, **cells)


def test_rows_without_ids_get_stable_ids(tmp_path):
    rows = [
        imported("Pay"),
        imported("Pay"),
        imported("Pay", "Nov 20, 2015", comment="hi (Ada Obi - Nov 21, 2015)"),
        imported("Big", type="epic", labels="big", current_state=""),
        imported("Blank", type="", current_state=""),
        imported(""),
    ]
    loaded = Loaded(write_csv(tmp_path / "a" / "shop.csv", rows, IMPORT_HEADER))
    ids = [each["id"] for each in loaded.stories]
    assert len(set(ids)) == 4
    assert all(-(2**48) < each < 0 for each in [*ids, loaded.epics[0]["id"]])
    blank = loaded.stories[-1]
    assert (blank["story_type"], blank["current_state"]) == ("feature", "unscheduled")
    assert loaded.refusals == [(7, "Title", "neither an id nor a title")]
    (comment,) = json.loads(loaded.stories[2]["comments"])
    assert -(2**63) < comment["id"] < 0
    assert "has no Id column; its stories have negative ids" in loaded.reader.skipped[0]
    assert loaded.archive_files[0]["is_whole"] is False

    again = [imported("New", "11/22/2015"), *rows[:2], imported("Pay", "2015-11-20")]
    other = Loaded(write_csv(tmp_path / "b" / "shop.csv", again, IMPORT_HEADER))
    assert [each["id"] for each in other.stories][1:] == ids[:3]
    assert other.projects[0]["id"] == loaded.projects[0]["id"]


def test_two_files_without_ids_are_one_project_and_prove_no_deletion(tmp_path):
    for folder, titles in (("a", ["One", "Two"]), ("b", ["Two", "Three"])):
        rows = [imported(each) for each in titles]
        write_csv(tmp_path / folder / "shop.csv", rows, IMPORT_HEADER)
    loaded = Loaded(tmp_path)
    assert len(loaded.projects) == 1
    assert sorted(each["name"] for each in loaded.stories) == ["One", "Three", "Two"]
    assert not any(each["is_deleted"] for each in loaded.stories)


@pytest.mark.parametrize("lost", ["Title", "Type", "Current State"])
def test_a_lost_header_cell_is_named_and_other_files_load(tmp_path, lost):
    header = ["" if each == lost else each for each in HEADER]
    write_csv(tmp_path / "a.csv", [story(101)], header)
    write_csv(tmp_path / "b.csv", [story(202)])
    loaded = Loaded(tmp_path)
    assert [each["id"] for each in loaded.stories] == [202]
    assert loaded.refusals == [(None, None, f"has no {lost} column; name it in the header")]


def test_a_column_whose_header_was_lost_is_kept(tmp_path):
    header = ["" if each == "Estimate" else each for each in HEADER]
    rows = [[*story(101)[:7], "3", *story(101)[8:]]]
    loaded = Loaded(write_csv(tmp_path / "a.csv", rows, header))
    assert json.loads(loaded.one_story()["extra_fields"]) == {"column 8": "3"}


def test_other_columns_never_replace_a_field(tmp_path):
    header = [*HEADER, "id", "project_id", "Labels", "name"]
    rows = [[*story(101, labels="api"), "7", "8", "x", "y"]]
    loaded = Loaded(write_csv(tmp_path / "a.csv", rows, header))
    found = loaded.one_story()
    assert (found["id"], found["name"]) == (101, "Story 101")
    assert found["project_id"] == loaded.projects[0]["id"]
    assert sorted(json.loads(found["extra_fields"]).values()) == ["7", "8", "x", "y"]


def test_concatenated_files_keep_their_columns(tmp_path):
    swapped = [*HEADER[:1], *reversed(HEADER[1:]), "Swimlane"]
    lines = [
        *csv_text([story(101)]).splitlines(keepends=True),
        *csv_text([story(102, description="a")]).splitlines(keepends=True),
        *csv_text([story(103, swapped, description="b", swimlane="left")], swapped).splitlines(
            keepends=True
        ),
    ]
    path = tmp_path / "shop.csv"
    path.write_text("".join(lines))
    loaded = Loaded(path)
    assert [(each["id"], each["description"]) for each in loaded.stories] == [
        (101, None),
        (102, "a"),
        (103, "b"),
    ]
    assert json.loads(loaded.stories[2]["extra_fields"]) == {"Swimlane": "left"}
    assert loaded.refusals == []


def lines_of(*rows):
    return csv_text(rows).splitlines(keepends=True)[1:]


@pytest.mark.parametrize(
    ("spoil", "left"),
    [
        (lambda text: text.replace(',"two', ",two"), [101, 103, 104]),
        (lambda text: text.replace('lines"', "lines"), [101, 103, 104]),
        (lambda text: text.replace('"Nov 19, 2015"', "Nov 19, 2015", 2), [101, 102, 103, 104]),
        (lambda text: text.replace('"a ""b"" c"', '"a "b" c"'), [101, 102, 103, 104]),
        (lambda text: text.replace("two", "two" + "\n" * 1_100_000), [101, 103, 104]),
    ],
    ids=["opening quote", "closing quote", "quotes of dates", "inner quotes", "huge cell"],
)
def test_a_missing_quote_affects_only_its_own_row(tmp_path, spoil, left):
    rows = [story(101), story(102, description="two\nlines"), story(103, description='a "b" c')]
    path = tmp_path / "shop.csv"
    path.write_text(spoil(csv_text([*rows, story(104, description="one\nmore")])))
    loaded = Loaded(path)
    found = {each["id"]: each for each in loaded.stories}
    assert set(left) <= found.keys() <= {101, 102, 103, 104}
    assert found[104]["description"] == "one\nmore"
    assert found[101]["created_at"] == datetime(2015, 11, 19, tzinfo=UTC)
    assert len(loaded.refusals) < 5


def test_cells_before_the_url_of_a_row_with_a_broken_quote_are_read(tmp_path):
    broken = csv_text([story(102, estimate="2", comment=["x\ny"])]).replace('"x\ny"', '"x" z\ny')
    path = tmp_path / "shop.csv"
    path.write_text(broken + "".join(lines_of(story(103))))
    loaded = Loaded(path)
    assert [(each["id"], each["estimate"]) for each in loaded.stories] == [
        (102, Decimal(2)),
        (103, None),
    ]
    assert "broken quoting" in loaded.reader.skipped[0]


def test_cells_before_a_line_break_in_a_name_are_read(tmp_path):
    odd = {"estimate": "2", "requested_by": "Ada\nObi", "owned_by": "Bo Li", "url": ""}
    loaded = Loaded(write_csv(tmp_path / "shop.csv", [story(102, **odd), story(103)]))
    assert [(each["id"], each["estimate"], each["owner_ids"]) for each in loaded.stories] == [
        (102, Decimal(2), "[]"), (103, None, "[]"),
    ]  # fmt: skip
    assert "Bo Li" in loaded.stories[0]["extra_fields"]
    assert "a line break in this cell" in loaded.reader.skipped[0]


def test_a_line_break_in_a_cell_before_the_url_of_its_own_row_is_text(tmp_path):
    rows = [story(102, labels="api, \nweb", estimate="2"), story(103)]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    assert [(each["id"], each["estimate"]) for each in loaded.stories] == [
        (102, Decimal(2)), (103, None),
    ]  # fmt: skip
    assert [each["name"] for each in json.loads(loaded.stories[0]["labels"])] == ["api", "web"]
    assert loaded.refusals == []


def test_a_stray_quote_in_a_row_of_several_lines_affects_no_other_cell(tmp_path):
    header = [name for name in HEADER if name != "URL"]
    text = csv_text([story(102, header, description="two\r\nlines"), story(103, header)], header)
    path = tmp_path / "shop.csv"
    path.write_text(text.replace('"Ada Obi"', '"Ada Ob"i"'))
    loaded = Loaded(path)
    assert [(each["id"], each["description"]) for each in loaded.stories] == [
        (102, "two\r\nlines"), (103, None),
    ]  # fmt: skip


def test_rows_with_the_id_elsewhere_keep_the_cells_before_a_broken_quote(tmp_path):
    header = ["Title", "Id", *(name for name in HEADER[2:] if name != "URL")]
    cells = {"description": "two\r\nlines", "git_branch": "x"}
    rows = [story(each, header, **cells) for each in (102, 103)]
    path = tmp_path / "shop.csv"
    path.write_text(csv_text(rows, header).replace('"","x"', '","x"', 1), newline="")
    assert [each["description"] for each in Loaded(path).stories] == ["two\r\nlines"] * 2


def test_a_row_after_a_huge_cell_is_read_if_the_id_is_not_first(tmp_path):
    first = ["Pull Request", "Git Branch", "Id", "Title", "Estimate"]
    header = [*first, *(name for name in HEADER if name not in [*first, "Task"]), "Task"]
    huge = story(102, header, task="y\n" * 600_000 + "\r\n")
    rows = [story(101, header), huge, story(103, header, estimate="2", description="a\r\nb")]
    path = tmp_path / "shop.csv"
    path.write_text(csv_text(rows, header), newline="")
    assert {each["id"] for each in Loaded(path).stories} >= {101, 103}


def test_a_damaged_row_below_a_second_header_does_not_affect_the_next_one(tmp_path):
    swapped = ["Estimate", *[name for name in HEADER if name != "Estimate"]]
    below = csv_text([story(each, swapped, estimate="1") for each in (102, 103)], swapped)
    path = tmp_path / "shop.csv"
    path.write_text(csv_text([story(101)]) + below.replace("1,102,Story 102", "1,Story 102,", 1))
    assert [each["id"] for each in Loaded(path).stories] == [101, 103]


def test_a_row_with_broken_quotes_does_not_decide_which_header_applies(tmp_path):
    first = ["Estimate", "Title", "Id"]
    other = [*first, *(name for name in HEADER if name not in (*first, "Deadline", "URL"))]
    broken = story(102, other, estimate="2", title='x" y,z', description="a\nb")
    below = csv_text([broken, story(103, other, estimate="2")], other)
    path = tmp_path / "shop.csv"
    path.write_text(csv_text([story(101)]) + below.replace('""', '"'))
    assert 103 in [each["id"] for each in Loaded(path).stories]


def test_a_stray_quote_in_a_second_header_affects_no_row_below_it(tmp_path):
    swapped = HEADER[::-1]
    below = csv_text([story(102, swapped), story(103, swapped)], swapped)
    path = tmp_path / "shop.csv"
    path.write_text(csv_text([story(101)]) + below.replace("Created at", '"Created" at"', 1))
    assert [each["id"] for each in Loaded(path).stories] == [101, 102, 103]


def test_an_extra_quote_in_the_header_affects_no_row(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(csv_text([story(101), story(102)]).replace(",Accepted at", ',"Accepted at'))
    loaded = Loaded(path)
    assert [each["id"] for each in loaded.stories] == [101, 102]
    assert loaded.refusals == []


def test_an_id_damaged_by_a_spreadsheet_is_read_from_the_url(tmp_path):
    rows = [story(101, id="1.01E+02"), story(102, id="102.0"), story(103, id="x")]
    loaded = Loaded(write_csv(tmp_path / "shop.csv", rows))
    assert [each["id"] for each in loaded.stories] == [101, 102]
    assert loaded.refusals == [(4, "Id", "no story id")]


def test_nothing_to_load_is_reported_in_one_line(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ArchiveError, match=r"nothing to load: .*notes\.txt: is not an export"):
        Loaded(tmp_path)
    with pytest.raises(ArchiveError, match="no such file or folder"):
        Loaded(tmp_path / "absent.csv")


def test_only_the_first_refused_rows_of_a_file_are_listed_one_by_one(tmp_path):
    rows = [story(101), story(102, description="two, x\n" * 500), story(103)]
    path = tmp_path / "shop.csv"
    path.write_text(csv_text(rows).replace('"two', "two"))
    other = write_csv(tmp_path / "other.csv", [story(7), story(0), story(0)])
    reader = ArchiveReader([path, other], drift=Drift(rejections=Rejections(3)))
    found = {each for batch in reader.read("stories") for each in batch["id"].to_pylist()}
    assert found == {7, 101, 103}
    assert [each.line for each in reader.rejections if each.file == str(other)] == [3, 4]
    *listed, last = [each for each in reader.rejections if each.file == str(path)]
    assert [each.line for each in listed] == [3, 4, 5]
    assert (last.line, last.reason) == (6, "and 498 more, from line 6 to line 503")
    (catalogue,) = reader.read("archive_files")
    assert sorted(catalogue["rejected_count"].to_pylist()) == [2, 501]
    assert f"{path}: 501 rows were refused" in " ".join(reader.skipped)
