"""Similar projects from four sources: marts have values exactly where a source has the data."""

import duckdb
import pytest

from ingest.warehouses.base import DATASET
from tests.support import crafted, marts
from tests.support.marts import rows

CSV, JSON, ACTIVITIES, API, MIXED, JSON_AND_ACTIVITIES, WITHOUT_STORIES = 1, 2, 3, 4, 5, 6, 7
PERSON = 11
EPIC = 21  # read without its comments, and EPIC + 1 with them

# By mart, measures that are null in all rows of a project. With so few stories, there are no
# percentiles or forecasts from any source.
TOO_FEW_STORIES = {
    "dim_project": "velocity_averaged_over",
    "dim_project_history": "velocity_averaged_over",
    "fct_acceptance": "accepted_to_undone_seconds",
    "fct_cycle_time_percentile": (
        "p50_seconds p70_seconds p85_seconds p95_seconds p50_days p70_days p85_days p95_days"
    ),
    "fct_forecast": "forecast_day_count forecast_story_count in_time_share",
    "fct_iteration_velocity": "p85_cycle_time_seconds",
    "fct_process_limit": "baseline_mean mean_moving_range lower_limit upper_limit range_limit",
    "fct_wip_aging": "age_percentile state_p50_age_seconds state_p85_age_seconds",
    "rpt_iteration": "p85_cycle_time_seconds",
    "rpt_project_overview": "current_accepted_points p50_lead_time_days p85_lead_time_days",
}
WITHOUT_SETTINGS = {
    "dim_project": "initial_velocity iteration_length_weeks member_count",
    "dim_project_history": "initial_velocity iteration_length_weeks",
    "rpt_data_coverage": "member_count",
    "rpt_project_overview": "member_count",
}
WITHOUT_BLOCKERS = {
    "dim_story": "blocker_count open_blocker_count review_count",
    "fct_wip_aging": "open_blocker_count",
}
WITHOUT_COMMENTS_AND_TASKS = {
    "dim_story": "comment_count task_count completed_task_count",
    "rpt_data_coverage": "comment_count",
}
_IN_STATES = " ".join(
    f"{state}_{unit}"
    for state in ("started", "finished", "delivered", "rejected")
    for unit in ("seconds", "count")
)
WITHOUT_HISTORY = {
    "fct_acceptance": "delivered_to_accepted_seconds earlier_rejection_count",
    "fct_flow_daily": "aged_story_count total_age_seconds",
    "fct_iteration_burn_daily": (
        "scope_story_count scope_points remaining_story_count remaining_points "
        "ideal_remaining_story_count ideal_remaining_points"
    ),
    "fct_iteration_velocity": (
        "accepted_points_as_closed restated_points committed_points committed_story_count "
        "carried_in_points carried_in_story_count added_points added_story_count "
        "removed_points removed_story_count spilled_points spilled_story_count say_do_ratio "
        "median_cycle_time_seconds rejection_rate"
    ),
    "fct_story_cycle_time": (
        f"cycle_time_seconds elapsed_cycle_time_seconds unaccepted_count {_IN_STATES}"
    ),
    "fct_throughput": "started_story_count net_flow_count withdrawn_story_count",
    "fct_wip_aging": (
        "age_days age_seconds compared_story_count rejected_count state_age_seconds "
        "state_compared_story_count"
    ),
    "rpt_cycle_time": f"cycle_time_seconds {_IN_STATES}",
    "rpt_data_coverage": "transition_count",
    "rpt_iteration": (
        "accepted_points_as_closed committed_points committed_story_count "
        "carried_in_story_count added_story_count removed_story_count spilled_story_count "
        "say_do_ratio median_cycle_time_seconds rejection_rate"
    ),
}
TOO_FEW_CYCLE_TIMES = {
    "fct_cycle_time_by_estimate": "p50_seconds p70_seconds p85_seconds p95_seconds"
}
NOT_IN_ACTIVITIES = {"fct_activity": "confidence", "fct_activity_change": "from_estimate"}
ONLY_ONE_REJECTION = {
    "fct_rejection": (
        "delivered_to_rejected_seconds rejected_to_restarted_seconds "
        "restarted_to_redelivered_seconds"
    ),
    "fct_wip_aging": "state_compared_story_count",
}
UNKNOWN = {
    CSV: (TOO_FEW_STORIES, WITHOUT_SETTINGS, WITHOUT_BLOCKERS, WITHOUT_HISTORY),
    JSON: (
        TOO_FEW_STORIES,
        WITHOUT_SETTINGS,
        WITHOUT_BLOCKERS,
        WITHOUT_COMMENTS_AND_TASKS,
        WITHOUT_HISTORY,
    ),
    ACTIVITIES: (TOO_FEW_STORIES, TOO_FEW_CYCLE_TIMES, WITHOUT_SETTINGS, NOT_IN_ACTIVITIES),
    API: (TOO_FEW_STORIES, TOO_FEW_CYCLE_TIMES, ONLY_ONE_REJECTION),
}
# By mart, measures that are null in some rows of a project, and known in others.
IN_SOME_ROWS = {
    "dim_story": "open_age_days",
    "fct_cycle_time_percentile": "window_days",
    "fct_forecast": "horizon_week_count",
    "fct_iteration_velocity": "velocity_volatility",
    "fct_process_limit": "moving_range",
    "fct_story_cycle_time": "lead_time_seconds",
    "rpt_iteration": "velocity_volatility",
    "rpt_velocity": "velocity_volatility",
}
VELOCITY_ONCE_ACCEPTED = {
    "fct_iteration_velocity": "planned_velocity velocity",
    "rpt_iteration": "planned_velocity velocity",
    "rpt_velocity": "velocity",
}
NO_REJECTIONS_WHERE_NOTHING_WAS_ACCEPTED = {
    "fct_iteration_velocity": "rejected_story_count",
    "rpt_iteration": "rejected_story_count",
}
RATES_ONCE_ACCEPTED = {
    "fct_flow_daily": "aged_story_count total_age_seconds",
    "fct_iteration_velocity": "median_cycle_time_seconds rejection_rate say_do_ratio",
    "rpt_iteration": "median_cycle_time_seconds rejection_rate say_do_ratio",
}
CHANGES_OF_ACTIVITIES = {
    "fct_activity_change": "to_estimate",
    "fct_flow_efficiency": "flow_efficiency",
}
PARTLY_KNOWN = {
    CSV: (IN_SOME_ROWS, VELOCITY_ONCE_ACCEPTED, NO_REJECTIONS_WHERE_NOTHING_WAS_ACCEPTED),
    JSON: (IN_SOME_ROWS, VELOCITY_ONCE_ACCEPTED, NO_REJECTIONS_WHERE_NOTHING_WAS_ACCEPTED),
    ACTIVITIES: (
        IN_SOME_ROWS,
        VELOCITY_ONCE_ACCEPTED,
        RATES_ONCE_ACCEPTED,
        CHANGES_OF_ACTIVITIES,
    ),
    API: (IN_SOME_ROWS, RATES_ONCE_ACCEPTED),
}
# Settings, and what a figure was computed from. No count of stories.
KNOWN_WITHOUT_STORIES = {
    "dim_iteration": "length_weeks team_strength",
    "fct_cycle_time_percentile": "story_count",
    "fct_forecast": "horizon_week_count percentile sampled_story_count sampled_week_count",
    "fct_history_coverage": "row_count",
    "fct_iteration_velocity": "length_weeks team_strength",
    "rpt_data_coverage": "file_count iteration_count",
    "rpt_iteration": "team_strength",
    "rpt_velocity": "length_weeks team_strength",
}
DAYS = [f"2024-01-{day:02d}T12:00:00Z" for day in range(1, 32)]


def story(number, project_id, **values):
    """A record with Tracker's default fields, which exclude comments and transitions."""
    return {
        "id": number,
        "project_id": project_id,
        "name": f"Story {number}",
        "story_type": "feature",
        "current_state": "accepted",
        "estimate": 3,
        "requested_by_id": PERSON,
        "owner_ids": [PERSON],
        "labels": [],
        "created_at": DAYS[1],
        "accepted_at": DAYS[9],
        "updated_at": DAYS[9],
        **values,
    }


def transition(state, day, version):
    return {
        "state": state,
        "project_version": version,
        "performed_by_id": PERSON,
        "occurred_at": DAYS[day],
    }


def activity(project_id, version, day, change):
    return {
        "kind": f"{change['kind']}_{change['change_type']}_activity",
        "guid": f"{project_id}_{version}",
        "project_id": project_id,
        "project_version": version,
        "message": "did it",
        "highlight": "did",
        "changes": [change],
        "primary_resources": [{"kind": "story", "id": project_id * 100 + 1, "name": "Story"}],
        "performed_by": {"kind": "person", "id": PERSON, "name": "Ida Ek", "initials": "IE"},
        "performed_by_id": PERSON,
        "occurred_at": DAYS[day],
    }


def change(change_type, number, new_values, kind="story"):
    named = {"name": f"Story {number}", "story_type": "feature"} if kind == "story" else {}
    return {
        "kind": kind,
        "change_type": change_type,
        "id": number,
        **named,
        "new_values": new_values,
    }


PATH = [("unstarted", 1), ("started", 3), ("delivered", 5), ("accepted", 9)]


def activities(project_id):
    """Activities of one accepted story with a comment, and of one story in progress."""
    accepted, started = project_id * 100 + 1, project_id * 100 + 2
    record = story(accepted, project_id, owner_ids=[PERSON], label_ids=[])
    first = {
        name: record[name]
        for name in ("project_id", "name", "story_type", "estimate", "owner_ids", "label_ids")
    }
    created = {**first, "current_state": "unstarted"}
    comment = {"story_id": accepted, "text": "Half way"}
    steps = [
        (1, 1, change("create", accepted, created)),
        *(
            (version, day, change("update", accepted, {"current_state": state}))
            for version, (state, day) in enumerate(PATH[1:], start=2)
        ),
        (9, 4, change("create", accepted - 230, comment, kind="comment")),
        (10, 23, change("create", started, created)),
        (11, 25, change("update", started, {"current_state": "started"})),
    ]
    return [activity(project_id, *step) for step in steps]


def comments_on_epics(project_id):
    """Activities: a comment that is edited, one that is deleted, one that the record lacks."""
    on_epics = [
        (1, EPIC, "create", 91, {"epic_id": EPIC, "text": "First", "person_id": PERSON}),
        (2, EPIC, "create", 92, {"epic_id": EPIC, "text": "Deleted", "person_id": PERSON}),
        (3, EPIC, "update", 91, {"text": "Edited"}),
        (4, EPIC, "delete", 92, None),
        (5, EPIC + 1, "create", 93, {"epic_id": EPIC + 1, "text": "Not in the record"}),
    ]
    return [
        activity(project_id, day, day, change(type_, comment, new, kind="comment"))
        | {"primary_resources": [{"kind": "epic", "id": epic, "name": "Epic"}]}
        for day, epic, type_, comment, new in on_epics
    ]


def records():
    """Records of projects with one accepted story and one story in progress each."""
    return {
        "projects": [
            {"id": CSV, "name": "From a CSV"},
            {"id": JSON, "name": "From stories as JSON"},
            {"id": ACTIVITIES, "name": "From activities"},
            {"id": MIXED, "name": "From an API and a CSV"},
            {"id": JSON_AND_ACTIVITIES, "name": "From stories as JSON and activities"},
            {"id": WITHOUT_STORIES, "name": "From its own record as JSON"},
            {
                "id": API, "name": "From an API", "time_zone": {"olson_name": "UTC"},
                "initial_velocity": 10, "iteration_length": 1, "start_time": DAYS[0],
            },
        ],
        "stories": [
            story(101, CSV, comments=[{"id": -1, "story_id": 101, "text": "Note"}], tasks=[]),
            story(
                102,
                CSV,
                current_state="rejected",
                accepted_at=None,
                created_at=DAYS[25],
                comments=[],
                tasks=[],
            ),
            story(201, JSON),
            story(202, JSON, current_state="started", accepted_at=None, created_at=DAYS[25]),
            story(601, JSON_AND_ACTIVITIES),
            story(501, MIXED),
            story(
                502,
                MIXED,
                transitions=[
                    transition(state, day, day)
                    for state, day in [("started", 3), ("rejected", 5), ("accepted", 9)]
                ],
            ),
            story(
                401,
                API,
                transitions=[transition(state, day, day) for state, day in PATH],
                **{each: [] for each in ("comments", "tasks", "blockers", "reviews")},
            ),
            story(
                402,
                API,
                current_state="rejected",
                accepted_at=None,
                created_at=DAYS[23],
                transitions=[transition("started", 24, 24), transition("rejected", 25, 25)],
                **{each: [] for each in ("comments", "tasks", "blockers", "reviews")},
            ),
        ],
        "epics": [
            {"id": EPIC, "project_id": MIXED, "name": "Read without comments"},
            {
                "id": EPIC + 1, "project_id": MIXED, "name": "Read with comments",
                "comments": [{"id": 94, "text": "In the record"}],
            },
            {
                "id": EPIC + 2, "project_id": WITHOUT_STORIES, "name": "Read without its stories",
                "label": {"id": 31, "project_id": WITHOUT_STORIES, "name": "epic"},
            },
        ],
        "activity": [
            *activities(ACTIVITIES), *activities(JSON_AND_ACTIVITIES), *comments_on_epics(MIXED)
        ],
        "labels": [{"id": 32, "project_id": WITHOUT_STORIES, "name": "label"}],
        "memberships": [{"id": 1, "project_id": API, "person_id": PERSON, "role": "owner"}],
        "iterations": [
            {
                "project_id": project_id, "number": number,
                "start": DAYS[7 * number - 7][:10] + "T00:00:00Z",
                "finish": DAYS[7 * number][:10] + "T00:00:00Z", "length": 1, "team_strength": 1,
                "story_ids": [],
            }
            for project_id in (CSV, JSON, ACTIVITIES, API, MIXED, WITHOUT_STORIES)
            for number in (1, 2, 3)
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    path = crafted.crafted_warehouse(
        folder / "warehouse.duckdb", records(), dates_only=frozenset([101, 102, 501])
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"update {DATASET}.stories set record_source = 'json' where project_id = {JSON}"
        )
        connection.execute(
            f"update {DATASET}.projects set record_source = 'json' where id = {WITHOUT_STORIES}"
        )
    marts.build(path, models)
    return path


def measures_of(warehouse, project_id):
    """Measures by mart: those that a project has in all rows, in some, and in none."""
    known, partly_known, unknown = {}, {}, {}
    measures = [(row["mart_name"], row["metric_name"]) for row in rows(warehouse, "dim_metric")]
    for mart in sorted({name for name, _ in measures}):
        found = [row for row in rows(warehouse, mart) if row.get("project_id") == project_id]
        for name in sorted(metric for each, metric in measures if each == mart) if found else ():
            nulls = sum(row[name] is None for row in found)
            group = unknown if nulls == len(found) else partly_known if nulls else known
            group.setdefault(mart, set()).add(name)
    return known, partly_known, unknown


def by_mart(*tables):
    """The measures of several tables: {mart: names}."""
    names = {}
    for table in tables:
        for mart, listed in table.items():
            names.setdefault(mart, set()).update(listed.split())
    return names


@pytest.mark.parametrize("project_id", UNKNOWN, ids=["csv", "json", "activities", "api"])
def test_each_source_determines_the_expected_measures(warehouse, project_id):
    known, partly_known, unknown = measures_of(warehouse, project_id)
    assert unknown == by_mart(*UNKNOWN[project_id])
    assert partly_known == by_mart(*PARTLY_KNOWN[project_id])
    assert known["fct_throughput"] >= {"story_count", "unestimated_story_count", "points"}
    assert "velocity_per_week" in known["fct_iteration_velocity"]


@pytest.mark.parametrize("project_id", [ACTIVITIES, JSON_AND_ACTIVITIES])
def test_activities_add_stories_transitions_acceptances_and_comments(warehouse, project_id):
    def counted(mart):
        return sum(row["project_id"] == project_id for row in rows(warehouse, mart))

    stories = {
        row["story_id"]: (row["current_state"], row["comment_count"])
        for row in rows(warehouse, "dim_story")
        if row["project_id"] == project_id
    }
    assert stories == {
        project_id * 100 + 1: ("accepted", 1),
        project_id * 100 + 2: ("started", 0),
    }
    assert [counted(f"fct_{each}") for each in ("story_transition", "acceptance", "comment")] == [
        6,
        1,
        1,
    ]


def test_a_rejection_rate_counts_only_stories_with_known_history(warehouse):
    found = [
        row
        for row in rows(warehouse, "fct_iteration_velocity")
        if row["project_id"] == MIXED and row["accepted_story_count"]
    ]
    assert [
        (
            row["rejectable_story_count"],
            row["history_known_rejectable_story_count"],
            row["rejected_story_count"],
            row["rejection_rate"],
        )
        for row in found
    ] == [(2, 1, 1, 1.0)]


def test_daily_flow_has_an_unknown_state_only_where_histories_are_unknown(warehouse):
    found = {
        row["project_id"]
        for row in rows(warehouse, "fct_flow_daily")
        if row["story_state"] == "unknown"
    }
    assert found == {CSV, JSON, MIXED}


def test_nothing_is_claimed_of_stories_that_were_not_read(warehouse):
    known, partly_known, _ = measures_of(warehouse, WITHOUT_STORIES)
    assert known == by_mart(KNOWN_WITHOUT_STORIES)
    assert partly_known == {"fct_cycle_time_percentile": {"window_days"}}
    assert [row["gap_reason"] for row in rows(warehouse, "fct_epic_progress")
            if row["project_id"] == WITHOUT_STORIES] == ["stories not read"]  # fmt: skip


def test_activities_add_comments_to_epics_that_were_read_without_them(warehouse):
    found = {
        row["comment_id"]: (row["epic_id"], row["person_id"], row["comment_text"])
        for row in rows(warehouse, "fct_comment")
        if row["epic_id"]
    }
    assert found == {91: (EPIC, PERSON, "Edited"), 94: (EPIC + 1, None, "In the record")}


def test_data_coverage_lists_missing_data(warehouse):
    coverage = {row["project_id"]: row for row in rows(warehouse, "rpt_data_coverage")}
    assert {
        project_id: (row["story_count"], row["history_known_story_count"], row["transition_count"])
        for project_id, row in coverage.items()
    } == {
        CSV: (2, 0, None), JSON: (2, 0, None), ACTIVITIES: (2, 2, 6), API: (2, 2, 6),
        MIXED: (2, 1, 3), JSON_AND_ACTIVITIES: (2, 2, 6), WITHOUT_STORIES: (None, None, None),
    }  # fmt: skip
    missing = {project_id: row["missing"] for project_id, row in coverage.items()}
    assert missing == {
        CSV: "people, settings, transitions",
        JSON: "comments, people, settings, transitions",
        ACTIVITIES: "people, settings",
        API: None,
        MIXED: "comments, people, settings, transitions",
        JSON_AND_ACTIVITIES: "iterations, people, settings",
        WITHOUT_STORIES: "people, settings, stories",
    }
    counts = {project_id: row["iteration_count"] for project_id, row in coverage.items()}
    assert counts[JSON_AND_ACTIVITIES] is None
    assert counts[WITHOUT_STORIES] == 3


@pytest.mark.parametrize(
    ("project_id", "provided"),
    [
        (CSV, {"records", "comments", "tasks"}),
        (JSON, {"records"}),
    ],
    ids=["csv", "json"],
)
def test_a_measure_is_null_if_the_source_lacks_its_data(warehouse, project_id, provided):
    needs = {
        (row["mart_name"], row["metric_name"]): row["needs"]
        for row in rows(warehouse, "dim_metric")
    }
    *known, unknown = measures_of(warehouse, project_id)
    lacking = {each for each, need in needs.items() if need not in provided}
    wrongly_known = {
        (mart, name)
        for group in known
        for mart, names in group.items()
        for name in names
        if (mart, name) in lacking
    }
    # Iterations without accepted stories have 0 rejected ones.
    assert {name for _, name in wrongly_known} <= {"rejected_story_count"}
    too_few = {(mart, name) for mart, names in TOO_FEW_STORIES.items() for name in names.split()}
    wrongly_unknown = {
        (mart, name)
        for mart, names in unknown.items()
        for name in names
        if needs[mart, name] in provided
    }
    assert wrongly_unknown <= too_few
