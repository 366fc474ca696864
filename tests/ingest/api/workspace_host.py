"""A tiny workspace behind a v5 API: lists by path, pages, versions, and concurrent changes."""

import threading

from tests.ingest.api.conftest import error_body
from tests.support.scripted import Reply, pagination

DATE = "Wed, 30 Apr 2025 12:34:56 GMT"
PAGED = {"stories", "releases", "iterations", "activity", "story_transitions"}


def story(story_id, project_id=1, updated_at="2025-01-01T00:00:00Z", **more):
    return {
        "kind": "story",
        "id": story_id,
        "project_id": project_id,
        "name": f"Story {story_id}",
        "updated_at": updated_at,
        **more,
    }


def activity(version, project_id=1):
    return {
        "kind": "story_update_activity",
        "guid": f"{project_id}_{version}",
        "project_version": version,
        "project": {"kind": "project", "id": project_id, "name": "P"},
        "performed_by": {"kind": "person", "id": 9, "name": "Ann", "initials": "A"},
        "changes": [],
        "occurred_at": "2025-01-01T00:00:00Z",
    }


class WorkspaceHost:
    """Responds to GET requests from `lists`, which `before` may change on each request.

    Attributes:
        lists: path -> records.
        versions: project id -> its version.
        max_limit: the maximum page size.
        forbidden: project ids that return 403.
        absent: last parts of the paths that this host does not support.
        before: called with each request, under a lock.
    """

    def __init__(self, *project_ids):
        self.versions = dict.fromkeys(project_ids, 100)
        self.lists = {
            "/me": {"kind": "me", "id": 9, "name": "Ann", "api_token": "0" * 32},
            "/accounts": [{"id": 5, "name": "Acme", "project_ids": list(project_ids)}],
            "/my/activity": [activity(100, each) for each in project_ids],
            "/my/notifications": [],
        }
        for project_id in project_ids:
            self.lists |= {
                f"/projects/{project_id}/memberships": [
                    {"id": project_id * 10 + 1, "person": {"id": 9, "name": "Ann"}}
                ],
                f"/projects/{project_id}/labels": [{"id": project_id * 10 + 2, "name": "l"}],
                f"/projects/{project_id}/epics": [
                    {"id": project_id * 10 + 3, "name": "e", "label": {"id": project_id * 10 + 2}}
                ],
                f"/projects/{project_id}/stories": [
                    story(project_id * 1000 + number, project_id) for number in range(7)
                ],
                f"/projects/{project_id}/releases": [{"id": project_id * 10 + 4, "name": "r"}],
                f"/projects/{project_id}/iterations": [
                    {"number": number, "stories": [{"id": project_id * 1000 + number}]}
                    for number in range(1, 13)
                ],
                f"/projects/{project_id}/activity": [
                    activity(version, project_id) for version in range(100, 90, -1)
                ],
                f"/projects/{project_id}/story_transitions": [
                    {"story_id": project_id * 1000, "project_version": 5, "state": "started"}
                ],
            }
        self.max_limit = 500
        self.forbidden = set()
        self.absent = set()
        self.before = lambda request: None
        self._lock = threading.Lock()

    def project(self, project_id):
        return {
            "kind": "project",
            "id": project_id,
            "name": f"Project {project_id}",
            "version": self.versions[project_id],
            "current_iteration_number": 3,
        }

    def __call__(self, request):
        with self._lock:
            self.before(request)
            return self.answer(request)

    def answer(self, request):
        path = request.path.removeprefix("/services/v5")
        parts = path.strip("/").split("/")
        project_id = int(parts[1]) if parts[0] == "projects" and len(parts) > 1 else None
        if path == "/projects":
            return Reply(200, [self.project(each) for each in self.versions], {"Date": DATE})
        if project_id in self.forbidden:
            return Reply(403, error_body("unauthorized_operation", requirement="Be a member."))
        if project_id is not None and project_id not in self.versions:
            return Reply(404, error_body("unfound_resource"))
        if parts[-1] in self.absent:
            return Reply(404, error_body("route_not_found"))
        if project_id is not None and len(parts) == 2:
            return Reply(200, self.project(project_id))
        headers = (
            {"X-Tracker-Project-Version": str(self.versions[project_id])} if project_id else {}
        )
        if path.endswith("/stories/bulk"):
            ids = {int(each) for each in request.query["ids"].split(",")}
            stories = self.lists[path.removesuffix("/bulk")]
            return Reply(200, [each for each in stories if each["id"] in ids], headers)
        if len(parts) == 4 and parts[2] == "stories":
            for each in self.lists[f"/projects/{project_id}/stories"]:
                if each["id"] == int(parts[3]):
                    return Reply(200, each, headers)
        if path not in self.lists:
            return Reply(404, error_body("unfound_resource"))
        if parts[-1] in PAGED:
            return self.page(self.lists[path], request.query, headers)
        return Reply(200, self.lists[path], headers)

    def page(self, records, query, headers):
        limit = min(int(query.get("limit", 100)), self.max_limit)
        offset = int(query.get("offset", 0))
        page = records[offset : offset + limit]
        if query.get("fields") == "id":
            page = [{"id": each["id"]} for each in page]
        stated = pagination(total=len(records), limit=limit, offset=offset, returned=len(page))
        return Reply(200, page, {**headers, **stated})
