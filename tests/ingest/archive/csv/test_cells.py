"""Single cells are parsed: dates, comments, estimates, guarded texts."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.archive.csv.cells import (
    parse_estimate,
    parse_id,
    parse_priority,
    split_comment,
    split_labels,
    unguarded,
)
from ingest.archive.dates import DayOrders, parse_moment
from ingest.archive.project.people import normalised, person_id
from tests.ingest.archive.samples import guarded

NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="()"), min_size=1
).filter(lambda name: name.strip() and " - " not in f" {name} ")
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


def csv_date(day):
    return f"{day:%b} {day.day}, {day.year}"


DENVER = ZoneInfo("America/Denver")  # UTC-7 in winter, UTC-6 in summer


@pytest.mark.parametrize(
    "text",
    [
        "Nov 2, 2014", "November 2, 2014", "11/2/2014", "11/02/14", "11-02-2014", "2014-11-02",
        "2014/11/2", "2014.11.02", "02.11.2014", "2.11.14", "2-Nov-14", "2 Nov 2014", "02-NOV-2014",
        " Nov 2, 2014 ", "Sunday, November 2, 2014", "Sun 11/2/2014", " Sun, 2 Nov 2014",
        "November 2nd, 2014", "2. Nov 2014", "20141102", "Nov\xa02,\xa02014", "41945", "41945.0",
        "\u200e11\u200e/\u200e2\u200e/\u200e2014",
    ],
)  # fmt: skip
def test_days_are_read_in_every_form(text):
    moment = parse_moment(text, DENVER)
    assert moment == (date(2014, 11, 2), datetime(2014, 11, 2, 6, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-10-24T10:02:11Z", "2018-10-24T10:02:11Z"),
        ("2018-10-24T10:02:11.250+05:30", "2018-10-24T04:32:11.250000Z"),
        ("2018-10-24 10:02:11 -0300", "2018-10-24T13:02:11Z"),
        ("2018-10-24 10:02:11 UTC", "2018-10-24T10:02:11Z"),
        ("2018-10-24 10:02:11 +02", "2018-10-24T08:02:11Z"),
        ("2018-10-24T10:02:11", "2018-10-24T16:02:11Z"),
        ("2018-10-24 10:02", "2018-10-24T16:02:00Z"),
        ("2012/01/19 12:12:13 EST", "2012-01-19T17:12:13Z"),
        ("24.10.2018 10:02", "2018-10-24T16:02:00Z"),
        ("10/24/18 3:04 PM", "2018-10-24T21:04:00Z"),
        ("Oct 24, 2018, 12:30 a.m.", "2018-10-24T06:30:00Z"),
        ("24-Oct-18 10:02:11", "2018-10-24T16:02:11Z"),
        ("Wed, 24 Oct 2018 10:02:11 +0000", "2018-10-24T10:02:11Z"),
        ("Wed Oct 24 2018 10:02:11 GMT+0200 (Central European Time)", "2018-10-24T08:02:11Z"),
        ("Wed Oct 24 10:02:11 UTC 2018", "2018-10-24T10:02:11Z"),
        ("Wed Oct 24 10:02:11 +0200 2018", "2018-10-24T08:02:11Z"),
        ("Oct 24, 2018, 3:04\u202fPM", "2018-10-24T21:04:00Z"),
        ("1540375331000", "2018-10-24T10:02:11Z"),
        ("1540375331", "2018-10-24T10:02:11Z"),
        ("43397.41818287037", "2018-10-24T16:02:11Z"),
        ("43397,5", "2018-10-24T18:00:00Z"),
    ],
)
def test_a_time_is_in_its_own_offset_or_the_projects_zone(text, instant):
    moment = parse_moment(text, DENVER)
    assert (moment.text, moment.is_day) == (instant, False)


def test_the_day_of_an_instant_is_in_the_projects_zone():
    assert parse_moment("2018-10-24T01:00:00Z", DENVER).day == date(2018, 10, 23)


@pytest.mark.parametrize(
    "text",
    [
        "Feb 30, 2014", "22/11/2014", "yesterday", "Nox 1, 2014", "Nov 1, 0214", "Nov 2014",
        "29000", "79999", "4200", "0000-00-00", "2014-11-22 25:00", "2014-11-22 10:61",
        "2014-11-22T10:00:00+99:00", "2014-11-22 13:00 PM", "2014-11-22 x", "2014-11-221",
        "201411221", "20141322", "Nov 19, 99999", "9" * 13, "1" * 40,
    ],
)  # fmt: skip
def test_an_invalid_date_is_refused(text):
    with pytest.raises(ValueError, match="."):
        parse_moment(text, DENVER)


@given(DAYS)
def test_any_day_survives_a_round_trip(day):
    assert parse_moment(csv_date(day), DENVER).day == day


@given(st.text(st.sampled_from("0123456789-/.,: TZ+APMNov"), max_size=30))
def test_any_other_text_raises_a_value_error(text):
    try:
        moment = parse_moment(text, DENVER)
    except ValueError:
        return
    assert moment.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("cells", "default", "day_first"),
    [
        ([("a", "31/12/2019"), ("a", "01/02/2019")], False, {"a": True}),
        ([("a", "12/31/2019"), ("a", "01/02/2019")], True, {"a": False}),
        ([("a", "01/02/2019")], False, {"a": False}),
        ([("a", "01/02/2019")], True, {"a": True}),
        ([("a", "31/12/2019"), ("b", "01/02/2019")], False, {"a": True, "b": True}),
        ([("a", "31/12/2019"), ("b", "12/31/2019")], False, {"a": True, "b": False}),
        ([("a", "13/1/19 10:00"), ("a", "14/1/19"), ("a", "1/15/19")], False, {"a": True}),
        ([("a", "Nov 2, 2014"), ("a", "2019-01-02")], True, {}),
    ],
    ids=[
        "day first", "month first", "neither", "neither, as configured",
        "known from another column", "each column by itself", "most of a column",
        "no ambiguous date",
    ],
)  # fmt: skip
def test_the_order_of_day_and_month_follows_from_the_column(cells, default, day_first):
    orders = DayOrders()
    for column, text in cells:
        orders.see(column, text)
    assert orders.day_first(default) == day_first


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("101", 101), (" #101 ", 101), ("101.0", 101), ("\ufeff101", 101), ("0107", 107),
        ("0", None), ("", None), ("1.5", None), ("1.69E+08", None), ("1" * 13, None),
        ("１０１", None), ("'101", 101), ("'101'", 101), ('"101"', 101), ('="101"', 101),
        ("186,001,718", 186001718), ("186.001.718", 186001718), ("1\u202f001\u202f718", 1001718),
        ("1,001", None), ("1,001.718", None), ("1,0011,718", None),
        ('=("101")', 101), ('=("101.0")', 101), ("(101)", None), ("'-101", None),
        ("\u200e101\u200b", 101), ("https://www.pivotaltracker.com/story/show/101", 101),
        ('=HYPERLINK("https://www.pivotaltracker.com/story/show/101","#101")', 101),
        ("https://example.com/5", None),
    ],
)  # fmt: skip
def test_an_id_is_a_whole_number(text, number):
    assert parse_id(text) == number


@pytest.mark.parametrize(
    ("cell", "text", "author"),
    [
        pytest.param("Done (Ann - Nov 1, 2014)", "Done", "Ann", id="plain"),
        pytest.param("(Ann - Nov 1, 2014)", "", "Ann", id="no text"),
        pytest.param("a (b) c (Ann Lee - Nov 1, 2014)", "a (b) c", "Ann Lee", id="brackets"),
        pytest.param(
            "said (Bo - May 2, 2013)\nagreed (Ann - Nov 1, 2014)",
            "said (Bo - May 2, 2013)\nagreed",
            "Ann",
            id="only the last ending counts",
        ),
        pytest.param("ok (Ann (QA) - Nov 1, 2014)", "ok", "Ann (QA)", id="brackets in a name"),
        pytest.param("ok (J.-P. Li-Wu - Nov 1, 2014)\n", "ok", "J.-P. Li-Wu", id="hyphens"),
        pytest.param("no ending", "no ending", None, id="no ending"),
        pytest.param("x (Ann - Nox 1, 2014)", "x (Ann - Nox 1, 2014)", None, id="invalid month"),
        pytest.param("x (Ann - Nov 1, 2014) y", "x (Ann - Nov 1, 2014) y", None, id="text after"),
        pytest.param("Ann - Nov 1, 2014)", "Ann - Nov 1, 2014)", None, id="no opening bracket"),
    ],
)
def test_a_comment_ends_with_its_author_and_day(cell, text, author):
    found = split_comment(cell)
    assert found[:2] == (text, author)
    assert found[2] == (None if author is None else "Nov 1, 2014")


@given(st.text(), NAMES, DAYS)
def test_any_comment_survives_a_round_trip(text, author, day):
    found = split_comment(f"{text} ({author} - {csv_date(day)})")
    assert found == (text, author.strip(), csv_date(day))


@given(st.text())
def test_any_guarded_text_survives_a_round_trip(text):
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("", None), ("-1", None), ("0", 0), ("3", 3), ("0.5", 0.5), ("0,5", 0.5), ("2.0", 2),
        ("1e2", 100),
    ],
)  # fmt: skip
def test_an_estimate_is_points_or_nothing(text, points):
    assert parse_estimate(text) == points


@pytest.mark.parametrize("text", ["many", "-2", "nan", "inf", "1e12", "1e400", "1_0", "0x1"])
def test_an_invalid_estimate_is_refused(text):
    with pytest.raises(ValueError, match="."):
        parse_estimate(text)


def test_a_priority_is_reduced_to_its_code():
    assert [parse_priority(each) for each in ("p0 - Critical", "p3 - Low", "none", "")] == [
        "p0",
        "p3",
        "none",
        None,
    ]


def test_labels_are_split_without_duplicates():
    assert split_labels("api, tech debt,api , ") == ["api", "tech debt"]


def test_people_are_identified_by_their_normalised_names():
    assert person_id("Ada  Obi ") == person_id("ada obi") < 0
    assert person_id("Ada Obi") != person_id("Ada Oby")
    assert normalised("ＡＤＡ\u00a0Obi") == "ada obi"
