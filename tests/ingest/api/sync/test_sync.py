"""A sync reads each kind of change correctly, with the expected number of requests."""

import re
from dataclasses import replace
from urllib.parse import urlencode

import orjson
import pytest

from ingest.api.intake import Intake
from ingest.api.sync.activity_log import ProjectLog, read_project_log
from ingest.api.sync.changes import Changes
from ingest.records import Drift
from ingest.warehouses.stored import Stored
from simulator import ServerOptions, Workspace, serve
from tests.ingest.api.quick_warehouse import QuickWarehouse, differences
from tests.ingest.api.workspace_host import WorkspaceHost, activity

JSON = {"Content-Type": "application/json"}
BEGIN = "2025-01-06T09:00:00Z"


class Scene:
    """A small workspace with a bit of everything, ten weeks old, that was already loaded once."""

    def __init__(self, path, first_load, options=None):
        ws = self.workspace = Workspace(BEGIN)
        self.ada, self.bob = ws.add_person("Ada Obi"), ws.add_person("Bob Lee")
        self.shop = ws.create_project("Shop", time_zone="Europe/Berlin")
        self.store = ws.create_project("Store", time_zone="America/New_York")
        self.quiet = ws.create_project("Quiet")
        for project in (self.shop, self.store):
            ws.add_member(project.id, self.bob.id)
        self.epic = ws.create_epic(self.shop.id, "Payments", label="pay")
        self.done = [self.accepted(week) for week in range(1, 9)]
        self.backlog = [
            ws.create_story(
                self.shop.id,
                f"Later {n}",
                current_state="unstarted",
                estimate=n % 4,
                labels=["pay"] if n % 2 else ["red", "blue"],
                owner_ids=[self.ada.id, self.bob.id],
            )
            for n in range(12)
        ]
        self.icebox = [ws.create_story(self.shop.id, f"Some day {n}") for n in range(4)]
        self.release = ws.create_story(
            self.shop.id, "1.0", "release", current_state="unstarted", deadline="2025-06-01T00:00Z"
        )
        self.other = ws.create_story(
            self.store.id, "Elsewhere", current_state="started", estimate=1
        )
        self.lonely = ws.create_story(self.quiet.id, "Alone", "chore", current_state="unstarted")
        self.story = self.backlog[0]
        self.comment = ws.add_comment(self.story.id, "one")
        self.task = ws.add_task(self.story.id, "first")
        ws.add_task(self.story.id, "second")
        self.blocker = ws.add_blocker(self.story.id, f"#{self.other.id}")
        self.review = ws.add_review(self.story.id, self.shop.review_types[0].id, self.bob.id)
        ws.advance_to("2025-03-12T10:00:00Z")
        self.versions = {project.id: project.version for project in ws.projects.values()}
        self.server = serve(ws, options=options)
        self.first_load = first_load
        # The workspace is always the same, so the first load is shared.
        if not first_load.exists():
            with serve(ws) as tracker:  # without the deviations of the test's host
                QuickWarehouse(first_load).sync(tracker)
        self.warehouse = QuickWarehouse(path, copied_from=first_load)

    def accepted(self, week):
        day = 6 + 7 * (week - 1)
        month, day = (1, day) if day <= 31 else (2, day - 31) if day <= 59 else (3, day - 59)
        ws = self.workspace
        story = ws.create_story(
            self.shop.id,
            f"Done {week}",
            current_state="unstarted",
            estimate=week % 4,
            labels=["red"],
            at=f"2025-{month:02d}-{day:02d}T10:00:00Z",
        )
        for hour, state in enumerate(("started", "finished", "delivered", "accepted"), 11):
            ws.change_state(story.id, state, at=f"2025-{month:02d}-{day:02d}T{hour}:00:00Z")
        return story

    def label(self, name, project=None):
        return (project or self.shop).label_ids_by_name[name]

    def loaded_version(self, project):
        return self.versions[project.id]

    def call_before_requests(self, hook):
        """Call `hook` before each request; it may change the request or return the response."""
        self.server.options = replace(self.server.options, before_request=hook)

    def run_before_requests(self, path, commands):
        """Run the next command before each request whose path contains `path`."""

        def hook(request):
            if path in request.path and commands:
                commands.pop(0)()

        self.call_before_requests(hook)

    def forbid(self, path):
        body = orjson.dumps({"kind": "error", "code": "unauthorized_operation", "error": "no"})
        self.call_before_requests(
            lambda request: (403, JSON, body) if request.path == path else None
        )

    def rewrite_responses(self, path, change, without_header=""):
        """Let `change` modify the bodies of the responses to a path."""

        def hook(request):
            if not re.fullmatch(path, request.path):
                return None
            target = f"/services/v5{request.path}?{urlencode(request.query)}"
            with self.workspace.lock:
                status, headers, body = self.server._looked_up(request, target, True)
            headers = {name: each for name, each in headers.items() if name != without_header}
            return status, headers, orjson.dumps(change(orjson.loads(body)))

        self.call_before_requests(hook)

    def restore(self):
        self.call_before_requests(None)

    def reject(self, is_rejected):
        body = orjson.dumps({"kind": "error", "code": "invalid_parameter", "error": "no"})
        self.call_before_requests(
            lambda request: (400, JSON, body) if is_rejected(request) else None
        )

    def disable_since_version(self, how):
        if how == "refused":
            self.reject(lambda request: "since_version" in request.query)
        else:
            self.call_before_requests(
                lambda request: request.query.pop("since_version", None) and None
            )

    def reject_nested_labels(self):
        self.reject(lambda request: "labels(" in request.query.get("fields", "")[:20])

    def sync_with_caps(self, caps):
        """Sync while the host reduces its page limit with each list."""

        def hook(request):
            if "limit" in request.query:
                cap = next(caps, self.server.options.page_cap)
                self.server.options = replace(self.server.options, page_cap=cap)

        self.call_before_requests(hook)
        return self.sync()

    def sync(self, **options):
        return self.warehouse.sync(self.server, **options)

    def differences(self, **options):
        return differences(self.warehouse, self.server, **options)


@pytest.fixture(scope="session")
def first_load(tmp_path_factory):
    return tmp_path_factory.mktemp("sync") / "first.duckdb"


@pytest.fixture
def scene(tmp_path, first_load):
    scenes = []

    def start(**options):
        path = tmp_path / f"{len(scenes)}.duckdb"
        scenes.append(Scene(path, first_load, ServerOptions(**options)))
        return scenes[-1]

    yield start
    for each in scenes:
        each.server.close()


KINDS = {
    "story created": lambda s, ws: ws.create_story(s.shop.id, "New", estimate=2, labels=["new"]),
    "story created and accepted": lambda s, ws: ws.create_story(
        s.shop.id, "New", "chore", current_state="accepted"
    ),
    "import before the first iteration": lambda s, ws: ws.create_story(
        s.shop.id, "Old", "chore", current_state="accepted", accepted_at="2024-12-20T09:00:00Z"
    ),
    "story moved to another project": lambda s, ws: ws.move_to_project(s.story.id, s.store.id),
    "accepted story moved to another project": lambda s, ws: ws.move_to_project(
        s.done[2].id, s.store.id
    ),
    "story moved there and back": lambda s, ws: (
        ws.move_to_project(s.story.id, s.store.id),
        ws.change_state(s.story.id, "finished"),
        ws.move_to_project(s.story.id, s.shop.id),
    ),
    "story finished, then moved to a new project": lambda s, ws: (
        ws.change_state(s.story.id, "finished"),
        ws.move_to_project(s.story.id, ws.create_project("Fresh").id),
    ),
    "story moved, then deleted there": lambda s, ws: (
        ws.move_to_project(s.story.id, s.store.id),
        ws.delete_story(s.story.id),
    ),
    "label deleted": lambda s, ws: ws.delete_label(s.shop.id, s.label("red")),
    "label renamed": lambda s, ws: ws.rename_label(s.shop.id, s.label("red"), "crimson"),
    "epic's label renamed": lambda s, ws: ws.rename_label(s.shop.id, s.label("pay"), "payment"),
    "label merged": lambda s, ws: ws.merge_label(s.shop.id, s.label("red"), s.label("blue")),
    "label created": lambda s, ws: ws.create_label(s.shop.id, "unused"),
    "label added": lambda s, ws: ws.add_label(s.done[1].id, "pay"),
    "release relabelled": lambda s, ws: ws.add_label(s.release.id, "red"),
    "release renamed": lambda s, ws: ws.update_story(s.release.id, name="1.1"),
    "release accepted": lambda s, ws: ws.change_state(s.release.id, "accepted"),
    "release deleted": lambda s, ws: ws.delete_story(s.release.id),
    "story un-accepted": lambda s, ws: ws.change_state(s.done[3].id, "rejected"),
    "first acceptance undone": lambda s, ws: ws.change_state(s.done[0].id, "unstarted"),
    "old accepted story re-estimated": lambda s, ws: ws.estimate_story(s.done[1].id, 0),
    "old accepted story made a bug": lambda s, ws: ws.update_story(s.done[1].id, story_type="bug"),
    "old accepted story deleted": lambda s, ws: ws.delete_story(s.done[4].id),
    "story started": lambda s, ws: ws.change_state(s.backlog[7].id, "started"),
    "story dragged": lambda s, ws: ws.move_story(s.backlog[7].id, index=0),
    "story dragged to the icebox": lambda s, ws: ws.move_story(s.backlog[7].id, panel="icebox"),
    "comment added": lambda s, ws: ws.add_comment(s.done[0].id, "two", by=s.bob.id),
    "comment edited": lambda s, ws: ws.edit_comment(s.story.id, s.comment.id, "changed"),
    "comment deleted": lambda s, ws: ws.delete_comment(s.story.id, s.comment.id),
    "owner removed": lambda s, ws: ws.remove_owner(s.story.id, s.ada.id),
    "task completed": lambda s, ws: ws.complete_task(s.story.id, s.task.id),
    "task deleted": lambda s, ws: ws.delete_task(s.story.id, s.task.id),
    "blocker resolved": lambda s, ws: ws.resolve_blocker(s.story.id, s.blocker.id),
    "review passed": lambda s, ws: ws.update_review(s.story.id, s.review.id, status="pass"),
    "one story deleted": lambda s, ws: ws.delete_story(s.story.id),
    "many stories deleted": lambda s, ws: ws.delete_stories([each.id for each in s.backlog[:6]]),
    "story created and deleted": lambda s, ws: ws.delete_story(
        ws.create_story(s.shop.id, "Gone", current_state="started", estimate=1).id
    ),
    "iteration overridden": lambda s, ws: ws.set_iteration_override(s.shop.id, 3, length=2),
    "iteration's strength changed": lambda s, ws: ws.set_iteration_override(
        s.shop.id, 9, team_strength=0.5
    ),
    "velocity averaged over more": lambda s, ws: ws.update_project(
        s.shop.id, velocity_averaged_over=4
    ),
    "week start changed": lambda s, ws: ws.update_project(s.shop.id, week_start_day="Wednesday"),
    "project renamed": lambda s, ws: ws.update_project(s.shop.id, name="Shop 2"),
    "epic created": lambda s, ws: ws.create_epic(s.store.id, "Returns"),
    "epic renamed": lambda s, ws: ws.update_epic(s.epic.id, name="Paying"),
    "epic commented": lambda s, ws: ws.add_epic_comment(s.epic.id, "why"),
    "epic deleted": lambda s, ws: ws.delete_epic(s.epic.id),
    "member joined": lambda s, ws: ws.add_member(s.quiet.id, s.bob.id),
    "member inactive": lambda s, ws: ws.change_role(s.shop.id, s.bob.id, "inactive"),
    "an iteration ended": lambda s, ws: ws.advance_to("2025-03-18T10:00:00Z"),
    "three iterations ended": lambda s, ws: ws.advance_to("2025-04-03T10:00:00Z"),
    "a change and an iteration's end": lambda s, ws: ws.change_state(
        s.backlog[2].id, "started", at="2025-03-19T10:00:00Z"
    ),
    "project created": lambda s, ws: ws.create_story(ws.create_project("Fresh").id, "First"),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("change", KINDS.values(), ids=KINDS.keys())
def test_a_sync_loads_each_kind_of_change(scene, change):
    s = scene()
    change(s, s.workspace)
    reader = s.sync()
    assert s.differences() == {}
    assert reader.loaded.keys() > {"extracts"}
    assert reader.extract_mode == "incremental"
    assert (reader.skipped, reader.failed_project_ids) == ([], [])


@pytest.mark.parametrize("projects", [3, 25])
def test_without_changes_a_sync_makes_four_requests_and_loads_one_row(scene, projects):
    s = scene()
    for number in range(projects - 3):
        s.workspace.create_story(s.workspace.create_project(f"P{number}").id, "Only")
    s.sync()
    again = s.sync()
    assert sorted(again.requested_paths) == ["/accounts", "/me", "/my/notifications", "/projects"]
    assert again.loaded == {"extracts": 1}
    assert again.notes == [f"projects: {projects} unchanged"]
    assert again.project_ids == list(s.workspace.projects)


def test_a_comment_costs_two_more_requests(scene):
    s = scene()
    s.workspace.edit_comment(s.story.id, s.comment.id, "changed")
    requested_paths = s.sync().requested_paths
    assert len(requested_paths) == 6
    assert {"/my/activity", f"/projects/{s.shop.id}/stories/bulk"} < set(requested_paths)


def test_changes_in_all_projects_share_requests(scene):
    s = scene()
    for project in s.workspace.projects.values():
        s.workspace.create_story(project.id, "More", current_state="unstarted", labels=["x"])
    reader = s.sync()
    assert s.differences() == {}
    # Four for every sync, the log, labels and epics once each, stories and iterations per project,
    # and releases of the only project that has any.
    assert len(reader.requested_paths) == 4 + 2 + 3 * 2 + 1


def test_changes_during_a_sync_are_read_by_the_next(scene):
    s = scene()
    ws = s.workspace
    commands = [
        lambda: ws.change_state(s.backlog[3].id, "started"),
        lambda: ws.delete_story(s.backlog[4].id),
        lambda: ws.move_to_project(s.backlog[5].id, s.store.id),
        lambda: ws.create_story(s.shop.id, "Hello", labels=["new"]),
        lambda: ws.rename_label(s.shop.id, s.label("blue"), "navy"),
        lambda: ws.delete_stories([each.id for each in s.icebox]),
    ]
    ws.change_state(s.backlog[2].id, "started")
    s.run_before_requests("/", commands)
    s.sync()
    assert commands == []
    s.sync()
    assert s.differences() == {}


# ---------------------------------------------------------------------- unselected projects


def test_a_story_that_moves_to_an_unselected_project_is_removed(scene, tmp_path):
    s = scene()
    selected = {"project_ids": [s.shop.id, s.quiet.id]}
    s.warehouse = QuickWarehouse(tmp_path / "some.duckdb")
    s.sync(**selected)
    s.workspace.change_state(s.story.id, "started")
    s.workspace.change_state(s.story.id, "finished")
    s.workspace.move_to_project(s.story.id, s.store.id)
    s.workspace.move_to_project(s.other.id, s.shop.id)
    reader = s.sync(**selected)
    assert reader.extract_mode == "incremental"
    assert (s.story.id,) not in s.warehouse.rows("stories")
    assert s.differences(**selected) == {}


def test_a_full_read_also_removes_a_moved_story(scene, tmp_path):
    s = scene()
    selected = {"project_ids": [s.shop.id, s.quiet.id]}
    s.warehouse = QuickWarehouse(tmp_path / "some.duckdb")
    s.sync(**selected)
    s.workspace.move_to_project(s.story.id, s.store.id)
    assert s.sync(**selected, is_full=True).extract_mode == "full"
    assert s.differences(**selected) == {}


def test_a_project_that_was_not_read_before_is_read_in_full(scene, tmp_path):
    s = scene()
    s.warehouse = QuickWarehouse(tmp_path / "some.duckdb")
    s.sync(project_ids=[s.shop.id])
    s.workspace.move_to_project(s.story.id, s.store.id)
    reader = s.sync()
    assert s.differences() == {}
    assert reader.notes == [
        "projects: 1 changed, 2 read completely",
        f"project {s.store.id} (Store) read completely: it is new",
        f"project {s.quiet.id} (Quiet) read completely: it is new",
    ]


# ---------------------------------------------------------------------- deletions and listings


def vanish(workspace, story):
    """Remove a story without an activity, as if the activity had expired."""
    project = workspace.projects[story.project_id]
    (project.active if story.id in project.active else project.icebox).remove(story.id)
    workspace.revision += 1
    workspace.deleted_stories[story.id] = workspace.stories.pop(story.id)
    return story


def listing_evidence(warehouse):
    rows = warehouse.rows("stories").values()
    return {
        row["id"]: (row["delete_evidence"], row["deleted_at"].isoformat())
        for row in rows
        if row["is_deleted"]
    }


def test_a_full_read_detects_stories_that_vanished_and_returned(scene):
    s = scene()
    story = vanish(s.workspace, s.icebox[2])
    s.workspace.delete_story(s.backlog[1].id)
    s.workspace.move_to_project(s.backlog[2].id, s.store.id)
    s.sync(is_full=True)
    stored = s.warehouse.rows("stories")
    assert listing_evidence(s.warehouse) == {story.id: ("listing", "2025-03-12T10:00:00+00:00")}
    assert stored[(story.id,)]["name"] == story.name
    assert stored[(s.backlog[1].id,)]["is_deleted"] is None  # according to an activity
    assert stored[(s.backlog[2].id,)]["project_id"] == s.store.id
    s.workspace.advance_to("2025-03-14T10:00:00Z")
    s.sync(is_full=True)
    assert listing_evidence(s.warehouse) == {story.id: ("listing", "2025-03-12T10:00:00+00:00")}
    s.workspace.stories[story.id] = s.workspace.deleted_stories.pop(story.id)
    s.shop.icebox.append(story.id)
    s.workspace.revision += 1
    s.sync(is_full=True)
    assert listing_evidence(s.warehouse) == {}
    assert s.differences() == {}


def test_a_changed_story_that_is_not_listed_is_deleted(scene):
    s = scene()
    s.workspace.add_comment(s.icebox[2].id, "bye")
    story = vanish(s.workspace, s.icebox[2])
    s.sync()
    assert listing_evidence(s.warehouse) == {story.id: ("listing", "2025-03-12T10:00:00+00:00")}


# ---------------------------------------------------------------------- where a sync continues


def test_after_an_incomplete_load_everything_is_read(scene):
    s = scene()
    s.workspace.change_state(s.backlog[3].id, "started")
    s.warehouse.execute("delete from pivotal_tracker_data._dlt_loads")
    reader = s.sync()
    assert reader.extract_mode == "full"
    assert s.differences() == {}


def test_a_project_missing_in_the_last_extract_is_read_in_full(scene):
    s = scene()
    ids = f"[{s.store.id},{s.quiet.id}]"
    s.warehouse.execute(f"update pivotal_tracker_data.extracts set project_ids = '{ids}'")
    reader = s.sync()
    assert reader.notes == [
        "projects: 2 unchanged, 1 read completely",
        f"project {s.shop.id} (Shop) read completely: "
        "the last run did not read all of it from this source",
    ]
    assert s.differences() == {}


@pytest.mark.parametrize(
    "statement",
    [
        "update pivotal_tracker_data.extracts set source_name = 'https://elsewhere.test'",
        "update pivotal_tracker_data.projects set version = version + 1000",
        "alter table pivotal_tracker_data.epics drop column completed_at",
    ],
    ids=["from another host", "version went back", "column of a newer release"],
)
def test_a_warehouse_that_cannot_be_continued_is_read_in_full(scene, statement):
    s = scene()
    s.warehouse.execute(statement)
    stored_columns = "completed_at" not in statement
    if stored_columns:
        assert s.sync().extract_mode == "full"
        assert s.differences() == {}
    else:
        with Stored(s.warehouse.path, "api", "the host") as stored:
            assert stored.projects == {}
            assert "epics" not in stored.complete_tables


def test_a_project_that_became_forbidden_is_read_in_full_next_time(scene):
    s = scene()
    s.workspace.change_state(s.backlog[3].id, "started")
    s.forbid(f"/projects/{s.shop.id}/iterations")
    reader = s.sync()
    assert reader.failed_project_ids == [s.shop.id]
    s.restore()
    reader = s.sync()
    assert (reader.failed_project_ids, reader.extract_mode) == ([], "incremental")
    assert s.differences() == {}
    assert s.sync().notes == ["projects: 3 unchanged"]


def test_a_project_restored_from_a_backup_equals_the_hosts_state(scene):
    """After a restore, later versions are lost and their numbers are used again."""
    s = scene()
    stored = s.shop.version
    started_at = s.workspace.now
    lost = s.workspace.create_story(s.shop.id, "Lost", labels=["new"])
    s.workspace.change_state(s.backlog[3].id, "started", at=started_at + 3600)
    s.workspace.delete_story(s.backlog[4].id)
    s.sync()
    newer, newer_version = s.warehouse.rows("activity"), s.shop.version
    s.server.close()
    backup = Scene(s.warehouse.path.with_name("backup.duckdb"), s.first_load)
    backup.warehouse = s.warehouse
    assert backup.shop.version == stored
    reader = backup.sync()
    went_back = f"its version went back from {newer_version} to {stored}"
    assert reader.notes[-1] == f"project {s.shop.id} (Shop) read completely: {went_back}"
    assert len(backup.warehouse.rows("activity")) == len(newer) - (newer_version - stored)
    assert set(listing_evidence(backup.warehouse)) == {lost.id}
    assert {name: set(each) for name, each in backup.differences().items()} == {
        "stories": {(lost.id,)}  # it once existed, and is kept as deleted
    }
    backup.workspace.change_state(backup.backlog[3].id, "started")
    assert backup.sync().extract_mode == "incremental"
    assert set(backup.differences()["stories"]) == {(lost.id,)}


def test_a_project_that_is_no_longer_listed_keeps_its_rows_and_is_named(scene):
    s = scene()
    stories = s.warehouse.rows("stories")
    s.rewrite_responses(
        "/projects", lambda listed: [each for each in listed if each["id"] != s.store.id]
    )
    s.workspace.change_state(s.backlog[3].id, "started")
    for _ in range(2):
        reader = s.sync()
        assert reader.skipped == [
            f"project {s.store.id} (Store): the host no longer lists it (it was deleted, or "
            "the token has no access); its rows remain as of 2025-03-12 10:00:00 UTC"
        ]
        assert reader.notes[0].startswith("projects: ")
    assert reader.notes == ["projects: 2 unchanged"]
    stored = s.warehouse.rows("stories")
    assert stored.keys() == stories.keys()
    assert stored[(s.other.id,)] == stories[(s.other.id,)]
    s.restore()
    assert s.sync().skipped == []
    assert s.differences() == {}


# ---------------------------------------------------------------------- hosts that are not Tracker


DEVIATIONS = {
    "Tracker": {},
    "pages of three": {"page_cap": 3},
    "title": {"title_for_name": True},
    "no pagination headers": {"pagination_headers": False},
    "no totals": {"total": "null"},
    "no bulk": {"missing_paths": [r"/stories/bulk$"]},
    "several deviations at once": {
        "page_cap": 25,
        "title_for_name": True,
        "pagination_headers": False,
        "total": "null",
        "missing_paths": [r"/stories/bulk$"],
    },
    "no log of the workspace": {"missing_paths": [r"^/my/activity"]},
    "no log of projects": {"missing_paths": [r"^/projects/\d+/activity"]},
}


def many_changes(s):
    ws = s.workspace
    ws.change_state(s.backlog[3].id, "started")
    ws.estimate_story(s.done[2].id, 0)
    ws.rename_label(s.shop.id, s.label("red"), "crimson")
    ws.delete_story(s.backlog[4].id)
    ws.move_to_project(s.backlog[5].id, s.store.id)
    ws.create_story(s.shop.id, "New", labels=["new"])
    ws.edit_comment(s.story.id, s.comment.id, "changed")
    ws.change_role(s.shop.id, s.bob.id, "inactive")
    ws.delete_epic(s.epic.id)
    ws.advance_to("2025-03-18T10:00:00Z")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("options", DEVIATIONS.values(), ids=DEVIATIONS.keys())
def test_a_deviating_host_is_synced_by_its_activities(scene, options):
    s = scene(**options)
    many_changes(s)
    reader = s.sync()
    assert reader.notes[0] == "projects: 1 in a new iteration, 2 changed"
    found = s.differences()
    if options.get("missing_paths") == [r"^/my/activity"]:
        found.pop("my_activity")  # stored when the host still had it
    if options.get("missing_paths") == [r"^/projects/\d+/activity"]:
        found.pop("activity")
    assert found == {}


def test_a_page_limit_reduced_during_a_sync_leaves_no_gap(scene):
    s = scene()
    many_changes(s)
    caps = iter([50, 25, 5, 2])
    reader = s.sync_with_caps(caps)
    assert next(caps, None) is None
    assert reader.extract_mode == "incremental"
    assert s.differences() == {}


def test_a_local_clock_that_is_ahead_hides_no_changes(scene):
    s = scene(missing_paths=[r"/activity"])
    s.warehouse.execute("update pivotal_tracker_data.extracts set as_of = as_of + interval 90 day")
    many_changes(s)
    assert s.sync().notes[0].endswith("2 changed and compared with a list of ids")
    assert set(s.differences()) == {"activity", "my_activity"}


@pytest.mark.parametrize("versions", [range(95, 101), range(100, 94, -1)], ids=["up", "down"])
def test_a_log_is_read_completely_in_either_order(serve, connect, versions):
    host = WorkspaceHost(1)
    host.max_limit = 3
    host.lists["/projects/1/activity"] = [activity(version) for version in versions]
    log = ProjectLog(Changes(1, since=95), version=100)

    client = connect(serve(host).base_url)
    read_project_log(client, "/projects/1/activity", 1, log, Intake(Drift()))
    assert log.is_complete
    assert sum(rows.num_rows for rows in log.rows) == 5


@pytest.mark.parametrize("how", ["ignored", "refused"])
def test_syncs_work_without_since_version(scene, how):
    s = scene(missing_paths=[r"^/my/activity"])
    s.disable_since_version(how)
    many_changes(s)
    assert s.sync().notes[0] == "projects: 1 in a new iteration, 2 changed"
    assert set(s.differences()) == {"my_activity"}


@pytest.mark.parametrize("stated", ["by each project", "by a header only", "nowhere"])
def test_projects_listed_without_versions_are_requested_one_by_one(scene, stated):
    s = scene()
    path = "/projects" if stated == "by each project" else r"/projects(/\d+)?"
    header = "X-Tracker-Project-Version" if stated == "nowhere" else ""
    s.rewrite_responses(path, without_version, header)
    s.sync()
    reader = s.sync()
    requested_paths = {f"/projects/{each}" for each in s.workspace.projects}
    assert requested_paths < set(reader.requested_paths)
    if stated == "nowhere":
        assert reader.extract_mode == "full"
        return
    assert len(reader.requested_paths) == 4 + 3
    assert reader.notes == ["projects: 3 unchanged"]
    many_changes(s)
    assert s.sync().notes[0] == "projects: 1 in a new iteration, 2 changed"
    s.restore()
    assert s.differences() == {}


def without_version(answer):
    for project in answer if isinstance(answer, list) else [answer]:
        project.pop("version", None)
    return answer


def test_without_any_log_stories_are_compared_by_a_listing(scene):
    s = scene(missing_paths=[r"/activity"])
    many_changes(s)
    deleted_id = s.backlog[4].id
    reader = s.sync()
    assert reader.notes == [
        "projects: 1 in a new iteration, 2 changed and compared with a list of ids",
        f"project {s.shop.id} (Shop) changed and compared with a list of ids: "
        f"the activities since version {s.loaded_version(s.shop)} are incomplete",
        f"project {s.store.id} (Store) changed and compared with a list of ids: "
        f"the activities since version {s.loaded_version(s.store)} are incomplete",
    ]
    assert set(s.differences()) == {"activity", "my_activity"}
    assert listing_evidence(s.warehouse) == {deleted_id: ("listing", "2025-03-18T10:00:00+00:00")}


def test_beyond_the_retention_stories_are_compared_by_a_listing(scene):
    s = scene(activity_retention_days=10)
    many_changes(s)
    s.workspace.advance_to("2025-06-01T10:00:00Z")
    s.workspace.change_state(s.backlog[2].id, "started")
    reader = s.sync()
    assert reader.notes[0] == (
        "projects: 1 in a new iteration, 2 changed and compared with a list of ids"
    )
    found = s.differences()
    assert set(found) == {"activity", "my_activity"}
    assert all(
        read is None for each in found.values() for _, read in each.values()
    )  # only stored ones


def test_without_the_required_lists_projects_are_read_in_full(scene):
    s = scene(missing_paths=[r"/activity"])
    s.reject(lambda request: "updated_after" in request.query)
    many_changes(s)
    reader = s.sync()
    assert reader.notes[0] == "projects: 1 in a new iteration, 2 read completely"
    assert set(s.differences()) == {"activity", "my_activity"}


def test_lists_that_a_host_does_not_nest_are_requested_separately(scene):
    s = scene()
    s.reject_nested_labels()
    many_changes(s)
    reader = s.sync()
    assert s.differences() == {}
    assert f"/projects/{s.shop.id}/labels" in reader.requested_paths


def test_nested_transitions_belong_to_the_project_of_their_story(scene):
    s = scene()
    s.rewrite_responses(r"/projects/\d+/stories/bulk", with_null_projects)
    many_changes(s)
    s.sync()
    s.restore()
    assert set(s.differences()) == {"stories"}  # they keep the response's own text


def with_null_projects(stories):
    for transition in (each for story in stories for each in story["transitions"]):
        transition["project_id"] = None
    return stories


# ---------------------------------------------------------------------- options


def test_optional_tables_are_synced_as_well(scene):
    s = scene()
    options = {"history_days": True, "cycle_time_details": True, "iteration_analytics": True}
    s.sync(**options)  # not requested before
    assert s.differences(**options) == {}
    s.workspace.advance_to("2025-03-14T10:00:00Z")
    s.sync(**options)
    found = s.differences(**options)
    # Stories in predicted iterations do not change; all others were read.
    assert found == {}
    s.workspace.change_state(s.done[3].id, "rejected")
    s.workspace.estimate_story(s.done[1].id, 0)
    s.workspace.change_state(s.backlog[3].id, "started")
    s.sync(**options)
    assert s.differences(**options) == {}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_parameter"), (403, "unauthorized_operation"), (404, "route_not_found")],
)
def test_refused_cycle_times_are_kept_unchanged(scene, status, code):
    s = scene()
    options = {"cycle_time_details": True}
    s.sync(**options)
    stored = s.warehouse.rows("cycle_time_details")
    s.workspace.advance_to("2025-03-14T10:00:00Z")
    s.workspace.change_state(s.done[3].id, "rejected")
    body = orjson.dumps({"kind": "error", "code": code, "error": "no"})
    s.call_before_requests(
        lambda request: (status, JSON, body) if "cycle_time" in request.path else None
    )
    reader = s.sync(**options)
    assert "cycle_time_details" in reader.skipped[0]
    assert s.warehouse.rows("cycle_time_details") == stored != []
    s.restore()
    s.sync(**options)
    assert s.differences(**options) == {}


def test_iterations_are_read_in_short_pages_if_a_host_requires_them(scene):
    s = scene()
    s.reject(lambda request: "iterations" in request.path and int(request.query["limit"]) > 10)
    many_changes(s)
    reader = s.sync()
    assert reader.skipped == []
    assert s.differences() == {}


def test_an_activity_without_changes_leads_to_a_full_read(scene):
    s = scene()
    ws = s.workspace
    ws.update_story(s.story.id, name="Changed by an import")
    s.shop.activities[-1].kind = "model_import_activity"
    s.shop.activities[-1].changes = ()
    s.shop.activities[-1].primary = (("project", s.shop.id),)
    reader = s.sync()
    assert reader.notes == [
        "projects: 2 unchanged, 1 read completely",
        f"project {s.shop.id} (Shop) read completely: "
        "model_import_activity does not say what it changed",
    ]
    assert s.differences() == {}
