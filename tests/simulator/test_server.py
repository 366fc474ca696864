"""The API over real sockets: paging, headers, fields, envelope, errors, options."""

import hashlib
import subprocess
import sys
import threading

import pytest
import requests

from simulator import ServerOptions, Workspace, serve
from simulator.instants import iso

EVERYTHING = (
    ":default,comments(:default,file_attachments,google_attachments,attachment_ids),"
    "owners(:default),reviews(:default,review_type),tasks(:default),transitions(:default),"
    "blockers(:default),labels(:default),cycle_time_details"
)
PAGE_HEADERS = [f"X-Tracker-Pagination-{name}" for name in ("Total", "Limit", "Offset", "Returned")]


def largest(workspace):
    return max(workspace.projects.values(), key=lambda project: len(project.story_ids))


@pytest.fixture(scope="module")
def project(workspace):
    return largest(workspace)


@pytest.fixture(scope="module")
def base(project):
    return f"/projects/{project.id}"


def nulls(value):
    """Whether there is a null anywhere except in activity values."""
    if isinstance(value, dict):
        return any(
            nulls(each)
            for key, each in value.items()
            if key not in {"original_values", "new_values"}
        )
    if isinstance(value, list):
        return any(map(nulls, value))
    return value is None


PATHS = [
    "",
    "/memberships",
    "/labels?fields=:default,counts",
    "/epics?fields=:default,comments,projected_completion,completed_at",
    "/stories?limit=500&fields=" + EVERYTHING,
    "/releases?fields=:default,story_ids,projected_completion,points_total,counts_accepted",
    "/iterations?scope=done&limit=200&fields=:default,velocity,points,analytics",
    "/iterations?scope=current_backlog",
    "/iterations/30",
    "/iterations/30/analytics",
    "/iterations/30/analytics/cycle_time_details",
    "/iteration_overrides/30",
    "/history/days",
    "/history/iterations/30/days",
    "/activity?limit=500",
    "/story_transitions?limit=500",
    "/review_types",
]


@pytest.mark.parametrize("path", PATHS)
def test_responses_contain_no_nulls(client, base, project, path):
    answer = client.get(base + path)
    assert answer.status_code == 200
    assert answer.headers["X-Tracker-Project-Version"] == str(project.version)
    assert answer.headers["ETag"] == f'"{hashlib.md5(answer.content).hexdigest()}"'
    assert answer.headers["Date"] == "Wed, 30 Apr 2025 17:00:00 GMT"
    assert answer.json()
    assert not nulls(answer.json())


@pytest.mark.parametrize("path", ["/me", "/accounts", "/my/notifications", "/projects"])
def test_workspace_paths_have_no_project_version(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "X-Tracker-Project-Version" not in answer.headers
    assert not set(PAGE_HEADERS) & set(answer.headers)
    assert not nulls(answer.json())


def test_pages_make_up_the_complete_list(client, base, project):
    story_ids = []
    for offset in range(0, len(project.story_ids) + 1, 60):
        answer = client.get(base + "/stories", limit=60, offset=offset, fields="name")
        figures = [int(answer.headers[name]) for name in PAGE_HEADERS]
        assert figures == [len(project.story_ids), 60, offset, len(answer.json())]
        story_ids += [story["id"] for story in answer.json()]
    assert story_ids == project.story_ids


def test_a_page_past_the_end_is_empty(client, base, project):
    answer = client.get(base + "/stories", limit=1, offset=9999)
    assert answer.json() == []
    assert [answer.headers[name] for name in PAGE_HEADERS] == [
        str(len(project.story_ids)),
        "1",
        "9999",
        "0",
    ]


def test_default_and_maximum_limits(client, base):
    assert client.get(base + "/stories").headers[PAGE_HEADERS[1]] == "100"
    assert client.get(base + "/iterations").headers[PAGE_HEADERS[1]] == "10"
    assert client.get(base + "/activity").headers[PAGE_HEADERS[1]] == "100"
    assert client.get(base + "/stories", limit=10_000).headers[PAGE_HEADERS[1]] == "500"


def test_the_current_iteration_is_returned_alone(client, base, project):
    answer = client.get(base + "/iterations", scope="current")
    assert len(answer.json()) == 1
    assert not set(PAGE_HEADERS) & set(answer.headers)
    project_record = client.json(base, fields="current_iteration_number")
    assert answer.json()[0]["number"] == project_record["current_iteration_number"]


def test_negative_offsets_count_from_the_current_iteration(client, base):
    answer = client.get(base + "/iterations", scope="done", offset=-12, limit=5)
    current = client.json(base + "/iterations", scope="current")[0]["number"]
    assert [each["number"] for each in answer.json()] == list(range(current - 12, current - 7))
    assert answer.headers["X-Tracker-Pagination-Offset"] == "-12"
    assert answer.headers["X-Tracker-Pagination-Total"] == str(current - 1)
    iterations = client.json(base + "/iterations", scope="done_current", offset=-2)
    assert [each["number"] for each in iterations] == [current - 2, current - 1, current]
    tail = client.get(base + "/iterations", scope="done", offset=-2, limit=5)
    assert tail.headers["X-Tracker-Pagination-Returned"] == "2"


def test_iterations_are_contiguous(client, base):
    iterations = client.json(base + "/iterations", limit=500)
    assert [each["number"] for each in iterations] == list(range(1, len(iterations) + 1))
    for one, following in zip(iterations, iterations[1:], strict=False):
        assert one["finish"] == following["start"]


def test_done_iterations_contain_the_stories_accepted_in_them(client, base):
    for iteration in client.json(base + "/iterations", scope="done", limit=500):
        for story in iteration["stories"]:
            assert iteration["start"] <= story["accepted_at"] < iteration["finish"]


def test_activity_is_newest_first_and_complete(client, base, project):
    versions = []
    for offset in range(0, project.version, 500):
        page = client.json(base + "/activity", limit=500, offset=offset, fields="guid")
        assert set(page[0]) == {"guid", "project_version"}
        versions += [each["project_version"] for each in page]
    assert versions == list(range(project.version, 0, -1))


def test_activity_windows(client, base, project):
    newest = client.json(base + "/activity", since_version=project.version - 3)
    assert [each["project_version"] for each in newest] == [
        project.version,
        project.version - 1,
        project.version - 2,
    ]
    day = {"occurred_after": "2024-06-01T00:00:00Z", "occurred_before": "2024-06-08T00:00:00Z"}
    week = client.json(base + "/activity", limit=500, sort_order="asc", **day)
    instants = [each["occurred_at"] for each in week]
    assert instants == sorted(instants)
    assert day["occurred_after"] < instants[0] <= instants[-1] < day["occurred_before"]


def test_transitions_since_an_instant(client, base, project, workspace):
    answer = client.json(
        base + "/story_transitions", occurred_after="2025-04-01T00:00:00Z", limit=500
    )
    expected = [
        (row.story_id, row.project_version)
        for row in project.transitions
        if iso(row.occurred_at) > "2025-04-01T00:00:00Z" and row.story_id in workspace.stories
    ]
    assert [(each["story_id"], each["project_version"]) for each in answer] == expected


STORY_FILTERS = {
    "with_state": ("accepted", lambda story: story.current_state == "accepted"),
    "with_story_type": ("bug", lambda story: story.story_type == "bug"),
    "updated_after": ("2025-02-01T00:00:00Z", lambda s: iso(s.updated_at) > "2025-02-01T00:00:00Z"),
    "updated_before": (
        "2024-02-01T00:00:00Z",
        lambda s: iso(s.updated_at) < "2024-02-01T00:00:00Z",
    ),
    "accepted_after": (
        "2025-02-01T00:00:00Z",
        lambda s: s.accepted_at and iso(s.accepted_at) > "2025-02-01T00:00:00Z",
    ),
    "created_after": ("1738368000000", lambda s: iso(s.created_at) > "2025-02-01T00:00:00Z"),
    "filter": ("type:chore includedone:true", lambda s: s.story_type == "chore"),
}


@pytest.mark.parametrize("name", STORY_FILTERS)
def test_story_filters(client, base, project, workspace, name):
    value, wanted = STORY_FILTERS[name]
    found = client.json(base + "/stories", limit=500, fields="id", **{name: value})
    stories = [workspace.stories[story_id] for story_id in project.story_ids]
    assert [each["id"] for each in found] == [each.id for each in stories if wanted(each)]
    assert found


def test_stories_with_a_label(client, base, project, workspace):
    label = max(project.labels.values(), key=lambda each: each.counts[16])
    found = client.json(base + "/stories", limit=500, with_label=label.name)
    assert found
    assert all(label.id in {each["id"] for each in story["labels"]} for story in found)
    number = sum(label.id in workspace.stories[each].label_ids for each in project.story_ids)
    assert len(found) == number == sum(label.counts[16:])


def test_bulk_skips_deleted_stories(client, base, project, workspace):
    deleted_id = next(iter(workspace.deleted_stories))
    ids = [project.story_ids[0], deleted_id, project.story_ids[5]]
    found = client.json(base + "/stories/bulk", ids=",".join(map(str, ids)))
    assert [each["id"] for each in found] == [ids[0], ids[2]]
    assert client.get(f"/stories/{deleted_id}").json()["code"] == "unfound_resource"


def test_a_story_and_its_parts(client, base, project, workspace):
    stories = [workspace.stories[story_id] for story_id in project.story_ids]
    story = max(stories, key=lambda each: len(each.comments) + len(each.tasks) + len(each.reviews))
    path = f"{base}/stories/{story.id}"
    nested = client.json(path, fields=EVERYTHING)
    assert client.json(f"/stories/{story.id}") == client.json(path)
    for part in ("tasks", "comments", "blockers", "labels", "owners", "transitions"):
        extra = ",file_attachments,google_attachments,attachment_ids" if part == "comments" else ""
        assert client.json(f"{path}/{part}", fields=":default" + extra) == nested[part]
    activity = client.json(f"{path}/activity", limit=500)
    assert len(activity) == len(story.activities)


def test_selected_fields(client, base, project):
    story_id = project.story_ids[0]
    path = f"{base}/stories/{story_id}"
    assert set(client.json(path, fields="name,story_type")) == {"id", "name", "story_type"}
    default_fields = client.json(path)
    more_fields = client.json(
        path, fields=":default,requested_by(name),requested_by_id,comment_ids"
    )
    assert set(more_fields) - set(default_fields) == {"requested_by", "comment_ids"}
    assert set(more_fields["requested_by"]) == {"id", "name"}
    epics = client.json(base, fields="epics(:default,label(name))")["epics"]
    assert set(epics[0]["label"]) == {"id", "name"}
    assert "kind" in epics[0]
    number = client.json(base + "/iterations", fields="velocity", scope="current")[0]
    assert set(number) == {"number", "velocity"}


@pytest.mark.parametrize("fields", ["bogus", "labels(bogus)", "a(b", "a)b", "(a)"])
def test_invalid_fields(client, base, fields):
    answer = client.get(base + "/stories", fields=fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_timestamps_in_milliseconds(client, base, project, workspace):
    story = client.json(base + "/stories", limit=1, date_format="millis", fields=EVERYTHING)[0]
    assert story["created_at"] == workspace.stories[story["id"]].created_at * 1000
    activity = client.json(base + "/activity", limit=1, date_format="millis")[0]
    assert activity["occurred_at"] == project.activities[-1].occurred_at * 1000


def test_the_envelope(client, base, project):
    answer = client.json(base + "/stories", envelope="true", limit=2, fields="id")
    assert answer == {
        "http_status": "200",
        "project_version": project.version,
        "pagination": {
            "total": len(project.story_ids),
            "offset": 0,
            "limit": 2,
            "returned": 2,
        },
        "data": [{"id": each} for each in project.story_ids[:2]],
    }
    assert set(client.json("/accounts", envelope="true")) == {"http_status", "data"}


ERRORS = {
    "no such path": ("/nope", 404, "route_not_found"),
    "one empty id": ("/projects//epics", 404, "unfound_resource"),
    "two empty ids": ("/projects//stories//comments", 404, "route_not_found"),
    "no such project": ("/projects/1", 404, "unfound_resource"),
    "no such story": ("{base}/stories/1", 404, "unfound_resource"),
    "no such iteration": ("{base}/iterations/9999", 404, "unfound_resource"),
    "a bad date": ("{base}/stories?updated_after=yesterday", 400, "invalid_parameter"),
    "a bad date in a filter": (
        "{base}/stories?filter=created:-5days..now",
        400,
        "invalid_parameter",
    ),
    "filter with others": ("{base}/stories?filter=x&with_state=y", 400, "invalid_parameter"),
    "a bad limit": ("{base}/stories?limit=0", 400, "invalid_parameter"),
    "a negative offset": ("{base}/stories?offset=-1", 400, "invalid_parameter"),
    "a bad scope": ("{base}/iterations?scope=all", 400, "invalid_parameter"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(client, base, name):
    path, status, code = ERRORS[name]
    answer = client.get(path.format(base=base))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["kind"] == "error"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "X-Tracker-Project-Version" not in answer.headers


def test_a_wrong_token_returns_403(demo_server):
    answer = requests.get(f"{demo_server.base_url}/me", headers={"X-TrackerToken": "x"}, timeout=5)
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "invalid_authentication",
        "kind": "error",
        "error": "Invalid authentication credentials were presented.",
        "possible_fix": "Verify that your token value matches what's shown on your Profile page "
        "in Tracker.",
    }


def test_basic_authentication_works_on_me_only(demo_server):
    login = (demo_server.username, demo_server.password)
    me = requests.get(f"{demo_server.base_url}/me", auth=login, timeout=5)
    assert me.json()["api_token"] == demo_server.token
    for path, auth in (("/projects", login), ("/me", (login[0], "wrong"))):
        answer = requests.get(demo_server.base_url + path, auth=auth, timeout=5)
        assert answer.status_code == 403


def test_former_members_are_not_listed_but_occur_in_transitions(client, workspace):
    former_members = [
        (project.id, membership.person_id)
        for project in workspace.projects.values()
        for membership in project.memberships.values()
        if membership.role == "inactive"
    ]
    assert former_members
    listed = [
        (each["project_id"], each["person"]["id"])
        for project_id in workspace.projects
        for each in client.json(f"/projects/{project_id}/memberships")
    ]
    assert not set(former_members) & set(listed)
    assert {person_id for _, person_id in former_members} & {
        row.performed_by_id for row in workspace.transitions
    }


# ---------------------------------------------------------------------- options


def test_a_page_cap_is_stated_in_the_headers(serving, workspace, project):
    client = serving(workspace, page_cap=50)
    answer = client.get(f"/projects/{project.id}/stories", limit=500)
    assert (answer.headers[PAGE_HEADERS[1]], len(answer.json())) == ("50", 50)


def test_titles_instead_of_names(serving, workspace, project):
    client = serving(workspace, title_for_name=True)
    story = client.json(f"/projects/{project.id}/stories", limit=1)[0]
    assert story["title"]
    assert "name" not in story
    assert "title" in client.json(f"/projects/{project.id}", fields="title")
    assert "name" in client.json(f"/projects/{project.id}/labels")[0]


@pytest.mark.parametrize(
    ("total", "more"), [("exact", 0), ("null", None), ("too_large", 7)], ids=str
)
def test_totals_may_be_wrong(serving, workspace, project, total, more):
    client = serving(workspace, total=total)
    path = f"/projects/{project.id}/stories"
    expected = None if more is None else len(project.story_ids) + more
    envelope = client.json(path, envelope="true", limit=1)
    assert envelope["pagination"]["total"] == expected
    header = client.get(path, limit=1).headers.get(PAGE_HEADERS[0])
    assert header == (None if expected is None else str(expected))


def test_pagination_headers_may_be_missing(serving, workspace, project):
    answer = serving(workspace, pagination_headers=False).get(f"/projects/{project.id}/stories")
    assert not set(PAGE_HEADERS) & set(answer.headers)


def test_paths_may_be_missing(serving, workspace, project):
    client = serving(workspace, missing_paths=[r"/story_transitions$"])
    answer = client.get(f"/projects/{project.id}/story_transitions")
    assert answer.json()["code"] == "route_not_found"


def test_a_forbidden_project_is_listed_but_not_read(serving, workspace, project):
    client = serving(workspace, forbidden_projects=[project.id])
    assert project.id in [each["id"] for each in client.json("/projects")]
    for path in ("", "/stories", "/labels", "/stories/1"):
        answer = client.get(f"/projects/{project.id}{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "unauthorized_operation")
    assert client.get(f"/stories/{project.story_ids[0]}").status_code == 403


def test_expired_activity_counts_only_in_the_total(serving, workspace, project):
    client = serving(workspace, activity_retention_days=180)
    path, count, total = f"/projects/{project.id}/activity", 0, project.version
    for offset in range(0, total, 500):
        answer = client.get(path, limit=500, offset=offset, fields="occurred_at")
        assert answer.headers[PAGE_HEADERS[0]] == str(total)
        assert answer.headers[PAGE_HEADERS[3]] == str(len(answer.json()))
        assert all(each["occurred_at"] >= "2024-11-01T17:00:00Z" for each in answer.json())
        count += len(answer.json())
    assert 0 < count < total


def test_the_hook_may_change_the_workspace_respond_or_disconnect(serving, small):
    project = next(iter(small.projects.values()))

    def hook(request):
        if request.number == 1:
            small.create_story(project.id, "Between requests")
        if request.number == 2:
            return 429, {"Retry-After": "1"}, b"{}"
        if request.number == 3:
            raise ConnectionResetError
        return None

    client = serving(small, before_request=hook)
    path = f"/projects/{project.id}/stories"
    assert [each["name"] for each in client.json(path)] == ["Between requests"]
    assert client.get(path).status_code == 429
    with pytest.raises(requests.ConnectionError):
        client.get(path)
    assert client.get(path).status_code == 200
    assert [each.status for each in client.server.requests] == [200, 429, 200]
    assert client.server.request_count == 4


def test_a_failing_hook_returns_a_server_error_and_is_recorded(small):
    def hook(request):
        raise RuntimeError("oops")

    with serve(small, options=ServerOptions(before_request=hook)) as server:
        answer = requests.get(f"{server.base_url}/projects", timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (500, "unhandled_condition")
        assert [str(each) for each in server.failures] == ["oops"]


def test_a_response_may_be_truncated(serving, small):
    client = serving(
        small, before_request=lambda request: (200, {"Content-Length": "100"}, b'[{"id": 1')
    )
    with pytest.raises(requests.RequestException):
        client.get("/projects")


def test_responses_reflect_changes_of_the_workspace(serving, small):
    project = next(iter(small.projects.values()))
    client = serving(small)
    path = f"/projects/{project.id}/stories"
    assert client.json(path) == []
    story = small.create_story(project.id, "New")
    answer = client.get(path)
    assert [each["id"] for each in answer.json()] == [story.id]
    assert answer.headers["X-Tracker-Project-Version"] == "1"
    number = client.json(f"/projects/{project.id}")["current_iteration_number"]
    small.advance_to("2025-01-20T09:00:00Z")
    assert client.json(f"/projects/{project.id}")["current_iteration_number"] == number + 2


def test_responses_are_consistent_while_commands_run(serving, small):
    project = next(iter(small.projects.values()))
    client = serving(small)

    def write():
        for number in range(150):
            small.create_story(project.id, f"Story {number}", labels=["all"])

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        answer = client.get(f"/projects/{project.id}/stories", limit=500)
        stories = len(answer.json())
        version = int(answer.headers["X-Tracker-Project-Version"])
        # One version for the label and one for each story.
        assert version == stories + 1 or (stories == 0 and version <= 1)
    writer.join()
    assert len(client.json(f"/projects/{project.id}/stories", limit=500)) == 150


def test_an_empty_workspace_can_be_served(serving):
    workspace = Workspace()
    workspace.add_person("Ada Obi")
    client = serving(workspace)
    assert client.json("/projects") == []
    project = workspace.create_project("Empty")
    for path in ("/stories", "/iterations", "/activity", "/releases", "/history/days", "/labels"):
        assert client.get(f"/projects/{project.id}{path}").status_code == 200


def test_the_command_line_ends_cleanly():
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "serve", "--port", "0", "--stories", "60"],
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(4)]
    token = lines[2].split()[-1]
    url = lines[3].split()[-1]
    answer = requests.get(url, headers={"X-TrackerToken": token}, timeout=5)
    process.send_signal(2)
    assert process.wait(timeout=10) == 0
    assert len(answer.json()) == 8
