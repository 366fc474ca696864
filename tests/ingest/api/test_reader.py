"""A workspace is read completely into rows of the raw tables, even if it changes meanwhile."""

from datetime import UTC, datetime

import orjson
import pytest

from ingest.api.http.errors import InvalidAuthentication, UnexpectedAnswer, UnfoundResource
from ingest.api.lists.catalogue import ApiOptions
from ingest.api.reader import ApiReader
from ingest.tables import TABLES
from tests.ingest.api.conftest import ListHost, error_body
from tests.ingest.api.workspace_host import WorkspaceHost, activity, story
from tests.support.scripted import Reply

TABLES_READ = [
    "projects", "me", "accounts", "memberships", "labels", "epics", "stories", "releases",
    "iterations", "activity", "my_activity", "story_transitions", "notifications",
]  # fmt: skip


def read_all(reader):
    """All rows by table, as dictionaries."""
    rows = {}
    for name in reader.tables():
        rows[name] = []
        for table in reader.read(name):
            assert table.schema.equals(TABLES[name].arrow_schema)
            rows[name] += table.to_pylist()
        keys = [tuple(row[column] for column in TABLES[name].key) for row in rows[name]]
        assert len(keys) == len(set(keys)), f"{name}: a key twice"
    return rows


def counts(rows):
    return {name: len(each) for name, each in rows.items()}


@pytest.fixture
def open_reader(serve, connect):
    def start(host, options=None, **more):
        start.server = serve(host)
        return ApiReader(connect(start.server.base_url, **more), options)

    return start


def test_every_table_of_every_project_is_read(open_reader):
    reader = open_reader(WorkspaceHost(1, 2, 3))
    rows = read_all(reader)
    assert counts(rows) == {
        "projects": 3, "me": 1, "accounts": 1, "memberships": 3, "labels": 3, "epics": 3,
        "stories": 21, "releases": 3, "iterations": 36, "activity": 30, "my_activity": 3,
        "story_transitions": 3, "notifications": 0,
    }  # fmt: skip
    assert reader.tables() == TABLES_READ
    assert reader.project_ids == [1, 2, 3]
    assert reader.as_of == datetime(2025, 4, 30, 12, 34, 56, tzinfo=UTC)
    assert (reader.skipped, reader.failed_project_ids) == ([], [])
    assert {row["record_source"] for each in rows.values() for row in each} == {"api"}
    assert {row["project_id"] for row in rows["labels"]} == {1, 2, 3}
    assert {row["story_ids"] for row in rows["iterations"] if row["number"] == 4} == {
        "[1004]",
        "[2004]",
        "[3004]",
    }


def test_a_complete_listing_contains_all_keys(open_reader):
    reader = open_reader(WorkspaceHost(1, 2))
    assert reader.keys_listed("labels", 1) is None  # not read yet
    read_all(reader)
    assert reader.keys_listed("labels", 1) == {(12,)}
    assert reader.keys_listed("stories", 2) == {(number,) for number in range(2000, 2007)}
    assert reader.keys_listed("iterations", 2) == {(2, number) for number in range(1, 13)}
    assert reader.keys_listed("activity", 1) is None  # rows are never removed
    assert reader.keys_listed("labels", 77) is None


def test_no_token_is_in_any_row(open_reader):
    rows = read_all(open_reader(WorkspaceHost(1)))
    assert "0" * 32 not in orjson.dumps(rows, default=str).decode()


def test_only_the_requested_projects_are_read(open_reader):
    reader = open_reader(WorkspaceHost(1, 2, 3), options=ApiOptions(project_ids=[3, 1]))
    rows = read_all(reader)
    assert reader.project_ids == [3, 1]
    assert {row["project_id"] for row in rows["my_activity"]} == {1, 3}
    assert not any("/projects/2" in path for path in open_reader.server.paths)


def only_listing_one(host):
    """The same host, whose list of projects contains only project 1."""
    only = Reply(200, [host.project(1)])
    return lambda request: only if request.path == "/services/v5/projects" else host(request)


def test_a_project_that_is_not_listed_is_requested_separately(open_reader):
    reader = open_reader(only_listing_one(WorkspaceHost(1, 2)), ApiOptions(project_ids=[2]))
    assert [row["name"] for row in read_all(reader)["projects"]] == ["Project 2"]


def test_a_project_that_does_not_exist_ends_the_run_before_other_requests(open_reader):
    reader = open_reader(WorkspaceHost(1), options=ApiOptions(project_ids=[1, 99]))
    with pytest.raises(
        UnfoundResource, match=r"^project 99: 404 not found: .*correct project_ids or --project$"
    ):
        read_all(reader)
    assert open_reader.server.paths == ["/projects", "/projects/99"]


def test_a_forbidden_project_is_skipped_and_the_others_are_read(open_reader):
    host = WorkspaceHost(1, 2, 3)
    host.forbidden = {2}
    reader = open_reader(host)
    rows = read_all(reader)
    assert reader.failed_project_ids == [2]
    assert reader.project_ids == [1, 3]
    assert len(reader.skipped) == 1
    assert reader.skipped[0].startswith("project 2 (Project 2): GET /projects/2/memberships: 403")
    assert "Be a member." in reader.skipped[0]
    assert counts(rows)["stories"] == 14


def test_a_forbidden_project_that_is_not_listed_is_also_skipped(open_reader):
    host = WorkspaceHost(1, 2)
    host.forbidden = {2}
    reader = open_reader(only_listing_one(host), ApiOptions(project_ids=[1, 2]))
    assert counts(read_all(reader))["projects"] == 1
    assert reader.failed_project_ids == [2]


def test_a_project_that_becomes_forbidden_is_skipped_from_then_on(open_reader):
    host = WorkspaceHost(1, 2)
    host.lists["/projects/2/stories"] = [story(2000 + n, 2) for n in range(40)]
    host.max_limit = 10

    def close_later(request):
        if request.path.endswith("/2/stories") and request.query["offset"] == "20":
            host.forbidden = {2}

    host.before = close_later
    reader = open_reader(host, max_in_flight=1)
    rows = read_all(reader)
    assert reader.failed_project_ids == [2]
    assert reader.keys_listed("stories", 2) is None
    assert {row["project_id"] for row in rows["activity"]} == {1}


def test_a_token_that_expires_during_a_run_ends_it(open_reader):
    host = WorkspaceHost(1)

    def answer(request):
        if request.path.endswith("/labels"):
            return Reply(403, error_body("invalid_authentication"))
        return host(request)

    reader = open_reader(answer)
    with pytest.raises(InvalidAuthentication):
        read_all(reader)


@pytest.mark.parametrize(
    "absent", ["accounts", "memberships", "notifications", "story_transitions", "releases"]
)
def test_a_list_that_the_host_does_not_have_is_noted_once(open_reader, absent):
    host = WorkspaceHost(1, 2, 3)
    host.absent = {absent}
    reader = open_reader(host)
    rows = read_all(reader)
    assert [sentence.partition(":")[0] for sentence in reader.skipped] == [absent]
    assert "this host has no /" in reader.skipped[0]
    assert reader.failed_project_ids == []
    assert counts(rows)[absent] == 0
    assert reader.keys_listed(absent, 1) is None
    assert counts(rows)["stories"] == 21


def test_history_and_cycle_times_are_read_if_requested(open_reader):
    host = WorkspaceHost(1, 2)
    for project_id in (1, 2):
        host.lists[f"/projects/{project_id}/history/days"] = {
            "kind": "daily_history_container",
            "header": ["date", "points_accepted"],
            "data": [["2025-01-01", 2.0], ["2025-01-02", 3.5]],
        }
        for number in (1, 2, 3):
            path = f"/projects/{project_id}/iterations/{number}/analytics/cycle_time_details"
            host.lists[path] = [{"story_id": project_id * 1000 + number, "started_count": 1}]
    options = ApiOptions(history_days=True, cycle_time_details=True)
    rows = read_all(open_reader(host, options=options))
    assert [(row["project_id"], str(row["date"])) for row in rows["history_days"]] == [
        (1, "2025-01-01"),
        (1, "2025-01-02"),
        (2, "2025-01-01"),
        (2, "2025-01-02"),
    ]
    # Only iterations that have started are read; the current one is the third.
    assert [
        (row["project_id"], row["iteration_number"], row["story_id"])
        for row in rows["cycle_time_details"]
    ] == [(p, n, p * 1000 + n) for p in (1, 2) for n in (1, 2, 3)]


def test_refused_optional_tables_do_not_skip_the_project(open_reader):
    host = WorkspaceHost(1)

    def answer(request):
        if request.path.endswith("/history/days"):
            return Reply(403, error_body("unauthorized_operation"))
        return host(request)

    reader = open_reader(answer, options=ApiOptions(history_days=True))
    assert counts(read_all(reader))["history_days"] == 0
    assert reader.failed_project_ids == []
    assert reader.skipped[0].startswith("history_days of Project 1: GET /projects/1/history/days")


# Lists that change while they are read ----------------------------------------------------------


def change_before_page(host, when_offset, change, path="/projects/1/stories"):
    """Change the workspace once, just before the page at an offset is returned."""
    done = []

    def before(request):
        is_the_page = request.path.endswith(path) and request.query.get("fields") != "id"
        if is_the_page and int(request.query.get("offset", 0)) >= when_offset and not done:
            done.append(True)
            change(host.lists[path])
            host.versions[1] += 1

    host.before = before


def host_of_short_pages():
    host = WorkspaceHost(1)
    host.max_limit = 10
    host.lists["/projects/1/stories"] = [story(number) for number in range(60)]
    return host


def delete_first(stories):
    del stories[0]


def add_at_the_top(stories):
    stories.insert(0, story(999))


def move_first_to_the_end(stories):
    stories.append({**stories.pop(0), "updated_at": "2025-02-02T00:00:00Z"})


def move_last_to_the_top(stories):
    stories.insert(0, {**stories.pop(), "updated_at": "2025-02-02T00:00:00Z"})


def delete_many(stories):
    del stories[3:9]


CHANGES = {
    "a story above is deleted": delete_first,
    "a story is added above": add_at_the_top,
    "a story moves from the top to the end": move_first_to_the_end,
    "a story moves from the end to the top": move_last_to_the_top,
    "many stories are deleted": delete_many,
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("when_offset", "max_in_flight"), [(10, 8), (30, 1), (50, 8)])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_no_story_is_lost_when_a_page_shifts(open_reader, change, when_offset, max_in_flight):
    host = host_of_short_pages()
    change_before_page(host, when_offset, change)
    reader = open_reader(host, max_in_flight=max_in_flight)
    read = {row["id"] for row in read_all(reader)["stories"]}
    now = {each["id"] for each in host.lists["/projects/1/stories"]}
    assert now <= read  # a story may have been read before it was deleted
    assert reader.keys_listed("stories", 1) == {(story_id,) for story_id in now}


def test_the_newer_of_two_copies_of_a_story_is_kept(open_reader):
    host = host_of_short_pages()
    change_before_page(host, 30, move_first_to_the_end)
    rows = read_all(open_reader(host, max_in_flight=1))["stories"]
    moved = [row for row in rows if row["id"] == 0]
    assert [str(row["updated_at"])[:10] for row in moved] == ["2025-02-02"]


def test_missing_stories_are_read_one_by_one_if_a_host_has_no_bulk_path(open_reader):
    host = host_of_short_pages()
    host.absent = {"bulk"}
    change_before_page(host, 30, delete_first)
    rows = read_all(open_reader(host, max_in_flight=1))["stories"]
    assert {row["id"] for row in rows} == set(range(60))


def test_the_stories_of_an_unchanged_project_are_listed_once(open_reader):
    host = host_of_short_pages()
    read_all(open_reader(host))
    pages = [path for path in open_reader.server.paths if path.endswith("/stories")]
    assert len(pages) == 7  # six full pages and an empty one


def test_stories_of_a_constantly_changing_project_are_read_but_none_removed(open_reader):
    host = host_of_short_pages()

    def always(request):
        host.versions[1] += 1

    host.before = always
    reader = open_reader(host)
    assert len(read_all(reader)["stories"]) == 60
    assert reader.keys_listed("stories", 1) is None


def test_no_activity_is_lost_or_repeated_if_new_ones_arrive_while_reading(open_reader):
    host = WorkspaceHost(1)
    host.max_limit = 10
    host.lists["/projects/1/activity"] = [activity(version) for version in range(100, 0, -1)]
    arriving = iter(range(101, 105))

    def before(request):
        if request.path.endswith("/1/activity") and int(request.query["offset"]) % 20 == 10:
            version = next(arriving, None)
            if version:
                host.lists["/projects/1/activity"].insert(0, activity(version))

    host.before = before
    rows = read_all(open_reader(host))["activity"]
    assert set(range(1, 101)) <= {row["project_version"] for row in rows}


def test_transitions_that_shift_while_reading_are_not_lost(open_reader):
    host = WorkspaceHost(1)
    host.max_limit = 10
    path = "/projects/1/story_transitions"
    host.lists[path] = [
        {"story_id": n, "project_version": n, "state": "started"} for n in range(60)
    ]
    change_before_page(host, 30, delete_many, path)  # as for a deleted story, whose rows disappear
    rows = read_all(open_reader(host, max_in_flight=1))["story_transitions"]
    assert {row["story_id"] for row in rows} == set(range(60))


# Other hosts ------------------------------------------------------------------------------------


def test_a_host_with_titles_and_pages_of_50_works(open_reader):
    host = WorkspaceHost(1)
    host.max_limit = 50
    host.lists["/projects/1/stories"] = [
        {"id": number, "title": f"Story {number}"} for number in range(120)
    ]
    reader = open_reader(host)
    rows = read_all(reader)["stories"]
    assert [(row["id"], row["name"]) for row in rows] == [(n, f"Story {n}") for n in range(120)]
    assert {row["project_id"] for row in rows} == {1}
    assert reader.drift.undeclared == {}


def test_a_host_without_headers_and_versions_works(open_reader):
    host = WorkspaceHost(1)
    stories = ListHost(120, limit=50, form="nowhere")

    def answer(request):
        return stories(request) if request.path.endswith("/stories") else host(request)

    assert counts(read_all(open_reader(answer)))["stories"] == 120


def test_fewer_fields_are_requested_if_a_host_refuses_one(open_reader):
    host = WorkspaceHost(1, 2)

    def answer(request):
        if "pull_requests" in request.query.get("fields", ""):
            return Reply(400, error_body("invalid_parameter", general_problem="pull_requests?"))
        return host(request)

    reader = open_reader(answer)
    assert counts(read_all(reader))["stories"] == 14
    assert reader.skipped == [
        "stories: the host rejected some fields; fewer were requested "
        "(fields=:default,comments(:default,file_attachments,google_attachments),tasks(:default),"
        "owners(:default),reviews(:default),blockers(:default),transitions(:default),"
        "labels(:default))"
    ]


def test_only_a_record_without_its_key_is_refused(open_reader):
    host = WorkspaceHost(1)
    host.lists["/projects/1/labels"] = [{"name": "no id"}, {"id": "12", "name": "l"}, {"id": 5.5}]
    reader = open_reader(host)
    rows = read_all(reader)
    assert [row["id"] for row in rows["labels"]] == [12]
    assert [
        (each.request, each.record, each.table, each.column, each.value, each.reason)
        for each in reader.drift.rejections
    ] == [
        ("GET /projects/1/labels", 1, "labels", "id", None, "a record without its key"),
        ("GET /projects/1/labels", 3, "labels", "id", "5.5", "no usable key"),
    ]
    assert reader.keys_listed("labels", 1) is None  # so no stored row is removed
    assert reader.failed_project_ids == []


# Using the reader -------------------------------------------------------------------------------


def test_abandoning_a_table_does_not_affect_the_next(open_reader):
    host = host_of_short_pages()
    reader = open_reader(host)
    next(reader.read("stories"))
    assert sum(table.num_rows for table in reader.read("activity")) == 10


def test_two_tables_cannot_be_read_at_once(open_reader):
    reader = open_reader(WorkspaceHost(1, 2))
    labels = reader.read("labels")
    next(labels)
    next(reader.read("stories"))
    with pytest.raises(RuntimeError, match="stories was started while labels was read"):
        list(labels)


def test_a_json_host_that_is_not_tracker_is_reported_in_one_line(open_reader):
    reader = open_reader(lambda request: Reply(200, {"hello": "world"}))
    with pytest.raises(
        UnexpectedAnswer, match=r"^GET /projects: an object instead of a list: .*base_url"
    ):
        list(reader.read("projects"))


def test_progress_adds_up_to_requests_and_records(serve, connect):
    seen = []
    server = serve(WorkspaceHost(1, 2))
    reader = ApiReader(
        connect(server.base_url),
        progress=lambda table, project, requests=0, records=0: seen.append(
            (table, project, requests, records)
        ),
    )
    rows = read_all(reader)
    assert sum(records for *_, records in seen) == sum(counts(rows).values())
    assert sum(requests for _, _, requests, _ in seen) == len(server.requests)
    assert reader.requests_count == len(server.requests)
    assert {project for _, project, *_ in seen} == {"workspace", "Project 1", "Project 2"}


def test_projects_are_read_in_parallel_within_the_bound(serve, connect):
    host = WorkspaceHost(*range(1, 13))

    def answer(request):
        reply = host(request)
        return Reply(reply.status, reply.body, reply.headers, seconds=0.01)

    server = serve(answer)
    read_all(ApiReader(connect(server.base_url, max_in_flight=6)))
    assert server.most_in_flight == 6
    assert server.connections <= 6
