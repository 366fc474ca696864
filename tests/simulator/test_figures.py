"""Tracker's own figures: iterations, velocity, cycle time, roll-ups, daily totals."""

import pytest

from simulator import Workspace
from simulator.calendar import Span
from simulator.figures import (
    analytics,
    cycle_time_details,
    epic_progress,
    iteration_history,
    project_history,
    projected_completion,
    release_rollups,
    release_story_ids,
)
from simulator.instants import HOUR, iso
from simulator.planning import spread, velocity


def project_of(workspace, **settings):
    if not workspace.people:
        workspace.add_person("Ada Obi")
    return workspace.create_project("Shop", **settings)


def accept(workspace, project, at, estimate=1, name="Story", **values):
    workspace.advance_to(at)
    return workspace.create_story(
        project.id, name, estimate=estimate, current_state="accepted", **values
    )


HOURS = [
    ("America/Los_Angeles", "2017-03-06", "Monday", 167),
    ("America/Los_Angeles", "2017-10-30", "Monday", 169),
    ("Europe/Berlin", "2025-03-24", "Monday", 167),
    ("Australia/Sydney", "2025-04-02", "Wednesday", 169),
    ("Asia/Kolkata", "2025-03-30", "Sunday", 168),
]


@pytest.mark.parametrize(("zone", "day", "weekday", "hours"), HOURS)
def test_iterations_are_local_weeks(zone, day, weekday, hours):
    workspace = Workspace(f"{day}T20:00:00Z")
    project = project_of(workspace, time_zone=zone, week_start_day=weekday)
    (span,) = workspace.calendar(project.id).spans
    assert span.finish - span.start == hours * HOUR


def test_iteration_161_of_the_recorded_project():
    workspace = Workspace("2017-03-08T00:00:00Z")
    project = project_of(workspace, start_date="2014-02-10")
    span = workspace.calendar(project.id).current
    assert (span.number, iso(span.start), iso(span.finish)) == (
        161,
        "2017-03-06T08:00:00Z",
        "2017-03-13T07:00:00Z",
    )


def test_overrides_shift_later_iterations():
    workspace = Workspace("2025-01-06T12:00:00Z")
    project = project_of(workspace, time_zone="UTC")
    workspace.advance_to("2025-02-03T12:00:00Z")
    workspace.set_iteration_override(project.id, 2, length=3, team_strength=0.5)
    spans = workspace.calendar(project.id).spans
    assert [iso(span.start)[:10] for span in spans] == ["2025-01-06", "2025-01-13", "2025-02-03"]
    assert [(span.length, span.team_strength) for span in spans] == [(1, 1), (3, 0.5), (1, 1)]
    assert iso(workspace.calendar(project.id).coming(2)[1].finish)[:10] == "2025-02-24"


def spans_of(*lengths_and_strengths):
    return [Span(1, 0, 1, length, strength) for length, strength in lengths_and_strengths]


VELOCITIES = {
    "a ratio of sums, one week": ([10, 20, 9], [(1, 1), (2, 1), (1, 1)], 1, 9),
    "a ratio of sums, two weeks": ([10, 20, 9], [(1, 1), (2, 1), (1, 1)], 2, 19),
    "strength scales points, zero strength is excluded": (
        [10, 6, 3],
        [(1, 1), (1, 0.6), (1, 0)],
        1,
        10,
    ),
    "nothing done yet": ([], [], 1, 77),
    "only idle weeks": ([0, 0, 0], [(1, 1)] * 3, 1, 77),
    "only weeks without a team": ([4], [(1, 0)], 1, 77),
    "less than a point a week": ([1, 0, 0], [(1, 1)] * 3, 1, 0),
    "fractions": ([0.5, 1.5, 2.5], [(1, 1)] * 3, 1, 1),
}


@pytest.mark.parametrize(
    ("points", "shapes", "length", "expected"), VELOCITIES.values(), ids=VELOCITIES
)
def test_velocity(points, shapes, length, expected):
    done = list(zip(points, spans_of(*shapes), strict=True))
    assert velocity(done, length, 77) == expected


VOLATILITIES = [([10, 5, 12], 32.71), ([5, 11], 37.5), ([0, 0, 9], 141.42)]


@pytest.mark.parametrize(("points", "expected"), VOLATILITIES)
def test_volatility(points, expected):
    done = list(zip(points, spans_of(*[(1, 1)] * len(points)), strict=True))
    assert spread(done, 1)[1] == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("points", [[7], []])
def test_volatility_needs_two_iterations(points):
    done = list(zip(points, spans_of(*[(1, 1)] * len(points)), strict=True))
    assert spread(done, 1) == (None, None)


def test_an_idle_project_falls_back_to_its_initial_velocity():
    workspace = Workspace("2025-01-06T12:00:00Z")
    project = project_of(workspace, velocity_averaged_over=2, initial_velocity=10)
    for _ in range(3):
        accept(workspace, project, workspace.now + 60, 3)
    velocities = []
    for day in (13, 20, 27):
        workspace.advance_to(f"2025-01-{day}T12:00:00Z")
        velocities.append(workspace.plan(project.id).current_velocity)
    assert velocities == [9, 4, 10]
    assert [each.velocity for each in workspace.plan(project.id).iterations] == [10, 9, 4, 10]


def test_the_current_iteration_fills_up_to_velocity():
    workspace = Workspace("2025-01-06T12:00:00Z")
    project = project_of(workspace, initial_velocity=4, time_zone="UTC")
    sizes = (3, 3, 1, 3, 2, 0)
    stories = [
        workspace.create_story(project.id, str(each), estimate=each, current_state="unstarted")
        for each in sizes
    ]
    iterations = workspace.plan(project.id).iterations
    story_ids = [[workspace.stories[each].estimate for each in one.story_ids] for one in iterations]
    assert story_ids == [[3, 3], [1, 3], [2, 0]]
    workspace.change_state(stories[4].id, "started")
    story_ids = workspace.plan(project.id).iterations[0].story_ids
    assert story_ids == [stories[4].id, stories[0].id]


def test_unused_points_are_carried_over():
    workspace = Workspace("2025-01-06T12:00:00Z")
    project = project_of(workspace, initial_velocity=8, point_scale="0,1,7,8,9")
    for each in (8, 7, 9):
        workspace.create_story(project.id, str(each), estimate=each, current_state="unstarted")
    assert [each.points for each in workspace.plan(project.id).iterations] == [8, 7, 9]


STORY_A = [("accepted", "2017-01-03T23:44:24Z"), ("rejected", "2017-01-03T23:49:51Z")]
STORY_B = [
    ("started", "2017-04-28T18:41:25Z"), ("unstarted", "2017-05-03T21:05:04Z"),
    ("started", "2017-05-03T21:07:06Z"), ("unstarted", "2017-05-03T22:54:13Z"),
    ("started", "2017-05-03T22:59:41Z"), ("unstarted", "2017-05-03T23:02:45Z"),
    ("started", "2017-05-03T23:04:25Z"), ("unstarted", "2017-05-03T23:12:01Z"),
    ("started", "2017-05-03T23:12:21Z"), ("unstarted", "2017-05-03T23:18:34Z"),
    ("started", "2017-05-03T23:23:55Z"),
]  # fmt: skip


def history(changes, first_state):
    workspace = Workspace("2017-01-01T00:00:00Z")
    project = project_of(workspace)
    story = workspace.create_story(project.id, "Story", estimate=1, current_state=first_state)
    for state, at in changes:
        workspace.change_state(story.id, state, at=at)
    workspace.advance_to("2019-07-10T04:11:50Z")
    return cycle_time_details(story, workspace.now)


def test_cycle_time_of_story_a():
    details = history(STORY_A, "delivered")
    assert details["total_cycle_time"] == details["rejected_time"] == 79_244_519_000
    assert (details["rejected_count"], details["delivered_count"]) == (1, 0)


def test_cycle_time_of_story_b():
    details = history(STORY_B, "unstarted")
    assert details["total_cycle_time"] == details["started_time"] == 69_326_134_000
    assert details["started_count"] == 6


def test_cycle_time_is_missing_until_work_starts():
    assert history([], "unstarted") == {
        "kind": "cycle_time_details", "started_time": 0, "started_count": 0, "finished_time": 0,
        "finished_count": 0, "delivered_time": 0, "delivered_count": 0, "rejected_time": 0,
        "rejected_count": 0, "story_id": 186_000_001,
    }  # fmt: skip


@pytest.fixture
def sprint():
    """A week with an accepted feature, rejected bug, chore and release, and some open stories."""
    workspace = Workspace("2025-01-06T12:00:00Z")
    project = project_of(workspace, time_zone="UTC", initial_velocity=2)
    feature = workspace.create_story(project.id, "F", estimate=3, labels=["e"])
    bug = workspace.create_story(project.id, "B", "bug", labels=["e"])
    chore = workspace.create_story(project.id, "C", "chore")
    release = workspace.create_story(project.id, "R", "release", current_state="unstarted")
    remaining = workspace.create_story(project.id, "L", estimate=2, current_state="unstarted")
    workspace.create_epic(project.id, "Epic", label="e")
    hour = workspace.now
    for state in ("started", "finished", "delivered", "accepted"):
        hour += HOUR
        workspace.change_state(feature.id, state, at=hour)
    for state in ("started", "delivered", "rejected", "started", "delivered", "accepted"):
        hour += HOUR
        workspace.change_state(bug.id, state, at=hour)
    workspace.change_state(chore.id, "accepted", at=hour + HOUR)
    workspace.change_state(release.id, "accepted", at=hour + 2 * HOUR)
    return workspace, project, (feature, bug, chore, release, remaining)


def test_iteration_analytics(sprint):
    workspace, project, stories = sprint
    workspace.advance_to("2025-01-14T00:00:00Z")
    iteration = workspace.plan(project.id).iterations[0]
    assert analytics(stories, iteration, workspace.now) == {
        "kind": "analytics",
        "stories_accepted": 3,
        "bugs_created": 1,
        "cycle_time": 4 * HOUR * 1000,  # of 3 h and 5 h; the chore was never in progress
        "rejection_rate": 50,
    }


def test_a_release_contains_the_stories_above_it(sprint):
    workspace, project, (feature, bug, chore, release, remaining) = sprint
    later = workspace.create_story(project.id, "Next", "release", current_state="unstarted")
    story_ids = release_story_ids(project, workspace.stories)
    assert story_ids == {release.id: [feature.id, bug.id, chore.id], later.id: [remaining.id]}
    assert release_rollups(story_ids[release.id], workspace.stories) == {
        "points_accepted": 3,
        "points_total": 3,
        "counts_accepted": 3,
        "counts_total": 3,
    }
    plan = workspace.plan(project.id)
    assert iso(projected_completion(plan, [later])) == "2025-01-20T00:00:00Z"
    assert projected_completion(plan, [release]) is None


def test_an_epic_counts_done_iterations_only(sprint):
    workspace, project, (feature, bug, *_) = sprint
    early = epic_progress(workspace.plan(project.id), [feature, bug])
    assert early["past_done_stories_count"] == 0
    assert early["completed_at"] == bug.accepted_at
    workspace.advance_to("2025-01-14T00:00:00Z")
    assert epic_progress(workspace.plan(project.id), [feature, bug]) == {
        "past_done_story_estimates": 3,
        "past_done_stories_count": 2,
        "past_done_stories_no_point_count": 1,
        "completed_at": bug.accepted_at,
    }


def test_daily_totals(sprint):
    workspace, project, (*_, remaining) = sprint
    workspace.delete_story(remaining.id, at="2025-01-08T10:00:00Z")
    workspace.advance_to("2025-01-09T10:00:00Z")
    history = project_history(project, workspace.now, None, None)
    assert history["header"][:3] == ["date", "points_accepted", "points_delivered"]
    assert [row[0] for row in history["data"]] == [f"2025-01-0{day}" for day in (6, 7, 8, 9)]
    accepted = history["header"].index("counts_accepted")
    unstarted = history["header"].index("points_unstarted")
    assert [row[accepted] for row in history["data"]] == [3, 3, 3, 3]
    assert [row[unstarted] for row in history["data"]] == [2.0, 2.0, 0.0, 0.0]
    plan = workspace.plan(project.id)
    days = iteration_history(project, workspace.stories, plan.iterations[0], workspace.now)
    assert [row[accepted] for row in days["data"]] == [3, 3, 3, 3]
