"""A v5 API on loopback that replays recorded responses of the real Tracker.

`recordings_folder()` finds the recordings; tests are skipped without them. Recorded pages of a list
are cut again for the requested limit and offset; `fields=` is ignored, as some hosts do.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.scripted import Reply, Request, ScriptedServer

PROJECT_ID = 1027488
BASE_PATH = "/services/v5"
_ROOT = Path(__file__).resolve().parents[2]
_DEFAULT_LIMITS = {"iterations": 10}


def recordings_folder():
    """The folder in `TRACKER_RECORDINGS`, else one beside the repository; None if there is none."""
    folder = Path(os.environ.get("TRACKER_RECORDINGS") or _ROOT.parent / "shared" / "recordings")
    return folder if (folder / "manifest.json").is_file() else None


def replay_server(folder, clock=None):
    """A server (a context manager) that replays project 1027488 as of May 2017.

    clock: the `Date` header of its responses; by default the recorded one.
    """
    replay = Replay(folder, clock)
    return ScriptedServer(replay.answer)


class Replay:
    """Finds the recording for a request."""

    def __init__(self, folder, clock=None):
        self._clock = clock
        self._recordings = [
            json.loads(path.read_text())
            for path in sorted(folder.glob("GET_*_200*.json"))
            if path.name.startswith(("GET_me", "GET_my.", "GET_projects"))
        ]
        # The recordings are from several days between 2016 and 2021; those of 2017 match best.
        self._recordings.sort(key=lambda each: "2017" not in (each.get("recorded_at") or ""))
        self.iterations = self._all_iterations()

    def answer(self, request: Request) -> Reply:
        path = urlsplit(request.path).path.removeprefix(BASE_PATH)
        query = {**request.query}
        query.pop("fields", None)
        if path == "/projects":
            return self._reply(self._projects())
        if path == f"/projects/{PROJECT_ID}/iterations" and "scope" not in query:
            return self._page(self.iterations, query, 10)
        if path == f"/projects/{PROJECT_ID}/stories":
            return self._page(self._complete_list(path, "300"), query, 100)
        recorded = self._find(path)
        if recorded is None:
            return not_found(path)
        body = recorded["response"]["body"]
        if "X-Tracker-Pagination-Total" in recorded["response"]["headers"]:
            return self._page(body, query, 100, recorded)
        return self._reply(body, recorded)

    def _find(self, path, query=None):
        for recording in self._recordings:
            request = recording["request"]
            fits = query is None or dict(request["query"] or {}) == query
            if urlsplit(request["path"]).path.removeprefix(BASE_PATH) == path and fits:
                return recording
        return None

    def _complete_list(self, path, limit):
        return self._find(path, {"limit": limit})["response"]["body"]

    def _projects(self):
        recorded = self._find("/projects")
        return [each for each in recorded["response"]["body"] if each["id"] == PROJECT_ID]

    def _all_iterations(self):
        by_number = {}
        for recording in reversed(self._recordings):
            if recording["request"]["path"].endswith(f"/projects/{PROJECT_ID}/iterations"):
                by_number.update({each["number"]: each for each in recording["response"]["body"]})
        return [by_number[number] for number in sorted(by_number)]

    def _page(self, records, query, default_limit, recorded=None):
        limit, offset = int(query.get("limit", default_limit)), int(query.get("offset", 0))
        page = records[offset : offset + limit]
        headers = {
            "X-Tracker-Pagination-Total": str(len(records)),
            "X-Tracker-Pagination-Limit": str(limit),
            "X-Tracker-Pagination-Offset": str(offset),
            "X-Tracker-Pagination-Returned": str(len(page)),
        }
        return self._reply(page, recorded, headers)

    def _reply(self, body, recorded=None, headers=None):
        sent_headers = {"Date": "Wed, 03 May 2017 23:29:34 GMT"}
        for name, value in (recorded or {"response": {"headers": {}}})["response"][
            "headers"
        ].items():
            if name in ("Date", "X-Tracker-Project-Version"):
                sent_headers[name] = value
        if self._clock:
            sent_headers["Date"] = self._clock
        return Reply(200, body, {**sent_headers, **(headers or {})})


def not_found(path):
    kind = "unfound_resource" if path.count("/") > 3 else "route_not_found"
    sentence = "The path you requested has no valid endpoint."
    return Reply(404, {"kind": "error", "code": kind, "error": sentence})
