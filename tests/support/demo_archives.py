"""Export the demo workspace as users would have saved it: a JSON dump, and Tracker's CSV exports.

Both are written from the responses of the demo's API, so they contain nothing else.
"""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import requests

from ingest.api.http.client import ClientSettings, TrackerClient
from ingest.api.reader import ApiReader

_STORY_FIELDS = (
    "id,name,description,story_type,current_state,estimate,story_priority,created_at,accepted_at,"
    "deadline,url,labels(name),owners(name),requested_by(name),comments(text,created_at,person(name)),"
    "tasks(description,complete),blockers(description,resolved),reviews(:default,reviewer(name),"
    "review_type(name))"
)
_FIXED = [
    "Id", "Title", "Labels", "Iteration", "Iteration Start", "Iteration End", "Type", "Estimate",
    "Priority", "Current State", "Created at", "Accepted at", "Deadline", "Requested By",
    "Description", "URL",
]  # fmt: skip
_REPEATED = {
    "owners": ("Owned By",),
    "blockers": ("Blocker", "Blocker Status"),
    "comments": ("Comment",),
    "tasks": ("Task", "Task Status"),
    "reviews": ("Review Type", "Reviewer", "Review Status"),
}
_PRIORITIES = {"p0": "p0 - Critical", "p1": "p1 - High", "p2": "p2 - Medium", "p3": "p3 - Low"}


def write_json_dump(server, folder, made_at=None):
    """Save every response of a full read of the API, as a backup tool would."""
    folder.mkdir(parents=True, exist_ok=True)
    answer = server.answer
    made_at = made_at or datetime.now(UTC)

    def saving_answer(method, target, headers):
        status, response_headers, body = answer(method, target, headers)
        if status == 200 and "/my/" not in target:
            file = folder / f"{len(list(folder.iterdir())):05}.json"
            path = target.removeprefix("/services/v5")
            saved = {"request": {"path": path}, "response": {"body": json.loads(body)}}
            file.write_text(json.dumps({**saved, "recorded_at": made_at.isoformat()}))
        return status, response_headers, body

    server.answer = saving_answer
    try:
        with TrackerClient(
            server.base_url, server.token, ClientSettings(max_in_flight=1)
        ) as client:
            reader = ApiReader(client)
            for name in reader.tables():
                list(reader.read(name))
    finally:
        del server.answer
    return folder


class Exporter:
    """Writes the CSV export of one project as Tracker did in 2025."""

    def __init__(self, server, project):
        self._server = server
        self.project = project
        self.zone = ZoneInfo(project["time_zone"]["olson_name"])

    def write_zip(self, folder, made_at, has_history=True):
        """Write the export zip, with or without the project history, and return its path."""
        stamp = f"{made_at.astimezone(self.zone):%Y%m%d_%H%M%S}"
        slug = self.project["name"].lower().replace(" ", "_")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{slug}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            with package.open(f"{slug}_{stamp}.csv", "w") as handle:
                handle.write(_text(self._rows()).encode())
            if has_history:
                with package.open(f"project_history_{slug}_{stamp}.csv", "w") as handle:
                    handle.write(_text(self._history()).encode())
        return path

    def _all(self, name, **parameters):
        found = []
        while True:
            answer = requests.get(
                f"{self._server.base_url}/projects/{self.project['id']}/{name}",
                params={"limit": 500, "offset": len(found), **parameters},
                headers={"X-TrackerToken": self._server.token},
                timeout=60,
            )
            page = answer.json()
            found += page
            total = answer.headers.get("X-Tracker-Pagination-Total")
            if not page or total is None or len(found) >= int(total):
                return found

    def _day(self, instant, shift=timedelta()):
        if not instant:
            return ""
        day = (datetime.fromisoformat(instant).astimezone(self.zone) - shift).date()
        return f"{day:%b} {day.day}, {day.year}"

    def _rows(self):
        stories = self._all("stories", fields=_STORY_FIELDS)
        iterations = self._all("iterations", fields="number,start,finish,story_ids,stories(id)")
        places = {story["id"]: each for each in iterations for story in each["stories"]}
        widths = {
            name: max([len(each.get(name) or ()) for each in stories], default=0)
            for name in _REPEATED
        }
        yield _FIXED + [
            column for name, group in _REPEATED.items() for column in group * widths[name]
        ]
        for epic in self._all("epics"):
            yield self._epic(epic, sum(widths[name] * len(_REPEATED[name]) for name in _REPEATED))
        for each in stories:
            yield self._story(each, places.get(each["id"]), widths)

    def _epic(self, epic, width):
        cells = {"Id": epic["id"], "Title": epic["name"], "Labels": epic["label"]["name"],
                 "Type": "epic", "Created at": self._day(epic["created_at"]), "URL": epic["url"],
                 "Description": epic.get("description", "")}  # fmt: skip
        return [cells.get(name, "") for name in _FIXED] + [""] * width

    def _story(self, story, iteration, widths):
        cells = {
            "Id": story["id"],
            "Title": story["name"],
            "Labels": ", ".join(each["name"] for each in story["labels"]),
            "Type": story["story_type"],
            "Estimate": story.get("estimate", ""),
            "Priority": _PRIORITIES.get(story.get("story_priority"), "none"),
            "Current State": story["current_state"],
            "Created at": self._day(story["created_at"]),
            "Accepted at": self._day(story.get("accepted_at")),
            "Deadline": self._day(story.get("deadline")),
            "Requested By": story["requested_by"]["name"],
            "Description": story.get("description", ""),
            "URL": story["url"],
        }
        if iteration:
            # Tracker writes the last day of an iteration, not the day after it.
            cells["Iteration"] = iteration["number"]
            cells["Iteration Start"] = self._day(iteration["start"])
            cells["Iteration End"] = self._day(iteration["finish"], timedelta(hours=12))
        out = [cells.get(name, "") for name in _FIXED]
        for name, group in _REPEATED.items():
            parts = [self._part(name, each) for each in story.get(name) or ()]
            out += [cell for part in parts for cell in part]
            out += [""] * (len(group) * (widths[name] - len(parts)))
        return [_guarded(str(each)) for each in out]

    def _part(self, name, part):
        if name == "owners":
            return [part["name"]]
        if name == "comments":
            day = self._day(part["created_at"])
            return [f"{part.get('text', '')} ({part['person']['name']} - {day})"]
        if name == "tasks":
            return [part["description"], "completed" if part["complete"] else "not completed"]
        if name == "blockers":
            return [part["description"], "resolved" if part["resolved"] else "unresolved"]
        reviewer = (part.get("reviewer") or {}).get("name", "")
        return [part["review_type"]["name"], reviewer, part["status"]]

    def _history(self):
        yield ["ID", "Type", "Message", "Performed By", "Occurred At"]
        for activity in self._all("activity"):
            primary = (activity["primary_resources"] or [{}])[0]
            yield [primary.get("id", ""), primary.get("kind", ""), activity["message"],
                   activity["performed_by"]["name"], activity["occurred_at"]]  # fmt: skip


def _guarded(cell):
    return "'" + cell if cell.lstrip("'")[:1] in set("=+-@") and cell else cell


def _text(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
