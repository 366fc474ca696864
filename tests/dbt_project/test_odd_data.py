"""Invalid data never fails a build: it is repaired correctly, and a finding reports it.

One warehouse has a small project per invalid case and a clean project.
"""

import json
from collections import defaultdict

import duckdb
import pytest

from ingest.tables import TABLES
from tests.support.crafted import crafted_warehouse
from tests.support.marts import broken_checks, build
from tests.support.odd_builds import problems, random_odd_projects
from tests.support.odd_projects import extract, project_records

CLEAN = 1


def story(records, number):
    return next(each for each in records["stories"] if each["id"] % 1000 == 100 + number)


def repeated_label(records):
    story(records, 1)["labels"] *= 2


def repeated_owner(records):
    story(records, 1)["owner_ids"].append(story(records, 1)["owner_ids"][0])


def epic_label_without_row(records):
    records["labels"].pop(1)


def text_as_estimate(records):
    new = records["activity"][0]["changes"][0]["new_values"]
    new["estimate"] = "twelve"


def text_as_owners(records):
    records["activity"][0]["changes"][0]["new_values"]["owner_ids"] = "nobody"


def text_like_a_list_as_owners(records):
    records["activity"][0]["changes"][0]["new_values"]["owner_ids"] = "[nobody, 7]"


def list_in_a_text_as_owners(records):
    """The list is read; it is that of the story, so nothing else changes."""
    new = records["activity"][0]["changes"][0]["new_values"]
    new["owner_ids"] = json.dumps(new["owner_ids"])


def huge_estimate(records):
    story(records, 1)["estimate"] = 10**9


def overlapping_iterations(records):
    records["iterations"][2]["start"] = "2024-03-15T00:00:00Z"


def transition_without_state(records):
    dropped = records["story_transitions"][2]
    dropped["state"] = None
    for each in records["activity"]:
        if each["project_version"] == dropped["project_version"]:
            each["changes"][0]["new_values"].pop("current_state")
    for each in records["stories"]:
        for transition in each.get("transitions", []):
            if transition["project_version"] == dropped["project_version"]:
                transition["state"] = None


def nested_transitions_without_values(records):
    """Each lacks another value; the same transitions are in their own table too."""
    transitions = story(records, 5)["transitions"]
    transitions[0]["project_version"] = None
    transitions[1]["state"] = None
    transitions[2]["occurred_at"] = "0001-01-01T00:00:00Z"
    transitions.append(dict(transitions[3]))


def text_as_analytics(records):
    records["iterations"][0]["analytics"]["cycle_time"] = "planned"


def comments_without_ids(records):
    for number in (1, 2):
        story(records, number)["comments"][0]["id"] = None


def unknown_zone(records):
    records["projects"][0]["time_zone"] = {"olson_name": "Mars/Olympus"}


def year_one(records):
    story(records, 1)["created_at"] = "0001-01-01T00:00:00Z"


def timestamps_after_the_extract(records):
    story(records, 4)["updated_at"] = "2024-05-18T00:00:00Z"
    records["activity"][3]["occurred_at"] = "9999-12-31T00:00:00Z"


def repeated_story(records):
    older = {**story(records, 1), "name": "Older", "updated_at": "2024-03-04T01:00:00Z"}
    records["stories"].append(older)


def one_label_of_two_epics(records):
    records["epics"][1] |= {key: records["epics"][0][key] for key in ("label_id", "label")}


def unknown_states(records):
    story(records, 1)["current_state"] = "parked"
    last = story(records, 3)
    last["transitions"][-1]["state"] = "parked"
    for each in records["story_transitions"]:
        if each["story_id"] == last["id"] and each["state"] == "started":
            each["state"] = "parked"
    for each in records["activity"]:
        for change in each["changes"]:
            if (
                change["id"] == last["id"]
                and change["new_values"].get("current_state") == "started"
            ):
                change["new_values"]["current_state"] = ["started"]


def owner_without_id(records):
    story(records, 1)["owner_ids"].insert(0, 10**30)


def creation_after_the_deletion(records):
    deleted = {each["id"] for each in records["stories"]}
    (creation,) = [
        each
        for each in records["activity"]
        if each["kind"] == "story_create_activity" and each["changes"][0]["id"] not in deleted
    ]
    version = creation["project_version"] + 1000
    creation |= {
        "guid": f"{creation['project_id']}_{version}",
        "project_version": version,
        "occurred_at": "2024-05-14T00:00:00Z",
    }


def story_without_dates(records):
    undated = story(records, 1)
    for name in ("created_at", "updated_at", "transitions"):
        undated.pop(name)
    for table, key in (("story_transitions", "story_id"), ("activity", "changes")):
        records[table] = [each for each in records[table] if undated["id"] not in ids_in(each[key])]


def ids_in(value):
    return [each["id"] for each in value] if isinstance(value, list) else [value]


def only_a_change_of_a_story(records):
    change = next(each for each in records["activity"] if each["kind"] == "story_update_activity")
    records.clear()
    records |= {"projects": [{"id": change["project_id"]}], "activity": [change]}


def unknown_type(records):
    story(records, 4)["story_type"] = "spike"


COUNT = "select count(*) from marts."
# By case: the change, a query of the marts ({project} is the project's id, {story} that of its
# story 1, {id} the prefix of its other ids), the expected row, and (rule, entity) of the finding.
CASES = {
    "the same label twice": (
        repeated_label,
        f"{COUNT}bridge_story_label where story_id = {{story}}",
        (1,),
        ("row_repeated", "story_labels {story}-{id}301"),
    ),
    "the same owner twice": (
        repeated_owner,
        "select count(*), max(story_owner_count) from marts.bridge_story_owner "
        "where story_id = {story}",
        (2, 2),
        ("row_repeated", "story_owners {story}-{id}001"),
    ),
    "a label known only from an epic": (
        epic_label_without_row,
        "select label_name, is_listed, epic_id from marts.dim_label where label_id = {id}302",
        ("label 2", False, "{id}502"),
        ("label_not_listed", "{id}302"),
    ),
    "text as an estimate in an activity": (
        text_as_estimate,
        "select to_estimate from marts.fct_activity_change where activity_id = '{project}_1'",
        (None,),
        ("value_impossible", "activity_changes {project}_1 change 1"),
    ),
    "text as owners in an activity": (
        text_as_owners,
        f"{COUNT}bridge_story_owner where story_id = {{story}}",
        (2,),
        ("value_impossible", "activity_changes {project}_1 change 1"),
    ),
    "a text like a list as owners in an activity": (
        text_like_a_list_as_owners,
        f"{COUNT}bridge_story_owner where story_id = {{story}}",
        (2,),
        ("value_impossible", "activity_changes {project}_1 change 1"),
    ),
    "a list in a text as owners in an activity": (
        list_in_a_text_as_owners,
        "select count(distinct owner_names) from marts.dim_story_history where story_id = {story}",
        (1,),
        None,
    ),
    "an estimate beyond 10,000": (
        huge_estimate,
        "select estimate from marts.dim_story where story_id = {story}",
        (None,),
        ("value_impossible", "stories {story}"),
    ),
    "iterations that overlap": (
        overlapping_iterations,
        "select cast(starts_at as date)::varchar from marts.dim_iteration "
        "where iteration_key = '{project}-3'",
        ("2024-03-18",),
        ("iteration_overlap", "{project}-3"),
    ),
    "a transition without a state": (
        transition_without_state,
        f"{COUNT}fct_story_transition where project_id = {{project}}",
        (-1,),  # one less than in the clean project
        ("row_unusable", "story_transitions of project {project}"),
    ),
    "nested transitions without some of their values": (
        nested_transitions_without_values,
        "select evidence from marts.dq_finding where rule_name = 'row_repeated' "
        "and entity_key like 'story_nested_transitions {id}105-{project}-%'",
        ("rows 2",),
        ("row_unusable", "story_nested_transitions of {id}105"),
    ),
    "text in the analytics of an iteration": (
        text_as_analytics,
        f"{COUNT}fct_reconciliation where entity_key = '{{project}}-1' "
        "and metric_name = 'analytics.cycle_time'",
        (0,),
        ("value_impossible", "iterations {project}-1"),
    ),
    "comments without ids in two stories": (
        comments_without_ids,
        "select count(*) from marts.dq_finding where rule_name = 'row_unusable' "
        "and entity_key = 'story_comments of {id}102'",
        (1,),
        ("row_unusable", "story_comments of {story}"),
    ),
    "a time zone that does not exist": (
        unknown_zone,
        "select count(distinct occurred_date) > 5 from marts.fct_activity "
        "where project_id = {project} and occurred_date = cast(occurred_at as date)",
        (True,),
        ("value_impossible", "projects {project}"),
    ),
    "a creation in the year 1": (
        year_one,
        "select count(*) < 1000, (select count(*) < 1000 from marts.dim_date), "
        "(select created_at from marts.dim_story where story_id = {story}) "
        "from marts.fct_flow_daily where project_id = {project}",
        (True, True, None),
        ("value_impossible", "stories {story}"),
    ),
    "timestamps after the extract": (
        timestamps_after_the_extract,
        "select max(occurred_at) < '2025-01-01' from marts.fct_activity "
        "where project_id = {project}",
        (True,),
        ("row_unusable", "activity of project {project}"),
    ),
    "a change in the second of a deletion": (
        lambda records: None,
        "select started_count, finished_count, cycle_time_seconds, estimate, is_deleted "
        "from marts.fct_story_cycle_time where story_id = {id}110",
        (1, 1, 0, "1.0000", True),
        None,
    ),
    "a creation after the deletion": (
        creation_after_the_deletion,
        "select min(story_name), max(story_name) from marts.dim_story_history "
        "where story_id = {id}110",
        ("Story", "Story"),
        None,
    ),
    "a story without dates in a CSV": (
        story_without_dates,
        "select story_count from marts.fct_flow_daily "
        "where project_id = {project} and not is_complete and story_state = 'unscheduled'",
        (1,),
        None,
    ),
    "nothing but a change of a story": (
        only_a_change_of_a_story,
        "select max(story_count), min(flow_date) < '2024-03-10' from marts.fct_flow_daily "
        "where project_id = {project} and story_count > 0",
        (1, True),
        None,
    ),
    "a story type that Tracker does not have": (
        unknown_type,
        "select count(distinct story_type), (select count(distinct story_type) "
        f"from marts.fct_throughput where project_id = {CLEAN}) "
        "from marts.fct_throughput where project_id = {project}",
        (4, 3),
        None,
    ),
    "a story twice": (
        repeated_story,
        "select count(*), max(story_name) from marts.dim_story where story_id = {story}",
        (1, "Story 1"),
        ("row_repeated", "stories {story}"),
    ),
    "states that Tracker does not have": (
        unknown_states,
        "select sum(story_count) from marts.fct_flow_daily "
        "where project_id = {project} and not is_complete and story_state = 'unknown'",
        (1,),
        None,
    ),
    "an owner without an id before the others": (
        owner_without_id,
        "select min(owner_index), max(owner_index) from marts.bridge_story_owner "
        "where story_id = {story}",
        (1, 2),
        ("row_unusable", "story_owners of {story}"),
    ),
    "two epics with one label": (
        one_label_of_two_epics,
        "select count(*), count(distinct label_id) from marts.dim_epic "
        "where project_id = {project}",
        (2, 1),
        None,
    ),
}
PROJECTS = dict(enumerate(CASES, 10))
# By project: a table and a column, which has an impossible value in one of its rows.
LISTS = {
    "stories": (
        "owner_ids owners labels comments tasks blockers reviews transitions follower_ids "
        "pull_requests branches"
    ),
    "epics": "comments",
    "releases": "labels story_ids",
    "iterations": "story_ids",
    "activity": "changes primary_resources secondary_resources",
    "projects": "iteration_override_numbers",
}
INSTANTS = [
    (table, name)
    for table in sorted(project_records(CLEAN).keys() - {"my_activity"})
    for name, kind in TABLES[table].columns.items()
    if kind == "timestamp"
]
IMPOSSIBLE = dict(
    enumerate(
        [
            *((*each, "0001-01-01T00:00:00Z") for each in INSTANTS),
            *((table, name, "none") for table, names in LISTS.items() for name in names.split()),
            *((table, name, {"id": 7}) for table, names in LISTS.items() for name in names.split()),
        ],
        100,
    )
)


@pytest.fixture(scope="module")
def warehouse(models, tmp_path_factory):
    path = tmp_path_factory.mktemp("odd") / "w.duckdb"
    records = defaultdict(list, extracts=[extract()])
    for project_id in (CLEAN, *PROJECTS, *IMPOSSIBLE):
        of_one_project = project_records(project_id)
        if project_id in PROJECTS:
            CASES[PROJECTS[project_id]][0](of_one_project)
        if project_id in IMPOSSIBLE:
            table, name, value = IMPOSSIBLE[project_id]
            of_one_project[table][0][name] = value
        for table, rows in of_one_project.items():
            records[table] += rows
    (undated,) = [each for each, name in PROJECTS.items() if "without dates" in name]
    crafted_warehouse(path, records, frozenset([undated * 1000 + 101]), accepts=True)
    build(path, models)
    return path


def test_random_odd_projects_fail_no_build_and_change_no_other_project(models, tmp_path):
    found = problems(random_odd_projects(12, 1000), tmp_path, models)
    assert not found, "\n".join(found)


def test_no_constraint_and_no_test_fails(warehouse, models):
    assert broken_checks(warehouse, models) == {}


@pytest.mark.parametrize("project_id", PROJECTS, ids=PROJECTS.values())
def test_invalid_data_is_repaired_and_reported(project_id, warehouse):
    _, query, expected, finding = CASES[PROJECTS[project_id]]

    def with_ids(text, project_id=project_id):
        ids = {"project": project_id, "story": project_id * 1000 + 101, "id": project_id}
        return text.format(**ids) if isinstance(text, str) else text

    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(with_ids(query)).fetchone()
        if expected == (-1,):
            (clean,) = connection.execute(with_ids(query, CLEAN)).fetchone()
            expected = (clean - 1,)
        assert [str(each) for each in found] == [str(with_ids(each)) for each in expected]
        if finding:
            rule, entity = finding
            rows = connection.execute(
                "select evidence from marts.dq_finding where rule_name = ? and entity_key = ?",
                [rule, with_ids(entity)],
            ).fetchall()
            assert len(rows) == 1
        clean = f"select rule_name, entity_key from marts.dq_finding where project_id = {CLEAN}"
        repairs = {"row_repeated", "row_unusable", "value_impossible", "iteration_overlap"}
        assert not {rule for rule, _ in connection.execute(clean).fetchall()} & repairs


def test_every_impossible_instant_and_list_is_reported(warehouse):
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select project_id, rule_name, entity_key, evidence from marts.dq_finding "
            "where rule_name in ('value_impossible', 'row_unusable')"
        ).fetchall()
    reported = {
        (project_id, table, name)
        for project_id, rule, key, evidence in found
        if (given := IMPOSSIBLE.get(project_id))
        for table, name, _ in [given]
        if (
            evidence.startswith(name + " ") if rule == "value_impossible" else key.startswith(table)
        )
    }
    assert {(key, table, name) for key, (table, name, _) in IMPOSSIBLE.items()} - reported == set()
