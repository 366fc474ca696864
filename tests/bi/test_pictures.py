"""Pictures: each is drawn of what the marts hold, filters count, and its numbers are the marts'."""

import json
import re
from datetime import date
from itertools import pairwise

import duckdb
import pandas as pd
import pytest

from bi import shown
from bi.pictures import PAGES, cycle_time, flow, look, overview, rework, velocity
from bi.pictures.picture import Choice
from bi.published import PublishedError

PICTURES = [picture for page in PAGES for picture in page.pictures]
MOBILE_APP = 2600003


@pytest.fixture(scope="module")
def connection(published):
    with published.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def projects(connection):
    return {each.project_id: each for each in shown.projects(connection)}


def whole(project, **changes):
    """Everything of a project, or what a reader changed of it."""
    choice = {
        "project_id": project.project_id,
        "first_date": project.first_date,
        "last_date": project.last_date,
        "story_types": shown.STORY_TYPES,
    }
    return Choice(**(choice | changes))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.name)
def test_every_picture_is_drawn_of_every_project(connection, projects, picture):
    drawn = 0
    for project in projects.values():
        rows = picture.rows(connection, whole(project))
        if picture.draw is not None and not rows.empty:
            spec = look.framed(picture.draw(rows)).to_dict()
            json.dumps(spec)
            assert titles(spec) >= {"x", "y"}, "an axis has no title"
            drawn += 1
    assert drawn > 0 or picture.draw is None


def titles(spec):
    """The channels that say what they show, in any layer."""
    said = set()
    for layer in [spec, *spec.get("layer", [])]:
        for channel, definition in layer.get("encoding", {}).items():
            if isinstance(definition, dict) and "title" in definition:
                said.add(channel)
    return said


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.name)
def test_every_picture_asks_a_question_and_says_what_it_measures(connection, picture):
    assert "?" in picture.question
    meanings = shown.definitions(connection, picture)
    assert len(meanings) == len(picture.measures) > 0
    assert picture.filtered_by.startswith("project")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.name)
def test_a_project_without_anything_shows_nothing_and_does_not_fail(connection, picture):
    nobody = Choice(1, date(2024, 1, 1), date(2024, 12, 31), shown.STORY_TYPES)
    assert picture.rows(connection, nobody).empty


def test_names_of_pictures_are_told_apart():
    for page in PAGES:
        names = [picture.name for picture in page.pictures]
        assert len(names) == len(set(names))


def test_the_velocity_shown_is_the_mart(connection, projects):
    rows = velocity.VELOCITY.rows(connection, whole(projects[MOBILE_APP]))
    expected = connection.execute(
        "select iteration_number, cast(accepted_points as double), velocity "
        "from fct_iteration_velocity where project_id = ? order by iteration_number",
        [MOBILE_APP],
    ).fetchall()
    drawn = rows[["iteration_number", "accepted_points", "velocity"]].astype(object)
    assert list(drawn.where(drawn.notna(), None).itertuples(index=False, name=None)) == expected


def test_the_percentile_lines_are_those_of_the_stories_shown(connection, projects):
    rows = cycle_time.SCATTER.rows(connection, whole(projects[MOBILE_APP]))
    (expected,) = connection.execute(
        "select quantile_disc(cycle_time_seconds, [0.5, 0.85, 0.95]) from fct_story_cycle_time "
        "where project_id = ? and is_accepted and not is_deleted",
        [MOBILE_APP],
    ).fetchone()
    lines = [rows[f"p{each}_days"].iloc[0] * 86400 for each in (50, 85, 95)]
    assert lines == pytest.approx(expected)


def test_the_bars_of_the_distribution_hold_every_story_once(connection, projects):
    for project in projects.values():
        bars = cycle_time.DISTRIBUTION.rows(connection, whole(project))
        stories = cycle_time.SCATTER.rows(connection, whole(project))
        assert bars.story_count.sum() == len(stories)
        assert all(one <= two for one, two in pairwise(bars.from_days))


def test_filters_narrow_what_is_shown(connection, projects):
    project = projects[MOBILE_APP]
    stories = cycle_time.SCATTER.rows(connection, whole(project))
    bugs = cycle_time.SCATTER.rows(connection, whole(project, story_types=("bug",)))
    assert set(bugs.story_id) == set(stories[stories.story_type == "bug"].story_id)

    labels, owners = shown.labels_and_owners(connection, MOBILE_APP)
    by_label = [
        set(cycle_time.SCATTER.rows(connection, whole(project, label_id=each)).story_id)
        for each in labels.values()
    ]
    assert any(by_label)
    assert all(each < set(stories.story_id) for each in by_label)
    owner = next(iter(owners.values()))
    owned = cycle_time.SCATTER.rows(connection, whole(project, owner_id=owner))
    expected = connection.execute(
        "select story_id from bridge_story_owner where person_id = ?", [owner]
    ).fetchall()
    assert set(owned.story_id) == set(stories.story_id) & {each for (each,) in expected}

    later = cycle_time.SCATTER.rows(connection, whole(project, first_date=date(2025, 1, 1)))
    assert set(later.story_id) < set(stories.story_id)
    assert later.accepted_date.min() >= later.accepted_date.dtype.type("2025-01-01")


def test_each_day_of_the_cumulative_flow_has_every_state(connection, projects):
    rows = flow.CUMULATIVE_FLOW.rows(connection, whole(projects[MOBILE_APP]))
    assert set(rows.groupby("flow_date").story_state.nunique()) == {8}
    days = rows.flow_date.drop_duplicates()
    assert len(days) == (days.max() - days.min()).days + 1


def test_a_long_cumulative_flow_is_drawn_of_fewer_days_the_last_among_them(connection, projects):
    picture = flow.CUMULATIVE_FLOW
    rows = picture.rows(connection, whole(projects[MOBILE_APP]))
    drawn = picture.draw(rows).data
    days = sorted(set(drawn["flow_date"]))
    assert 100 < len(days) <= 201 < rows["flow_date"].nunique()
    assert days[-1] == rows["flow_date"].max()
    assert len({after - before for before, after in pairwise(days)}) == 1
    assert drawn.equals(rows[rows["flow_date"].isin(days)])
    short = rows[rows["flow_date"].isin(days[-20:])]
    assert picture.draw(short).data.equals(short)


def test_of_many_stories_the_scatter_draws_all_long_ones_and_a_part_of_the_others(
    connection, projects
):
    picture = cycle_time.SCATTER
    few = picture.rows(connection, whole(projects[MOBILE_APP]))
    assert len(points_of(picture.draw(few))) == len(few)

    many = pd.concat([few] * (4000 // len(few) + 1), ignore_index=True)
    drawn = points_of(picture.draw(many))
    assert 1000 < len(drawn) < 2000
    is_long = many["cycle_days"] > many["p95_days"]
    assert 0 < is_long.sum() == (drawn["cycle_days"] > many["p95_days"].iloc[0]).sum()
    assert drawn.equals(many.loc[drawn.index, drawn.columns])
    assert max(after - before for before, after in pairwise(drawn.index)) <= 3
    assert "1,500" in shown.note(connection, picture)


def points_of(chart):
    return chart.layer[0].data


def test_in_progress_at_the_end_of_the_flow_is_what_ages(connection, projects):
    for project in projects.values():
        wip = flow.WIP.rows(connection, whole(project))
        aging = flow.AGING.rows(connection, whole(project))
        assert wip.wip_story_count.iloc[-1] == len(aging), project.name


def test_points_lead_to_the_story(connection, projects):
    for picture in (cycle_time.SCATTER, flow.AGING):
        rows = next(
            rows
            for project in projects.values()
            if not (rows := picture.rows(connection, whole(project))).empty
        )
        spec = look.framed(picture.draw(rows)).to_dict()
        assert spec["layer"][0]["encoding"]["href"]["field"] == "url"
        assert spec["usermeta"]["embedOptions"]["loader"] == {"target": "_blank"}
        assert all(re.match(r"https?://", url) for url in rows.url)


def test_the_table_behind_a_picture_shows_days_as_days(connection, projects):
    rows = overview.THROUGHPUT.rows(connection, whole(projects[MOBILE_APP]))
    read = shown.table(rows)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in read.week_start_date)
    assert len(read) == len(rows)


def test_rejections_shown_are_those_of_the_mart(connection, projects):
    rows = rework.OUTCOMES.rows(connection, whole(projects[MOBILE_APP]))
    (expected,) = connection.execute(
        "select count(*) from fct_rejection where project_id = ? and not is_deleted "
        "and story_type in ('feature', 'bug', 'chore')",
        [MOBILE_APP],
    ).fetchone()
    assert rows.rejection_count.sum() == expected > 0


def test_key_figures_are_those_of_the_marts(connection):
    figures = {each.title: each.value for each in shown.key_figures(connection, MOBILE_APP)}
    (velocity_now,) = connection.execute(
        "select current_velocity from dim_project where project_id = ?", [MOBILE_APP]
    ).fetchone()
    assert figures["Velocity"] == f"{velocity_now} points"
    assert all(shown.key_figures(connection, 1)[0].value == "–" for _ in figures)


def test_what_is_missing_is_said(projects):
    project = projects[MOBILE_APP]
    assert shown.what_is_missing(project) == ""
    partly = shown.Project(1, "CSV", date(2024, 1, 1), date(2024, 2, 1), 0.25)
    assert "known for 25% of the stories" in shown.what_is_missing(partly)


def test_a_copy_without_these_marts_is_one_line():
    with duckdb.connect() as empty, pytest.raises(PublishedError, match="run make build"):
        velocity.VELOCITY.rows(
            empty, Choice(1, date(2024, 1, 1), date(2024, 2, 1), shown.STORY_TYPES)
        )
