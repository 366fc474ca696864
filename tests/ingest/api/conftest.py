import json
from dataclasses import dataclass, field

import pytest

from ingest.api.http.client import ClientSettings, TrackerClient
from ingest.api.http.paging import ListRequest, Pages
from tests.support.scripted import Reply, ScriptedServer, pagination

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def serve():
    """Start a scripted server for the duration of the test."""
    servers = []

    def start(answer):
        server = ScriptedServer(answer)
        server.__enter__()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def connect():
    """Open a client that does not actually wait between attempts; `slept` records the waits."""
    clients = []

    def start(base_url, token=TOKEN, **settings):
        slept = []
        given = {name: settings.pop(name) for name in ("sleep", "clock") if name in settings}
        settings = ClientSettings(**{"timeout": (5, 10), **settings})
        client = TrackerClient(base_url, token, settings, **{"sleep": slept.append, **given})
        client.slept = slept
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()


@dataclass
class ListHost:
    """A host with one paged list of numbered `records`.

    Attributes:
        limit: the maximum page size, whatever is requested.
        total: the stated total: "true", "null", or a number.
        form: where pagination is stated: "headers", "envelope" only, or "nowhere".
        ignores_offset: whether it always returns the whole list.
    """

    count: int
    limit: int = 500
    total: object = "true"
    form: str = "headers"
    ignores_offset: bool = False
    missing: frozenset = frozenset()
    requests: list = field(default_factory=list)

    def __call__(self, request):
        offset = int(request.query.get("offset", 0))
        limit = min(int(request.query.get("limit", 100)), self.limit)
        self.requests.append((offset, int(request.query.get("limit", 0))))
        if self.ignores_offset:
            offset, limit = 0, self.count
        numbers = range(self.count)[offset : offset + limit]
        page = [{"id": number} for number in numbers if number not in self.missing]
        total = {"true": self.count, "null": None}.get(self.total, self.total)
        stated = {"total": total, "limit": limit, "offset": offset, "returned": len(page)}
        if self.form == "headers":
            return Reply(200, page, pagination(**stated))
        if self.form == "envelope" and request.query.get("envelope") == "true":
            envelope = {"http_status": "200", "project_version": 7, "pagination": stated}
            return Reply(200, {**envelope, "data": page})
        return Reply(200, page)


def error_body(code, **more):
    return {"kind": "error", "code": code, "error": f"The fixed sentence of {code}.", **more}


def truncated_json(value):
    return json.dumps(value).encode()[:-3]


def pages_of(client, path, params=None, page_size=None):
    """The records of each page of a list, requested as far ahead as the client allows."""
    pages = Pages(client, ListRequest(path, params or {}, page_size))
    try:
        while True:
            while pages.outstanding < client.max_in_flight and pages.submit():
                pass
            answer = pages.take()
            if answer is None:
                return
            yield answer.data
    finally:
        pages.cancel()
