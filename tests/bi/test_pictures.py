"""Pictures are drawn from the marts, described in words, and filtered by their page's filters."""

import json
import re
from datetime import date, timedelta
from itertools import pairwise

import altair
import duckdb
import pytest

from bi import answers, words
from bi.answers import ChoiceError
from bi.pictures import (
    PAGES,
    PICTURES,
    activity,
    cycle_time,
    flow,
    look,
    overview,
    rework,
    velocity,
)
from bi.pictures.picture import STORY_TYPES, Choice
from bi.published import PublishedError

EVERY = list(PICTURES.values())
DRAWN = [each for each in EVERY if each.draw]
MOBILE_APP = 2600003


@pytest.fixture(scope="module")
def connection(published):
    with published.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def project_ids(connection):
    return [each["project_id"] for each in answers.projects(connection)]


def whole_project(connection, project_id=MOBILE_APP, **changes):
    """A choice that includes all of a project, with changes."""
    project = answers.project(connection, project_id)
    choice = {"first_date": project["first_date"], "last_date": project["as_of_date"]}
    return Choice(project_id, **(choice | changes))


@pytest.mark.parametrize("picture", EVERY, ids=lambda each: each.name)
def test_every_picture_is_described_for_every_project(connection, project_ids, picture):
    answered = 0
    for project_id in project_ids:
        result = answers.picture(connection, picture, whole_project(connection, project_id), True)
        json.dumps(result, allow_nan=False)
        if not result["row_count"]:
            assert result["empty"]
            continue
        answered += 1
        assert not re.search(r"\b(None|nan|inf)\b|\d_|fct_", result["answer"]), result["answer"]
        if "spec" in result:
            assert result["spec"]["description"].startswith(picture.question)
            assert result["answer"].endswith("."), "a chart has no answer"
        assert result["answer"]
    assert answered > 0


@pytest.mark.slow  # the browser tests draw the charts of one project
@pytest.mark.parametrize("picture", DRAWN, ids=lambda each: each.name)
def test_every_chart_is_valid_vega_lite(connection, project_ids, picture):
    for project_id in project_ids:
        result = answers.picture(connection, picture, whole_project(connection, project_id))
        if spec := result.get("spec"):
            (altair.LayerChart if "layer" in spec else altair.Chart).from_dict(spec)


@pytest.mark.parametrize("picture", EVERY, ids=lambda each: each.name)
def test_every_picture_has_a_question_and_an_answer_in_words(connection, picture):
    assert picture.question.endswith("?")
    assert picture.definition.endswith(".")
    assert not re.search(r"\b(fct|dim|rpt|select|null)\b|_", picture.definition + picture.empty)
    result = answers.picture(connection, picture, whole_project(connection), with_table=True)
    assert all(each["text"] for each in result["measures"])
    for column in result["table"]["columns"]:
        assert "_" not in column["label"]


@pytest.mark.parametrize("picture", EVERY, ids=lambda each: each.name)
def test_an_empty_project_shows_nothing_and_does_not_fail(connection, picture):
    empty_project = Choice(1, date(2024, 1, 1), date(2024, 12, 31))
    result = answers.picture(connection, picture, empty_project)
    assert (result["row_count"], result["empty"]) == (0, picture.empty)


@pytest.mark.parametrize("picture", EVERY, ids=lambda each: each.name)
def test_every_picture_copes_with_unknown_values(published, picture, tmp_path_factory):
    """All values that can be null are null, in a copy."""
    path = tmp_path_factory.getbasetemp() / "unknown.duckdb"
    if not path.exists():
        path.write_bytes(published.path.read_bytes())
        with duckdb.connect(str(path)) as writing:
            for table, column in writing.execute(
                "select table_name, column_name from duckdb_columns() where not internal "
                "and is_nullable and table_name not in ('dim_project', 'publication') "
                "and not ends_with(column_name, '_id') and not ends_with(column_name, '_key')"
            ).fetchall():
                writing.execute(f'update "{table}" set "{column}" = null')
    with type(published)(path).connect() as connection:
        result = answers.picture(connection, picture, whole_project(connection), with_table=True)
    assert result["empty"] or result["row_count"]
    assert not re.search(r"\b(None|nan)\b", result["answer"])


def test_pictures_have_different_names():
    assert len(PICTURES) == sum(len(page.pictures) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_filter_of_a_page_affects_all_its_pictures(connection, page):
    narrowed = {
        "dates": {"first_date": date(2025, 4, 1), "last_date": date(2025, 4, 10)},
        "types": {"story_types": ("chore",)},
        "label": {"label_id": -1},
        "owner": {"owner_id": -1},
    }
    for name in page.filters:
        for picture in page.pictures:
            before = picture.rows(connection, whole_project(connection))
            if not before:  # nothing to filter in this project
                assert picture.name == "withdrawn"
                continue
            after = picture.rows(connection, whole_project(connection, **narrowed[name]))
            assert after != before, f"{picture.name} does not follow {name}"


def test_pages_offer_filters():
    offered = {page.name: page.filters for page in PAGES}
    assert offered["cycle-time"] == offered["rework"] == ["dates", "types", "label", "owner"]
    assert offered["overview"] == ["types", "label", "owner"]
    assert offered["plans"] == []


def test_the_velocity_equals_the_marts(connection):
    rows = velocity.VELOCITY.rows(connection, whole_project(connection))
    expected = connection.execute(
        "select iteration_number, cast(accepted_points as double), velocity "
        "from fct_iteration_velocity where project_id = ? order by iteration_number",
        [MOBILE_APP],
    ).fetchall()
    displayed = [(row["iteration_number"], row["accepted_points"], row["velocity"]) for row in rows]
    assert displayed == expected


def test_a_velocity_of_long_ago_is_not_the_present_one():
    rows = [
        {"iteration_number": number, "velocity": points, "is_done": number < 4}
        for number, points in ((1, 3), (2, 2), (3, None), (4, None))
    ]
    assert velocity.VELOCITY.answer(rows[:2], {}).startswith("Velocity is 2 points")
    assert velocity.VELOCITY.answer(rows, {}).startswith("There is no velocity now")
    assert "last one was 2 points" in velocity.VELOCITY.answer(rows, {})


def test_the_weekly_throughput_equals_the_marts(connection, project_ids):
    for project_id in project_ids:
        rows = overview.THROUGHPUT.rows(connection, whole_project(connection, project_id))
        displayed = {
            (row["week_start_date"], row["story_type"]): row["story_count"]
            for row in rows
            if row["story_count"]
        }
        expected = connection.execute(
            "select week_start_date, story_type, story_count from fct_throughput "
            "where project_id = $1 and story_count > 0 and week_start_date > "
            "(select max(week_start_date) from fct_throughput where project_id = $1) - 26 * 7",
            [project_id],
        ).fetchall()
        assert displayed == {(week, kind): count for week, kind, count in expected}


def test_the_rejection_rate_equals_the_marts(connection, project_ids):
    for project_id in project_ids:
        rows = rework.REJECTION_RATE.rows(connection, whole_project(connection, project_id))
        expected = connection.execute(
            "select iteration_number, rejection_rate from fct_iteration_velocity "
            "where project_id = ? and rejection_rate is not null order by iteration_number",
            [project_id],
        ).fetchall()
        assert [(row["iteration_number"], row["rejection_rate"]) for row in rows] == expected


def test_cycle_time_percentiles_are_those_of_the_displayed_stories(connection):
    facts = cycle_time.SCATTER.facts(connection, whole_project(connection))
    (expected,) = connection.execute(
        "select quantile_disc(cycle_time_seconds, [0.5, 0.85, 0.95]) from fct_story_cycle_time "
        "where project_id = ? and is_accepted and not is_deleted and story_type != 'release'",
        [MOBILE_APP],
    ).fetchone()
    displayed = [facts[f"p{each}_days"] * 86400 for each in (50, 85, 95)]
    assert displayed == pytest.approx(expected)


def test_the_period_before_is_as_long_and_ends_the_day_before(connection):
    later = whole_project(connection, first_date=date(2025, 1, 1), last_date=date(2025, 3, 31))
    before = whole_project(connection, first_date=date(2024, 10, 3), last_date=date(2024, 12, 31))
    facts = cycle_time.SCATTER.facts(connection, later)
    assert facts["p85_before"] == cycle_time.SCATTER.facts(connection, before)["p85_days"]
    assert facts["day_count"] == 90


def test_five_stories_are_needed_for_a_percentile(connection):
    """Of the stories accepted since the day on which the fifth last one was, or since the next."""
    dates = [
        row["accepted_date"]
        for row in cycle_time.SCATTER.rows(connection, whole_project(connection))
    ]
    fifth = dates[4]
    for first_date in (fifth, fifth + timedelta(days=1)):
        chosen = whole_project(connection, first_date=first_date)
        for picture in (*cycle_time.PAGE.pictures, rework.WAITS):
            rows, facts = picture.rows(connection, chosen), picture.facts(connection, chosen)
            known = [
                name
                for row in (*rows, facts)
                for name, value in row.items()
                if re.match(r"p\d+_days|within_|median_|correlation", name) and value is not None
            ]
            if first_date > fifth:
                assert known == [], picture.name
                assert not rows or not re.search("half|8?5 %", picture.answer(rows, facts))
            elif picture in (cycle_time.SCATTER, cycle_time.LEAD_TIME):
                assert known, picture.name
            json.dumps(answers.picture(connection, picture, chosen))


def test_estimates_and_cycle_times_are_those_of_the_mart(connection, project_ids):
    known = 0
    for project_id in project_ids:
        rows = cycle_time.ESTIMATES.rows(connection, whole_project(connection, project_id))
        expected = connection.execute(
            "select cast(estimate as double), story_count, round(p50_seconds / 86400, 2), "
            "round(p85_seconds / 86400, 2) from fct_cycle_time_by_estimate where project_id = ? "
            "order by estimate",
            [project_id],
        ).fetchall()
        assert [tuple(row.values()) for row in rows] == expected
        known += sum(row["p50_days"] is not None for row in rows)
    assert known


def test_changes_are_those_of_the_mart_with_people_and_stories(connection, project_ids):
    chosen = whole_project(connection, first_date=date(2025, 4, 1), last_date=date(2025, 4, 30))
    rows = activity.CHANGES.rows(connection, chosen)
    facts = activity.CHANGES.facts(connection, chosen)
    expected = connection.execute(
        "select occurred_at, story_id from fct_activity where project_id = ? and occurred_date "
        "between date '2025-04-01' and date '2025-04-30' order by occurred_at desc, "
        "project_version desc, activity_id desc",
        [MOBILE_APP],
    ).fetchall()
    assert [(row["changed_at"], row["story_id"]) for row in rows] == expected
    assert facts["change_count"] == len(expected) > 100
    assert facts["person_count"] == len({row["changed_by"] for row in rows}) > 3
    weeks = activity.WEEKS.rows(connection, chosen)
    assert sum(row["change_count"] for row in weeks) == len(expected)


def test_settings_are_those_of_the_project(connection):
    rows = PICTURES["setup"].rows(connection, whole_project(connection))
    settings = {row["setting"]: row["value"] for row in rows}
    assert settings["Time zone"] == "Europe/Berlin"
    assert (settings["Weeks in an iteration"], settings["Iterations in the velocity"]) == ("2", "3")
    assert (settings["Automatic planning"], settings["Public"]) == ("yes", "no")
    assert settings["Inferred settings"] is None


def test_a_layer_of_unknown_values_is_left_out():
    rows = [{"start_date": date(2025, 1, 1), "points": None}]
    known = look.layer("bar", x=look.category("start_date"))
    unknown = look.layer("line", x=look.category("start_date"), y=look.quantity("points"))
    assert look.spec(rows, known, unknown)["mark"] == known["mark"]
    assert look.spec(rows, unknown)["layer"] == []
    nothing = [{"start_date": date(2025, 1, day), "points": 0} for day in (1, 2)]
    assert look.spec(nothing, unknown)["layer"] == [], "a frame around nothing"
    one = [rows[0] | {"points": 1}]
    assert look.spec(one, unknown)["layer"] == [], "a line without a length"
    assert look.spec([*one, *nothing], unknown)["mark"] == unknown["mark"]
    assert look.spec(one, look.layer("line", mark_point=True, x=known["encoding"]["x"]))["mark"]


def test_the_bars_of_the_distribution_contain_every_story_once(connection, project_ids):
    for project_id in project_ids:
        bars = cycle_time.DISTRIBUTION.rows(connection, whole_project(connection, project_id))
        stories = cycle_time.SCATTER.rows(connection, whole_project(connection, project_id))
        assert sum(bar["story_count"] for bar in bars) == len(stories)
        assert all(one["from_days"] <= two["from_days"] for one, two in pairwise(bars))


def test_filters_narrow_the_displayed_stories(connection):
    every = {
        row["story_id"] for row in cycle_time.SCATTER.rows(connection, whole_project(connection))
    }
    bugs = cycle_time.SCATTER.rows(connection, whole_project(connection, story_types=("bug",)))
    assert {row["story_type"] for row in bugs} == {"bug"}
    label_id, owner_id = connection.execute(
        "select (select label_id from dim_label where project_id = $1 order by story_count desc "
        "limit 1), (select person_id from bridge_story_owner where project_id = $1 "
        "group by 1 order by count(*) desc limit 1)",
        [MOBILE_APP],
    ).fetchone()
    for changes, bridge in (
        ({"label_id": label_id}, f"bridge_story_label where label_id = {label_id}"),
        ({"owner_id": owner_id}, f"bridge_story_owner where person_id = {owner_id}"),
    ):
        rows = cycle_time.SCATTER.rows(connection, whole_project(connection, **changes))
        linked = {
            each for (each,) in connection.execute(f"select story_id from {bridge}").fetchall()
        }
        assert {row["story_id"] for row in rows} == every & linked
        assert 0 < len(rows) < len(every)


def test_a_long_cumulative_flow_is_drawn_with_fewer_days_but_the_last(connection):
    picture = flow.CUMULATIVE_FLOW
    rows = picture.rows(connection, whole_project(connection))
    drawn = sorted({row["flow_date"] for row in picture.draw(rows, {})["data"]["values"]})
    every = sorted({f"{row['flow_date']}T00:00:00" for row in rows})
    assert 100 < len(drawn) <= 201 < len(every)
    assert drawn[-1] == every[-1]
    assert drawn == every[::-1][:: len(every) // 200 + 1][::-1]


def test_accepted_stories_are_drawn_from_the_first_day(connection):
    rows = flow.CUMULATIVE_FLOW.rows(
        connection, whole_project(connection, first_date=date(2025, 1, 1))
    )
    accepted = [row for row in rows if row["story_state"] == "accepted"]
    assert accepted[0]["drawn_count"] == 0 < accepted[0]["story_count"]
    assert (
        accepted[-1]["drawn_count"] == accepted[-1]["story_count"] - accepted[0]["story_count"] > 0
    )


def test_of_many_stories_all_long_ones_and_a_sample_of_the_others_are_drawn(connection):
    few = cycle_time.SCATTER.rows(connection, whole_project(connection))
    facts = cycle_time.SCATTER.facts(connection, whole_project(connection))
    drawn = cycle_time.SCATTER.draw(few, facts)["layer"][0]
    assert len(cycle_time.SCATTER.draw(few, facts)["data"]["values"]) == len(few), drawn
    many = few * (4000 // len(few) + 1)
    points = cycle_time.SCATTER.draw(many, facts)["data"]["values"]
    assert 1000 < len(points) < 2000
    long = facts["p95_days"]
    assert sum(row["cycle_days"] > long for row in many) == sum(
        row["cycle_days"] > long for row in points
    )


def test_the_end_of_the_flow_has_the_ageing_stories_in_progress(connection, project_ids):
    for project_id in project_ids:
        wip = flow.WIP.rows(connection, whole_project(connection, project_id))
        aging = overview.AGING.rows(connection, whole_project(connection, project_id))
        assert wip[-1]["wip_story_count"] == len(aging), project_id


def test_a_day_of_which_nothing_is_known_has_no_work_in_progress_not_none(published, tmp_path):
    path = tmp_path / "unknown.duckdb"
    path.write_bytes(published.path.read_bytes())
    with duckdb.connect(str(path)) as writing:
        writing.execute(
            "update fct_flow_daily set is_in_progress = null, story_state = 'unknown' "
            "where is_in_progress and flow_date < date '2025-04-01'"
        )
    with published.connect() as connection:
        known = flow.WIP.rows(connection, whole_project(connection))
    with type(published)(path).connect() as connection:
        rows = flow.WIP.rows(connection, whole_project(connection))
    expected = [
        row for row in known if row["flow_date"] >= date(2025, 4, 1) or row["wip_story_count"] == 0
    ]
    assert rows == expected
    assert 30 <= len(rows) < len(known)


def test_the_total_age_is_that_of_the_stories_in_progress(connection, project_ids):
    for project_id in project_ids:
        chosen = whole_project(connection, project_id)
        ages = {row["flow_date"]: row for row in flow.TOTAL_AGE.rows(connection, chosen)}
        wip = flow.WIP.rows(connection, chosen)
        assert {day: row["wip_story_count"] for day, row in ages.items()} == {
            row["flow_date"]: row["wip_story_count"] for row in wip if row["wip_story_count"]
        }
        (expected,) = connection.execute(
            "select sum(age_seconds) / 86400 from fct_wip_aging where project_id = ?", [project_id]
        ).fetchone()
        if expected:
            last = ages[wip[-1]["flow_date"]]
            assert last["total_age_days"] == pytest.approx(expected, abs=0.02)


def test_arrivals_and_departures_are_those_of_the_complete_weeks(connection, project_ids):
    for project_id in project_ids:
        rows = flow.NET_FLOW.rows(connection, whole_project(connection, project_id))
        expected = connection.execute(
            "select week_start_date, sum(started_story_count), sum(story_count) "
            "from fct_throughput where project_id = ? and is_complete group by all order by all",
            [project_id],
        ).fetchall()
        assert [
            (row["week_start_date"], row["arrived_count"], row["finished_count"]) for row in rows
        ] == expected
        assert all(row["net_count"] == row["arrived_count"] - row["finished_count"] for row in rows)


@pytest.mark.parametrize(
    ("picture", "column"),
    [
        (flow.THROUGHPUT_LIMITS, "finished_count"),
        (flow.WIP_LIMITS, "wip_story_count"),
        (flow.CYCLE_TIME_LIMITS, "cycle_days"),
    ],
    ids=["throughput", "work in progress", "cycle time"],
)
def test_a_week_outside_its_limits_is_unusual(connection, project_ids, picture, column):
    signals = set()
    for project_id in project_ids:
        rows = picture.rows(connection, whole_project(connection, project_id))
        for row in rows:
            is_outside = row["upper_limit"] is not None and not (
                row["lower_limit"] - 0.05 <= row[column] <= row["upper_limit"] + 0.05
            )
            assert row["signal"] == "unusual" or not is_outside
            signals.add(row["signal"])
        assert all(row["upper_limit"] is None for row in rows[:8])
        assert all(row["upper_limit"] is not None for row in rows[8:])
        if rows:
            assert picture.answer(rows, {})
    assert signals == {"as usual", "unusual"}


def test_withdrawn_stories_had_been_started_and_are_not_accepted(connection, project_ids):
    found = set()
    for project_id in project_ids:
        found |= {
            row["story_id"]
            for row in rework.WITHDRAWN.rows(connection, whole_project(connection, project_id))
        }
    expected = connection.execute(
        "select story_id from fct_story_cycle_time where is_withdrawn"
    ).fetchall()
    assert found == {story_id for (story_id,) in expected}
    assert found


def test_rejections_equal_the_marts(connection):
    rows = rework.OUTCOMES.rows(connection, whole_project(connection))
    (expected,) = connection.execute(
        "select count(*) from fct_rejection where project_id = ? and not is_deleted "
        "and story_type in ('feature', 'bug', 'chore')",
        [MOBILE_APP],
    ).fetchone()
    assert sum(row["rejection_count"] for row in rows) == expected > 0


def test_the_burn_up_reaches_the_end_of_the_iteration(connection):
    rows = PICTURES["burn_up"].rows(connection, whole_project(connection))
    (first, last) = connection.execute(
        "select start_date, last_date from dim_iteration where project_id = ? and is_current",
        [MOBILE_APP],
    ).fetchone()
    assert (rows[0]["burn_date"], rows[-1]["burn_date"]) == (first, last)
    assert rows[-1]["accepted_points"] is None
    assert rows[-1]["even_pace_points"] > rows[0]["even_pace_points"]


def test_plans_have_one_verdict_each_and_show_which_are_late(connection):
    rows = PICTURES["time_line"].rows(connection, whole_project(connection))
    for row in rows:
        if row["verdict"].startswith("late"):
            days = (row["p85_date"] - row["deadline_date"]).days
            assert row["verdict"] == f"late by {days} day{'s' * (days != 1)}"
            assert days > 0
        elif row["verdict"] == "on time":
            assert row["p85_date"] <= row["deadline_date"]
        elif row["verdict"] == "no stories":
            assert row["story_count"] == 0
        else:
            assert row["verdict"] in ("no deadline", "not enough history") or row[
                "verdict"
            ].startswith("no date: ")
    kinds = {row["kind"] for row in rows}
    assert kinds == {"release", "epic"}
    (decided, met) = connection.execute(
        "select decided_count, held_count from fct_forecast_calibration "
        "where project_id = ? and question = 'when' and percentile = 85",
        [MOBILE_APP],
    ).fetchone()
    answer = PICTURES["time_line"].answer(rows, {})
    assert "late" in answer
    assert f"Of {decided} past forecast dates" in answer
    assert f"{met / decided:.0%}".rstrip("%") in answer


def test_all_projects_are_listed_with_their_marts_figures(connection, project_ids):
    rows = {row["project_id"]: row for row in answers.projects(connection)}
    expected = connection.execute(
        "select project_id, current_velocity, story_count from rpt_project_overview"
    ).fetchall()
    assert {(key, row["current_velocity"], row["story_count"]) for key, row in rows.items()} == set(
        expected
    )
    assert project_ids[0] == MOBILE_APP, "the project with the late releases comes first"
    mobile = rows[MOBILE_APP]
    assert mobile["release_verdict"].startswith("late by")
    assert mobile["velocities"][-1] == mobile["current_velocity"]
    assert mobile["missing"] is None
    assert mobile["gap"] == ""
    times = connection.execute(
        "select project_id, measure, p85_seconds / 86400 from fct_cycle_time_percentile "
        "where story_type = 'all' and time_window = 'last_180_days' "
        "and measure in ('cycle_time', 'lead_time')"
    ).fetchall()
    assert {
        (project_id, measure, row[column])
        for project_id, row in rows.items()
        for measure, column in (("cycle_time", "cycle_days"), ("lead_time", "lead_days"))
        if row[column] is not None
    } == {each for each in times if each[2] is not None}
    aging = dict(
        connection.execute("select project_id, count(*) from fct_wip_aging group by all").fetchall()
    )
    assert {key: row["wip_count"] for key, row in rows.items() if row["wip_count"]} == aging


def test_a_release_leads_to_its_story_and_an_epic_does_not(connection, project_ids):
    picture = next(each for each in EVERY if each.name == "time_line")
    rows = [
        row
        for project_id in project_ids
        for row in picture.rows(connection, whole_project(connection, project_id))
    ]
    named = dict(connection.execute("select story_id, story_name from dim_story").fetchall())
    releases = {row["story_id"]: row["plan_name"] for row in rows if row["kind"] == "release"}
    assert releases
    assert releases.items() <= named.items()
    assert {row["story_id"] for row in rows if row["kind"] == "epic"} == {None}


def test_a_release_without_stories_is_next_only_if_there_is_no_other(connection):
    releases = connection.execute(
        "select project_id, release_name, story_count from fct_release_progress "
        "where accepted_at is null"
    ).fetchall()
    with_stories = {key for key, _, count in releases if count}
    empty = {key for key, *_ in releases} - with_stories
    assert with_stories
    assert empty
    for row in answers.projects(connection):
        key = row["project_id"]
        assert (row["release_verdict"] == "no stories") == (key in empty)
        assert (row["release_name"] is None) == (key not in with_stories | empty)


@pytest.mark.parametrize(
    ("unknown", "stories", "missing", "expected"),
    [
        pytest.param(0, 10, None, "", id="complete"),
        pytest.param(0.75, 10, "transitions", "75 % of the stories", id="in part"),
        pytest.param(1, 10, "people, transitions", "history of all stories", id="CSV"),
        pytest.param(None, 0, None, "no stories", id="empty"),
        pytest.param(None, None, None, "were not read", id="without stories"),
    ],
)
def test_missing_data_is_described(unknown, stories, missing, expected):
    row = {"story_count": stories, "missing": missing, "unknown_share": unknown}
    text = answers._gap(row)
    assert expected in text
    assert bool(text) == bool(expected)
    assert not missing or missing in text


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"project": "1"}, "no project 1"),
        ({"project": "x"}, "must be a number"),
        ({"project": "9" * 30}, "must be a number"),
        ({"project": str(MOBILE_APP), "from": "2025-02-30"}, "not a date such as"),
        ({"project": str(MOBILE_APP), "from": "2025-03-01", "to": "2025-02-01"}, "is after"),
        ({"project": str(MOBILE_APP), "types": "epic"}, "not a story type"),
    ],
)
def test_an_invalid_choice_is_reported_in_one_sentence(connection, parameters, problem):
    with pytest.raises(ChoiceError, match=problem):
        answers.choice(connection, parameters)


def test_the_default_period_is_the_last_year(connection):
    choice = answers.choice(connection, {"project": str(MOBILE_APP)})
    assert (choice.last_date - choice.first_date).days == 365
    assert choice.story_types == STORY_TYPES


def test_a_copy_without_these_marts_is_reported_in_one_line():
    choice = Choice(1, date(2024, 1, 1), date(2024, 2, 1))
    for ask in (
        lambda empty: velocity.VELOCITY.rows(empty, choice),
        answers.start,
        lambda empty: answers.story(empty, 1),
    ):
        with duckdb.connect() as empty, pytest.raises(PublishedError, match="run make build$"):
            ask(empty)


def test_a_story_has_everything_that_the_marts_contain_about_it(connection):
    story_id, comments, tasks = connection.execute(
        "select story_id, comment_count, task_count from dim_story "
        "where not is_deleted and comment_count > 0 and task_count > 0 and story_id in "
        "(select story_id from fct_rejection) order by comment_count desc limit 1"
    ).fetchone()
    story = answers.story(connection, story_id)
    lists = {each["title"]: len(each["table"]["rows"]) for each in story["lists"]}
    assert (lists["Comments"], lists["Tasks"]) == (comments, tasks)
    assert lists["Rejections"] > 0
    intervals = connection.execute(
        "select story_state, interval_seconds / 86400 from fct_story_state_interval "
        "where story_id = ? order by interval_number",
        [story_id],
    ).fetchall()
    assert [(each["story_state"], each["lasted_days"]) for each in story["states"]] == intervals


@pytest.mark.parametrize(
    ("url", "is_linked"),
    [
        ("javascript:alert(1)", False),
        ("https://www.pivotaltracker.com/story/show/1", False),
        ("http://pivotaltracker.com/story/show/1", False),
        ("https://tracker.example/story/show/1", True),
    ],
)
def test_a_story_is_linked_to_a_page_that_can_be_opened(published, tmp_path, url, is_linked):
    path = tmp_path / "marts.duckdb"
    path.write_bytes(published.path.read_bytes())
    with duckdb.connect(str(path)) as connection:
        connection.execute("update dim_story set url = ?", [url])
        (story_id,) = connection.execute("select min(story_id) from dim_story").fetchone()
    with type(published)(path).connect() as connection:
        assert answers.story(connection, story_id)["url"] == (url if is_linked else "")


@pytest.mark.parametrize(
    ("query", "column"),
    [("story_name", "story_name"), ("label_names", "label_names"), ("owner_names", "owner_names")],
)
def test_a_story_is_found_by_words(connection, query, column):
    story_id, text = connection.execute(
        f"select story_id, {column} from dim_story where {query} is not null and not is_deleted "
        "order by story_id limit 1"
    ).fetchone()
    found = answers.search(connection, text.replace(",", " "), None)
    place = [each["name"] for each in found["table"]["columns"]].index("story_id")
    assert story_id in {row[place] for row in found["table"]["rows"]}


def test_the_search_ignores_case_and_accents(connection):
    exact = answers.search(connection, "Nguyễn", None)["story_count"]
    assert answers.search(connection, "NGUYEN", None)["story_count"] == exact > 0


def test_a_story_is_found_by_its_number_first(connection):
    (story_id,) = connection.execute("select max(story_id) from dim_story").fetchone()
    found = answers.search(connection, f"#{story_id}", None)
    assert found["table"]["rows"][0][0] == story_id
    assert answers.search(connection, "%", None)["story_count"] < 5


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0.002, "3 minutes"), (0.05, "1 hour"), (0.5, "12 hours"), (1, "1 day"), (3.44, "3.4 days"),
     (16.2, "16 days"), (1200, "1,200 days")],
)  # fmt: skip
def test_durations_are_rounded_to_readable_units(number, expected):
    assert words.days(number) == expected


def test_columns_are_named_in_words():
    assert words.heading("cycle_days") == "Cycle time (days)"
    assert words.heading("first_started_at") == "First started"
    assert words.heading("story_count") == "Stories"
    assert (words.kind("rejection_rate"), words.kind("is_blocked")) == ("share", "yes")


def test_states_and_types_keep_their_colours():
    assert look.STATE_COLORS["rejected"] == look.RED
    assert len(set(look.STATE_COLORS.values())) == len(look.STATE_COLORS)
