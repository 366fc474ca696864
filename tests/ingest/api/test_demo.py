"""From the demo's server, the reader reads every row of the workspace and nothing else."""

import random

import orjson
import pytest

import simulator as demo
from ingest.api.http.client import ClientSettings, TrackerClient
from ingest.api.lists.catalogue import ApiOptions
from ingest.api.reader import ApiReader
from ingest.warehouses.stored import Stored
from tests.ingest.api.conftest import pages_of
from tests.ingest.api.test_reader import counts, read_all

EVERYTHING = {"history_days": True, "cycle_time_details": True, "iteration_analytics": True}


@pytest.fixture(scope="module")
def small_workspace():
    """A shared workspace; tests that change a workspace create their own."""
    return demo.simulate(stories=200)


@pytest.fixture(scope="module")
def two_projects(small_workspace):
    """The largest project and one more."""
    projects = small_workspace.projects.values()
    return [each.id for each in sorted(projects, key=lambda each: -len(each.story_ids))[:2]]


@pytest.fixture(scope="module")
def expected_rows(small_workspace, two_projects):
    """Rows of two projects, from a server that behaves like Tracker."""
    with demo.serve(small_workspace) as server:
        return read(server, two_projects)[0]


def read(server, project_ids=None, options=None, **settings):
    """All rows of a server by table, and the reader."""
    options = ApiOptions(project_ids=project_ids, **(options or {}))
    settings = ClientSettings(**settings)
    with TrackerClient(server.base_url, server.token, settings, sleep=lambda _: None) as client:
        reader = ApiReader(client, options)
        return read_all(reader), reader


def expected_counts(workspace):
    """The expected number of rows in each raw table, counted in the workspace itself."""
    projects = workspace.projects.values()
    stories = workspace.stories.values()
    members = [each for project in projects for each in project.memberships.values()]
    mine = [
        project
        for project in projects
        if workspace.me_id in {each.person_id for each in project.memberships.values()}
    ]
    return {
        "projects": len(mine),
        "me": 1,
        "accounts": len(workspace.accounts),
        "memberships": sum(each.role != "inactive" for each in members),
        "labels": sum(len(project.labels) for project in projects),
        "epics": sum(len(project.epics) for project in projects),
        "stories": len(stories),
        "releases": sum(story.story_type == "release" for story in stories),
        "iterations": sum(len(workspace.plan(each).iterations) for each in workspace.projects),
        "activity": sum(len(project.activities) for project in projects),
        "story_transitions": sum(
            row.story_id in workspace.stories for each in projects for row in each.transitions
        ),
    }


def test_every_table_has_as_many_rows_as_the_workspace(small_workspace):
    with demo.serve(small_workspace) as server:
        rows, reader = read(server)
        assert server.failures == []
    expected = expected_counts(small_workspace)
    assert {name: counts(rows)[name] for name in expected} == expected
    assert counts(rows)["my_activity"] == counts(rows)["activity"]
    assert reader.skipped == []
    assert reader.drift.undeclared == {}
    assert reader.drift.misfits == {}


def test_optional_tables_are_read_if_requested(small_workspace, two_projects):
    with demo.serve(small_workspace) as server:
        rows, reader = read(server, two_projects[:1], EVERYTHING)
        assert server.failures == []
    assert len(rows["cycle_time_details"]) > 0
    assert len(rows["history_days"]) > 0
    assert any(row["analytics"] for row in rows["iterations"])
    assert reader.skipped == []


def test_stories_have_all_their_parts(small_workspace):
    with demo.serve(small_workspace) as server:
        rows, _ = read(server)
    for row in rows["stories"]:
        story = small_workspace.stories[row["id"]]
        for name in ("comments", "tasks", "blockers", "reviews", "transitions"):
            assert len(orjson.loads(row[name])) == len(getattr(story, name)), (row["id"], name)
        assert orjson.loads(row["owner_ids"]) == story.owner_ids
        assert [each["id"] for each in orjson.loads(row["labels"])] == story.label_ids
        assert (None if row["estimate"] is None else float(row["estimate"])) == story.estimate
    iterations = sum(len(orjson.loads(row["story_ids"])) for row in rows["iterations"])
    assert iterations > len(rows["stories"]) / 2
    assert all(row["velocity"] is not None for row in rows["iterations"])


HOSTS = {
    "pages of 50": {"page_cap": 50},
    "title for name": {"title_for_name": True, "page_cap": 50},
    "no pagination headers": {"pagination_headers": False},
    "no headers and a cap": {"pagination_headers": False, "page_cap": 50},
    "total null": {"total": "null"},
    "total null without headers": {"total": "null", "pagination_headers": False},
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("deviation", HOSTS.values(), ids=HOSTS.keys())
def test_a_deviating_host_returns_the_same_rows(
    small_workspace, two_projects, expected_rows, deviation
):
    with demo.serve(small_workspace, options=demo.ServerOptions(**deviation)) as server:
        rows, reader = read(server, two_projects)
        assert server.failures == []
    assert rows == expected_rows
    assert (reader.skipped, reader.failed_project_ids) == ([], [])


def test_a_first_load_requests_each_list_once_in_the_largest_pages(small_workspace):
    with (
        demo.serve(small_workspace) as server,
        TrackerClient(server.base_url, server.token) as client,
    ):
        reader = ApiReader(client)
        reader.continue_from(Stored(None), can_copy_tables=True)
        rows = read_all(reader)
        requests_count = reader.requests_count
        listed = [each for page in pages_of(client, "/my/activity", page_size=500) for each in page]
    projects = small_workspace.projects
    paged = ("stories", "releases", "iterations", "activity", "story_transitions")
    needed = len(["projects", "me", "accounts", "my_activity", "notifications"])
    needed += len(["memberships", "labels", "epics"]) * len(projects)
    for table in paged:
        for project_id in projects:
            count = sum(row["project_id"] == project_id for row in rows[table])
            needed += max(1, -(-count // 500))
    assert requests_count <= 1.05 * needed
    # The activities of the token's owner are copied from those of the projects.
    assert (reader.copied_tables, rows["my_activity"]) == ({"my_activity": "activity"}, [])
    assert {row["guid"] for row in rows["activity"]} == {each["guid"] for each in listed}
    assert len(rows["activity"]) == len(listed) > 500


def test_projects_with_fewer_records_than_stated_fail_and_are_named(small_workspace, two_projects):
    with demo.serve(small_workspace, options=demo.ServerOptions(total="too_large")) as server:
        rows, reader = read(server, two_projects)
    assert reader.failed_project_ids == two_projects
    for project_id, sentence in zip(two_projects, reader.skipped, strict=True):
        project = small_workspace.projects[project_id]
        count = len(project.story_ids)
        assert sentence.startswith(
            f"project {project_id} ({project.name}): GET /projects/{project_id}/stories: "
            f"{count} of {count + 7} stories: "
        )
    assert len(rows["stories"]) == sum(
        len(small_workspace.projects[each].story_ids) for each in two_projects
    )


def test_the_rows_are_the_same_if_a_fifth_of_the_requests_fail(
    small_workspace, two_projects, expected_rows
):
    chance = random.Random(7)

    def before_request(request):
        if chance.random() > 0.2:
            return None
        if chance.random() < 0.3:
            raise ConnectionResetError
        page = b"<html>busy</html>"
        return chance.choice(
            [
                (429, {"Retry-After": "1", "Content-Type": "text/plain"}, b"slow down"),
                (500, {"Content-Type": "application/json"}, b'{"kind":"error"}'),
                (502, {"Content-Type": "text/html"}, page),
                (200, {"Content-Type": "application/json"}, b'[{"id":1,"name":"cut'),
                (200, {"Content-Type": "application/json", "Content-Length": "9999"}, b"[{"),
            ]
        )

    options = demo.ServerOptions(before_request=before_request, page_cap=100)
    with demo.serve(small_workspace, options=options) as server:
        rows, reader = read(server, two_projects, max_attempts=20)
    assert rows == expected_rows
    assert reader.requests_count == server.request_count


def test_a_workspace_that_changes_while_it_is_read_loses_no_story():
    workspace = demo.simulate(stories=400)
    rng = random.Random(11)
    project_id = max(workspace.projects, key=lambda each: len(workspace.project(each).story_ids))
    present = set(workspace.project(project_id).story_ids)
    deleted = set()

    def before_request(request):
        is_first_pass = request.query.get("fields") != "id"
        if request.path.endswith(f"/{project_id}/stories") and is_first_pass:
            story_id = rng.choice(sorted(present - deleted))
            deleted.add(story_id)
            workspace.delete_stories([story_id])

    options = demo.ServerOptions(before_request=before_request, page_cap=7)
    with (
        demo.serve(workspace, options=options) as server,
        TrackerClient(server.base_url, server.token) as client,
    ):
        reader = ApiReader(client, ApiOptions(project_ids=[project_id]))
        read_ids = {row for rows in reader.read("stories") for row in rows["id"].to_pylist()}
        assert server.failures == []
    assert present - deleted <= read_ids <= present
    assert len(deleted) > 3
    assert reader.keys_listed("stories", project_id) == {(each,) for each in present - deleted}
