"""One cell at a time: dates, comments, estimates, guards."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.archive.csv.cells import (
    midnight,
    parse_day,
    parse_estimate,
    parse_priority,
    split_comment,
    split_labels,
    unguarded,
)
from ingest.archive.project.people import normalised, person_id
from tests.ingest.archive.samples import guarded

NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="()"), min_size=1
).filter(lambda name: name.strip() and " - " not in f" {name} ")
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


def written(day):
    return f"{day:%b} {day.day}, {day.year}"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Nov 22, 2014", date(2014, 11, 22)),
        ("May 2, 2019", date(2019, 5, 2)),
        ("11/22/2014", date(2014, 11, 22)),
        ("2014-11-22", date(2014, 11, 22)),
        (" Feb 29, 2016 ", date(2016, 2, 29)),
    ],
)
def test_days_are_read_in_every_form(text, day):
    assert parse_day(text) == day


@pytest.mark.parametrize(
    "text", ["Feb 30, 2014", "22/11/2014", "yesterday", "Nox 1, 2014", "Nov 1, 0214", "Nov 2014"]
)
def test_an_impossible_day_is_refused(text):
    with pytest.raises(ValueError, match="."):
        parse_day(text)


@settings(deadline=None)
@given(DAYS)
def test_a_written_day_is_read_back(day):
    assert parse_day(written(day)) == day


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("UTC", "2014-07-02T00:00:00Z"),
        ("America/Denver", "2014-07-02T06:00:00Z"),
        ("Asia/Kolkata", "2014-07-01T18:30:00Z"),
    ],
)
def test_a_day_begins_at_local_midnight(zone, instant):
    assert midnight(date(2014, 7, 2), ZoneInfo(zone)) == instant


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
            id="last ending wins",
        ),
        pytest.param("ok (Ann (QA) - Nov 1, 2014)", "ok", "Ann (QA)", id="brackets in a name"),
        pytest.param("ok (J.-P. Li-Wu - Nov 1, 2014)\n", "ok", "J.-P. Li-Wu", id="hyphens"),
        pytest.param("no ending", "no ending", None, id="no ending"),
        pytest.param("x (Ann - Nox 1, 2014)", "x (Ann - Nox 1, 2014)", None, id="no month"),
        pytest.param("x (Ann - Nov 1, 2014) y", "x (Ann - Nov 1, 2014) y", None, id="text after"),
        pytest.param("Ann - Nov 1, 2014)", "Ann - Nov 1, 2014)", None, id="never opened"),
    ],
)
def test_a_comment_ends_with_its_author_and_day(cell, text, author):
    found = split_comment(cell)
    assert found[:2] == (text, author)
    assert found[2] == (None if author is None else "Nov 1, 2014")


@settings(deadline=None)
@given(st.text(), NAMES, DAYS)
def test_any_comment_survives_a_round_trip(text, author, day):
    found = split_comment(f"{text} ({author} - {written(day)})")
    assert found == (text, author.strip(), written(day))


@settings(deadline=None)
@given(st.text())
def test_any_text_survives_its_guard(text):
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    ("text", "points"), [("", None), ("-1", None), ("0", 0), ("3", 3), ("0.5", 0.5), ("100", 100)]
)
def test_an_estimate_is_points_or_nothing(text, points):
    assert parse_estimate(text) == points


@pytest.mark.parametrize("text", ["many", "-2", "nan", "inf", "1e12"])
def test_what_is_no_estimate_is_refused(text):
    with pytest.raises(ValueError, match="."):
        parse_estimate(text)


def test_a_priority_is_its_code():
    assert [parse_priority(each) for each in ("p0 - Critical", "p3 - Low", "none", "")] == [
        "p0",
        "p3",
        "none",
        None,
    ]


def test_labels_are_split_and_each_is_given_once():
    assert split_labels("api, tech debt,api , ") == ["api", "tech debt"]


def test_a_person_is_known_by_the_normalised_name():
    assert person_id("Ada  Obi ") == person_id("ada obi") < 0
    assert person_id("Ada Obi") != person_id("Ada Oby")
    assert normalised("ＡＤＡ\u00a0Obi") == "ada obi"
