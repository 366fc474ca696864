# ruff: noqa: E501 - one behaviour per line
"""A table of misbehaving hosts: how they corrupt responses, and the expected result of a load.

Each host has two projects. Only project 101 is affected, unless a behaviour says otherwise; project
102 must load completely.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from tests.ingest.api.workspace_host import WorkspaceHost, activity, story
from tests.support.scripted import Reply, Request, pagination

TOKEN = "0123456789abcdef0123456789abcdef"
CORRUPTED, UNAFFECTED = 101, 102
STORIES = 130
MOST_REQUESTS = 400

Change = Callable[[Reply, Request], Reply]


@dataclass(frozen=True)
class Behaviour:
    """One kind of misbehaviour.

    Attributes:
        path: a pattern of the paths (below the base URL) whose responses are corrupted.
        change: corrupts a good response.
        times: how many responses are corrupted; None for all.
        fails: what is reported as failed: nothing, project 101 ("project"), a "list" of the
            workspace, or the whole "run".
        messages: parts of the messages.
        missing: the number of rows that may be missing, by table; -1 for any number. They are of
            project 101, unless a list of the workspace fails.
        rejected: (column, reason) of rows in `rejected_rows`, each a part of the actual text.
        is_late: whether the host's clock is distrusted, so that `as_of` is the local time.
    """

    path: str
    change: Change
    times: int | None = None
    fails: str = "nothing"
    messages: tuple[str, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    rejected: tuple[tuple[str, str], ...] = ()
    is_late: bool = False


class MisbehavingHost:
    """A workspace whose responses are corrupted by one behaviour until `cure` is called."""

    def __init__(self, behaviour: Behaviour | None = None):
        self.behaviour = behaviour
        self.requests_count = 0
        self.corrupted_count = 0
        self._workspace = WorkspaceHost(CORRUPTED, UNAFFECTED)
        self._workspace.max_limit = 100
        stories = [story(CORRUPTED * 1000 + number, CORRUPTED) for number in range(STORIES)]
        self._workspace.lists[f"/projects/{CORRUPTED}/stories"] = stories
        notifications = [{"id": 7, "message": "hello"}, {"id": 8, "message": "again"}]
        self._workspace.lists["/my/notifications"] = notifications

    def cure(self):
        """Stop misbehaving."""
        self.behaviour, self.requests_count = None, 0

    def __call__(self, request: Request) -> Reply:
        self.requests_count += 1
        if self.requests_count > MOST_REQUESTS:
            return Reply(
                403, {"kind": "error", "code": "unauthorized_operation", "error": "Enough"}
            )
        good = self._workspace(request)
        behaviour = self.behaviour
        path = request.path.removeprefix("/services/v5")
        if behaviour is None or not re.fullmatch(behaviour.path, path):
            return good
        if behaviour.times is not None and self.corrupted_count >= behaviour.times:
            return good
        self.corrupted_count += 1
        return behaviour.change(good, request)


# Ways to corrupt a response --------------------------------------------------------------------


def instead(status: int = 200, body: object = b"", **headers: str) -> Change:
    """Replace the response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda good, request: Reply(status, body, named)


def body(change: Callable[[bytes], bytes], **headers: str) -> Change:
    """Change the body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda good, request: replace(
        good, body=change(json.dumps(good.body).encode()), headers={**good.headers, **named}
    )


def headers(**changed: str) -> Change:
    """Change the headers."""
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return lambda good, request: replace(good, headers={**good.headers, **named})


def raw(pieces: Callable[[bytes], object]) -> Change:
    """Send raw bytes made from the good body."""
    return lambda good, request: Reply(raw=pieces(json.dumps(good.body).encode()))


def record(change: Callable[[dict], object]) -> Change:
    """Change the first record of a list, or the object."""

    def corrupt(good: Reply, request: Request) -> Reply:
        if int(request.query.get("offset", 0)) or "fields" in request.query.get("ids", ""):
            return good
        if isinstance(good.body, dict):
            return replace(good, body=change(dict(good.body)))
        first, *others = good.body or [{}]
        return replace(good, body=[change(dict(first)), *others])

    return corrupt


def value(name: str, value: object) -> Change:
    """Change the value of one field of the first record; `...` removes the field."""

    def change(first: dict) -> dict:
        return {key: each for key, each in {**first, name: value}.items() if each is not ...}

    return record(change)


def text(name: str, written: str) -> Change:
    """Write one field of the first record in a way that no JSON library would."""

    def corrupt(good: Reply, request: Request) -> Reply:
        with_placeholder = value(name, "@@@")(good, request)
        return replace(
            with_placeholder,
            body=json.dumps(with_placeholder.body).replace('"@@@"', written).encode(),
        )

    return corrupt


def paging(pages: Callable[[list, int, int], tuple[list, int | None]]) -> Change:
    """Change the paging: (all records, limit, offset) -> (page, stated total)."""

    def corrupt(good: Reply, request: Request) -> Reply:
        limit = min(int(request.query.get("limit", 100)), 100)
        offset = int(request.query.get("offset", 0))
        everything = [story(CORRUPTED * 1000 + number, CORRUPTED) for number in range(STORIES)]
        if request.query.get("fields") == "id":
            everything = [{"id": each["id"]} for each in everything]
        page, total = pages(everything, limit, offset)
        stated = pagination(total=total, limit=limit, offset=offset, returned=len(page))
        return Reply(200, page, stated)

    return corrupt


def made_up(limit: int, offset: int) -> list[dict]:
    """Stories that are not in the workspace."""
    return [story(900_000_000 + offset + number, CORRUPTED) for number in range(limit)]


@cache
def _bomb(window_bits: int) -> bytes:
    """A list of 512 MB of spaces, packed as zlib does for these bits: 15 deflate, 31 gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    parts = [packer.compress(b"["), *(packer.compress(b" " * 1024 * 1024) for _ in range(512))]
    return b"".join([*parts, packer.compress(b"]"), packer.flush()])


_SLOW = 0.05
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def endless(*begin: bytes, piece: bytes = b" " * 65536, seconds: float = 0.0):
    """A response that never ends."""
    yield from begin
    for _ in itertools.repeat(None):
        yield piece
        time.sleep(seconds)


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


LISTED = {
    # a table: the path of its list, and the key of a record
    "me": ("/me", "id"),
    "accounts": ("/accounts", "id"),
    "memberships": ("/projects/101/memberships", "id"),
    "labels": ("/projects/101/labels", "id"),
    "epics": ("/projects/101/epics", "id"),
    "stories": ("/projects/101/stories", "id"),
    "releases": ("/projects/101/releases", "id"),
    "iterations": ("/projects/101/iterations", "number"),
    "activity": ("/projects/101/activity", "guid"),
    "my_activity": ("/my/activity", "guid"),
    "story_transitions": ("/projects/101/story_transitions", "story_id"),
    "notifications": ("/my/notifications", "id"),
}
ODD_KEYS = {
    "null": None,
    "absent": ...,
    "a text": "x",
    "a fraction": 5.5,
    "a boolean": True,
    "2**70": 2**70,
    "a list": [5],
    "an object": {"id": 5},
}
ODD_RECORDS = {"null": None, "a text": "x", "a number": 5, "a list": [1, [2]], "a boolean": True}
STORY_LIST = "/projects/101/stories"
ANY_OF_101 = "/projects/101/.*"
EVERYTHING = dict.fromkeys([*LISTED, "projects"], -1)
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"
ESCAPES = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \u202egnihton\r\n\b"


_IDENTITY = {"id", "number", "guid", "project_version", "story_id", "project_id"}
_NESTED = {"project", "person", "label", "performed_by", "stories"}
_MORE = ("labels", "updated_at", "created_at", "state", "name", "changes", "time_zone", "comments")
_SETTINGS = ("version", "current_iteration_number", "name", "time_zone", "point_scale")
_PLAN_SETTINGS = ("point_scale", "time_zone", "iteration_override_numbers", "start_date")
_ODD_VALUES = [["x", {"y": [None]}], "\x00\x1b", -1.5, True, {"id": "x"}, 10**30, "0000-00-00"]


def everywhere(change: Callable[[str], Change]) -> Change:
    """Corrupt the first record of each list, in a way that may depend on its key."""
    keys = dict(LISTED.values())

    def corrupt(good: Reply, request: Request) -> Reply:
        return change(keys[request.path.removeprefix("/services/v5")])(good, request)

    return corrupt


def odd_values(first: dict) -> dict:
    """Replace all values of a record except those that identify it."""
    odd = itertools.cycle(_ODD_VALUES)
    fields = {**first, **dict.fromkeys(_MORE)}
    return {
        name: each if name in _IDENTITY | _NESTED else next(odd) for name, each in fields.items()
    }


def _odd_records():
    lists = "|".join(path for path, _ in LISTED.values())
    # The activities of a project need not be repeated in those of the token's owner.
    each_one = {**dict.fromkeys(LISTED, 1), "my_activity": -1}
    for name, odd in ODD_KEYS.items():
        # A guid may be any text.
        change = everywhere(
            lambda key, odd=odd: (
                value("novelty", 1) if (key, odd) == ("guid", "x") else value(key, odd)
            )
        )
        missing = {**each_one, "activity": 0} if name == "a text" else each_one
        yield f"a key is {name}", Behaviour(lists, change, missing=missing, rejected=(("id", ""),))
    for name, odd in ODD_RECORDS.items():
        change = record(lambda _, odd=odd: odd)
        missing = {**each_one, "me": 0}
        rejected = (("", "object"),)
        yield (
            f"a record is {name}",
            Behaviour(lists.removeprefix("/me|"), change, missing=missing, rejected=rejected),
        )
    for levels in (260, 900):
        change = text("novelty", nested(levels))
        rejected = (("novelty", "nest"),)
        yield (
            f"a record nested {levels} levels",
            Behaviour(lists, change, missing=each_one, rejected=rejected),
        )
    yield "a record of odd values", Behaviour(lists, record(odd_values))
    for name, odd in {"a text": "Ann", "a list": [{"id": 9}], "a number": 5}.items():
        for table, column in {
            "memberships": "person",
            "epics": "label",
            "activity": "performed_by",
        }.items():
            yield (
                f"{column} of {table} is {name}",
                Behaviour(
                    LISTED[table][0],
                    value(column, odd),
                    missing={table: 1},
                    rejected=((column, ""),),
                ),
            )
    for name, odd in {"a text": "x", "numbers": [5], "without ids": [{"a": 1}]}.items():
        missing, rejected = {"iterations": 1}, (("stories", ""),)
        yield (
            f"stories of iterations are {name}",
            Behaviour(
                LISTED["iterations"][0], value("stories", odd), missing=missing, rejected=rejected
            ),
        )
    for name, odd in {"null": None, "a text": "x", "a list": [1]}.items():
        yield (
            f"project_version of activity is {name}",
            Behaviour(
                LISTED["activity"][0],
                value("project_version", odd),
                missing={"activity": 1},
                rejected=(("project_version", ""),),
            ),
        )
    for name, odd in {
        **ODD_KEYS,
        "markup": "[/bold][link=x]" + ESCAPES,
        "a long text": "x" * 10**6,
        "negative": -1,
        "huge": 10**12,
    }.items():
        change = record(
            lambda first, odd=odd: {
                key: each
                for key, each in {**first, **dict.fromkeys(_SETTINGS, odd)}.items()
                if each is not ...
            }
        )
        yield f"each setting of a project is {name}", Behaviour("/projects(/101)?", change)
        if name in ("null", "a text", "2**70", "a list"):
            rejected = (("id", ""),)
            yield (
                f"the id of a project is {name}",
                Behaviour("/projects", value("id", odd), missing=EVERYTHING, rejected=rejected),
            )
    for name, odd in {"a bracket": "[oops", "a list": [[1]], "a number": 10**30}.items():
        change = record(lambda first, odd=odd: {**first, **dict.fromkeys(_PLAN_SETTINGS, odd)})
        yield f"plan settings of a project are {name}", Behaviour("/projects(/101)?", change)


BODIES = {
    "a small gzip body that unpacks to 512 MB": Behaviour(
        STORY_LIST, body(lambda _: _bomb(31), Content_Encoding="gzip"), fails="project", messages=("/projects/101/stories", "MB"),
    ),
    "the same for the list of projects": Behaviour(
        "/projects", body(lambda _: _bomb(31), Content_Encoding="gzip"), fails="run", messages=("GET /projects:", "MB")
    ),
    "a deflated body that unpacks to 512 MB": Behaviour(
        STORY_LIST, body(lambda _: _bomb(15), Content_Encoding="deflate"), fails="project", messages=("MB",),
    ),
    "gzip in gzip that unpacks to 512 MB": Behaviour(
        STORY_LIST, body(lambda _: gzip.compress(_bomb(31)), Content_Encoding="gzip, gzip"), fails="project", messages=("MB",),
    ),
    "endless chunks": Behaviour(
        STORY_LIST, raw(lambda _: endless(_HEAD, b"Transfer-Encoding: chunked\r\n\r\n", chunked(b"["), piece=chunked(b" " * 65536))), fails="project", messages=("MB",),
    ),
    "an endless body without a length": Behaviour(
        STORY_LIST, raw(lambda _: endless(_HEAD, b"\r\n[")), fails="project", messages=("MB",),
    ),
    "a body that drips": Behaviour(
        STORY_LIST, raw(lambda _: endless(_HEAD, b"Content-Length: 1000000\r\n\r\n[", piece=b" ", seconds=_SLOW)), fails="project", messages=("still sending",),
    ),
    "headers that drip": Behaviour(
        STORY_LIST, raw(lambda _: endless(_HEAD, b"X-Slow: ", piece=b"x", seconds=_SLOW)), fails="project",
    ),
    "endless interim responses": Behaviour(
        STORY_LIST, raw(lambda _: endless(piece=b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0.001)), fails="project",
    ),
    "endless headers": Behaviour(
        STORY_LIST, raw(lambda _: endless(_HEAD, piece=b"X-More: 1\r\n")), fails="project",
    ),
    "a header line of a megabyte": Behaviour(
        STORY_LIST, raw(lambda _: [_HEAD, b"X-Long: " + b"x" * 1_000_000 + b"\r\n\r\n[]"]), fails="project",
    ),
    "endless empty gzip members": Behaviour(
        STORY_LIST, raw(lambda _: endless(_HEAD, b"Content-Encoding: gzip\r\n\r\n", piece=gzip.compress(b"") * 1000)), fails="project",
    ),
    "silence": Behaviour(STORY_LIST, raw(lambda _: endless(piece=b"", seconds=_SLOW)), fails="project"),
    "JSON cut short, once": Behaviour(STORY_LIST, body(lambda good: good[:-3]), times=1),
    "JSON cut short, always": Behaviour(STORY_LIST, body(lambda good: good[:-3]), fails="project", messages=("truncated or invalid JSON",)),
    "damaged JSON": Behaviour(STORY_LIST, body(lambda good: good.replace(b":", b";", 1)), fails="project"),
    "text after the JSON": Behaviour(STORY_LIST, body(lambda good: good + b"}"), fails="project"),
    "an empty body": Behaviour(STORY_LIST, instead(200), fails="project"),
    "null": Behaviour(STORY_LIST, instead(200, b"null"), fails="project"),
    "a number": Behaviour(STORY_LIST, instead(200, b"5"), fails="project"),
    "a text": Behaviour(STORY_LIST, instead(200, b'"stories"'), fails="project"),
    "an object instead of a list": Behaviour(STORY_LIST, instead(200, {"stories": []}), fails="project", messages=("an object",)),
    "an error with status 200": Behaviour("/projects/101/labels", instead(200, {"kind": "error", "code": "unauthorized_operation", "error": "No"}), fails="project", messages=("an object instead of a list unauthorized_operation",)),
    "labels by their ids": Behaviour("/projects/101/labels", lambda good, request: replace(good, body={str(each["id"]): each for each in good.body}), fails="project", messages=("an object",)),
    "no memberships but an empty object": Behaviour("/projects/101/memberships", instead(200, {}), fails="project", messages=("an object",)),
    "null for labels": Behaviour("/projects/101/labels", instead(200, b"null"), fails="project"),
    "a list for me": Behaviour("/me", instead(200, [1]), missing={"me": 1}, rejected=(("", "object"),)),
    "null for the projects": Behaviour("/projects", instead(200, b"null"), fails="run"),
    "a text for the projects": Behaviour("/projects", instead(200, b'"x"'), fails="run"),
    "an unrequested envelope": Behaviour(STORY_LIST, body(lambda good: b'{"http_status": [], "data": %s, "pagination": 5}' % good)),
    "an envelope of odd numbers": Behaviour(STORY_LIST, body(lambda good: b'{"http_status": "x", "project_version": {}, "data": %s, "pagination": {"total": "x", "limit": -1, "offset": [], "returned": 1.5}}' % good)),
    "a byte order mark": Behaviour(ANY_OF_101, body(lambda good: b"\xef\xbb\xbf" + good)),
    "UTF-16": Behaviour(ANY_OF_101, body(lambda good: good.decode().encode("utf-16"), Content_Type="application/json; charset=utf-16")),
    "undeclared UTF-16": Behaviour(ANY_OF_101, body(lambda good: good.decode().encode("utf-16"))),
    "UTF-16 without a mark": Behaviour(ANY_OF_101, body(lambda good: good.decode().encode("utf-16-le"))),
    "UTF-8 declared as UTF-16": Behaviour(ANY_OF_101, headers(Content_Type="application/json; charset=utf-16")),
    "Latin-1": Behaviour(STORY_LIST, body(lambda good: good.replace(b"Story", "St\xf6ry".encode("latin-1")), Content_Type="application/json; charset=ISO-8859-1")),
    "undeclared Latin-1": Behaviour(STORY_LIST, body(lambda good: good.replace(b"Story", "St\xf6ry".encode("latin-1"), 1))),
    "an unknown encoding": Behaviour(STORY_LIST, body(bytes, Content_Type="application/json; charset=klingon")),
    "JSON as plain text": Behaviour(ANY_OF_101, headers(Content_Type="text/plain")),
    "JSON as a web page": Behaviour(ANY_OF_101, headers(Content_Type="text/html; charset=utf-8")),
    "JSON without a type": Behaviour(ANY_OF_101, headers(Content_Type="")),
    "plain text declared as gzip": Behaviour(STORY_LIST, headers(Content_Encoding="gzip"), fails="project"),
    "an unknown content encoding": Behaviour(STORY_LIST, instead(200, b"\x00\x01", Content_Encoding="br"), fails="project"),
    "a web page, once": Behaviour(STORY_LIST, instead(200, PAGE, Content_Type="text/html"), times=1),
    "a web page, once, at first": Behaviour("/projects", instead(200, PAGE, Content_Type="text/html"), times=1),
    "a web page, always": Behaviour("/.*", instead(200, PAGE, Content_Type="text/html"), fails="run", messages=("not a Tracker API v5",)),
    "XML, once": Behaviour(STORY_LIST, instead(200, b"<?xml version='1.0'?><Error/>", Content_Type="application/xml"), times=1),
    "XML, once, at first": Behaviour("/projects", instead(200, b"<?xml version='1.0'?><Error/>", Content_Type="application/xml"), times=1),
    "2,000 levels of nesting": Behaviour(STORY_LIST, text("description", nested(2000)), missing={"stories": 1}, rejected=(("", "nest"),)),
    "100,000 levels of nesting": Behaviour(STORY_LIST, text("description", nested(100_000)), missing={"stories": 1}, rejected=(("", "nest"),)),
    "260 levels of nesting": Behaviour(STORY_LIST, text("comments", nested(260)), missing={"stories": 1}, rejected=(("", "nest"),)),
    "the whole body nested 100,000 levels": Behaviour(STORY_LIST, instead(200, nested(100_000).encode()), missing={"stories": -1}, rejected=(("", "nest"),)),
    "a lone surrogate": Behaviour(STORY_LIST, text("name", '"half \\ud83d"')),
    "a lone surrogate in a list": Behaviour(STORY_LIST, text("comments", '[{"text": "\\udc00"}]')),
    "a lone surrogate in a field name": Behaviour(STORY_LIST, text("novelty", '{"\\ud83d": 1}')),
    "NaN": Behaviour(STORY_LIST, text("estimate", "NaN")),
    "Infinity in a list": Behaviour(STORY_LIST, text("comments", '[{"size": -Infinity}]')),
    "1e400": Behaviour(STORY_LIST, text("estimate", "1e400")),
    "a number of 5,000 digits": Behaviour(STORY_LIST, text("estimate", "9" * 5000)),
    "an estimate of 2**70": Behaviour(STORY_LIST, text("estimate", str(2**70))),
    "NUL": Behaviour(STORY_LIST, text("name", '"a\\u0000b"')),
    "an invalid UTF-8 byte": Behaviour(STORY_LIST, body(lambda good: good.replace(b"Story", b"St\xff", 1))),
    "a repeated field": Behaviour(STORY_LIST, text("name", '"one", "name": "two"')),
    "a repeated story in a page": Behaviour(STORY_LIST, lambda good, request: replace(good, body=[*good.body[:1], *good.body])),
    "a repeated story, once with its id as text": Behaviour(STORY_LIST, lambda good, request: replace(good, body=[*good.body, *({**each, "id": str(each["id"])} for each in good.body[:1])])),
    "ids as text": Behaviour(STORY_LIST, lambda good, request: replace(good, body=[{**each, "id": str(each["id"])} for each in good.body])),
    "a story of the other project, outdated": Behaviour(STORY_LIST, lambda good, request: replace(good, body=[story(102000, UNAFFECTED, "2020-01-01T00:00:00Z", name="old"), *good.body]) if request.query.get("offset", "0") == "0" else good),
    "a text of 20 MB": Behaviour(STORY_LIST, value("description", "x" * 20_000_000)),
}  # fmt: skip

STATUSES = {
    "500, always": Behaviour(STORY_LIST, instead(500, {"code": "unhandled_condition"}), fails="project", messages=("500 unhandled_condition",)),
    "500 for labels, always": Behaviour("/projects/101/labels", instead(500), fails="project"),
    **{
        f"503 with Retry-After: {stated}": Behaviour(STORY_LIST, instead(503, b"", Retry_After=stated, Date="Wed, 30 Apr 2025 12:34:56 GMT"), times=1)
        for stated in ("nan", "inf", "1e400", "-5", "soon", "1" + "0" * 30, "Fri, 31 Dec 9999 23:59:59 -2359", "Wed, 30 Apr 2099 12:34:56 GMT", "999999999", "\u00b2")
    },
    "503 and a date of the year 9999": Behaviour(STORY_LIST, instead(503, b"", Retry_After="Wed, 30 Apr 2025 12:34:57 GMT", Date="Fri, 31 Dec 9999 23:59:59 -2359"), times=1),
    "429 once": Behaviour(STORY_LIST, instead(429, b"", Retry_After="0"), times=1),
    "404 with a web page": Behaviour(STORY_LIST, instead(404, PAGE, Content_Type="text/html"), fails="project"),
    "400 for stories": Behaviour(STORY_LIST, instead(400, {"code": "invalid_parameter"}), fails="project"),
    "401 for stories": Behaviour(STORY_LIST, instead(401, {}), fails="run", messages=("401",)),
    "403": Behaviour(STORY_LIST, instead(403, {"code": "unauthorized_operation"}), fails="project"),
    "418": Behaviour(STORY_LIST, instead(418, {}), fails="project", messages=("418",)),
    "418 for the labels": Behaviour("/projects/101/labels", instead(418, {}), fails="project", messages=("418",)),
    "204": Behaviour(STORY_LIST, instead(204), fails="project"),
    "206 of half the body": Behaviour(STORY_LIST, lambda good, request: Reply(206, json.dumps(good.body).encode()[:500]), fails="project"),
    "304": Behaviour(STORY_LIST, instead(304), fails="project"),
    "101": Behaviour(STORY_LIST, instead(101), fails="project"),
    "999": Behaviour(STORY_LIST, instead(999), fails="project"),
    "no status line": Behaviour(STORY_LIST, raw(lambda good: [good]), fails="project"),
    "a status that is not a number": Behaviour(STORY_LIST, raw(lambda good: [b"HTTP/1.1 good\r\n\r\n", good]), fails="project"),
    "a header without a colon": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"\x00nonsense\r\n\r\n", good])),
    "an error with values of the wrong type": Behaviour("/projects/101/labels", instead(400, {"code": ["x"], "validation_errors": 5, "general_problem": {"a": 1}}), missing={"labels": -1}),
    "an error that is a list": Behaviour("/projects/101/labels", instead(400, [1]), missing={"labels": -1}),
    "an error with escape sequences": Behaviour(STORY_LIST, instead(403, {"code": "unauthorized_operation", "general_problem": ESCAPES}), fails="project"),
    "an error that repeats the token": Behaviour(STORY_LIST, instead(403, {"code": "unauthorized_operation", "general_problem": f"{TOKEN} is \\u0030"}), fails="project", messages=("*** is",)),
    "a temporary fault with escape sequences": Behaviour(STORY_LIST, instead(500, {"code": "x", "error": ESCAPES}), times=1),
    "a reason with escape sequences": Behaviour(STORY_LIST, raw(lambda good: [b"HTTP/1.1 500 \x1b[31mred\x9b\r\n\r\n"]), fails="project"),
    **{
        f"Location: {target!r}": Behaviour(STORY_LIST, instead(302, b"", Location=target), fails="project")
        for target in ("http://[::1/", "https://evil.example/", "//evil.example/x", "file:///etc/passwd", "javascript:alert(1)", "http://127.0.0.1:99999/", "http://u:p@127.0.0.1/", "http:", "\x1b[31m", "%00", "http://\u2488.example/".encode().decode("latin-1"), "?x=1")
    },
    "a redirect to nowhere": Behaviour(STORY_LIST, instead(302), fails="project"),
    "a redirect, once": Behaviour(STORY_LIST, lambda good, request: Reply(307, b"", {"Location": request.path + "?limit=100&offset=" + request.query.get("offset", "0")}), times=1),
    "reset, once": Behaviour(ANY_OF_101, lambda good, request: Reply(reset=True), times=1),
    "reset in the body, once": Behaviour(STORY_LIST, lambda good, request: replace(good, keep=0.5), times=1),
    "reset, always": Behaviour(STORY_LIST, lambda good, request: Reply(reset=True), fails="project"),
    "a length that is too large": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"Content-Length: %d\r\n\r\n" % (len(good) + 9), good]), fails="project"),
    "a length that is too small": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"Content-Length: 50\r\n\r\n", good]), fails="project"),
    "two lengths": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n", good]), fails="project"),
    "a negative length": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"Content-Length: -5\r\n\r\n", good])),
    "a chunk without a length": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", good]), fails="project"),
    "a chunk with a negative length": Behaviour(STORY_LIST, raw(lambda good: [_HEAD, b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", good]), fails="project"),
}  # fmt: skip

_LOG = [activity(version, CORRUPTED) for version in range(100, 90, -1)]
SHORT = f"of {STORIES} stories"
PAGES = {
    "the first 100 for every offset": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (every[:limit], STORIES)), fails="project", messages=(f"100 {SHORT}",), missing={"stories": 30}),
    "new stories, with a total of those returned so far": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (made_up(limit, offset), offset + limit)), fails="project", messages=("its total grew",), missing={"stories": STORIES}),
    "a total of the first 100": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (every[offset : offset + limit], min(offset + limit, STORIES)))),
    "a total that is not a number, for every list": Behaviour("/.*", headers(**pagination(total="many"))),
    "the first 100, then nothing": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (every[:limit] if offset == 0 else [], STORIES)), fails="project", messages=(f"100 {SHORT}",), missing={"stories": 30}),
    "pages of 100 with a stated limit of 500": Behaviour(STORY_LIST, lambda good, request: replace(good, headers={**good.headers, "X-Tracker-Pagination-Limit": "500"})),
    "the same page forever, without a total": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (every[:limit], None)), fails="project", messages=("100", "stories"), missing={"stories": 30}),
    "the same page forever, without pagination": Behaviour(STORY_LIST, lambda good, request: Reply(200, [story(CORRUPTED * 1000 + number, CORRUPTED) for number in range(100)]), missing={"stories": 30}),
    "two alternating pages forever": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (every[(offset // limit % 2) * 50 :][:50], offset + 1000)), fails="project", missing={"stories": 30}),
    "the same page with a total that grows": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (every[:limit], offset + 130)), fails="project", missing={"stories": 30}),
    "new stories with a total that grows": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (made_up(limit, offset), offset + 130)), fails="project", missing={"stories": STORIES}),
    "new stories forever, without a total": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (made_up(limit, offset), None)), fails="project", messages=("10,000",), missing={"stories": STORIES}),
    "new stories and a total of a billion": Behaviour(STORY_LIST, paging(lambda every, limit, offset: (made_up(limit, offset), 10**9)), fails="project", messages=("10,000",), missing={"stories": STORIES}),
    "the same activities forever": Behaviour("/projects/101/activity", instead(200, _LOG, **pagination(total=10**6, limit=10)), fails="project", messages=("10 of 1,000,000",)),
    "the same activities forever, without a total": Behaviour("/projects/101/activity", instead(200, _LOG, **pagination(limit=10)), fails="project"),
    "the same iterations forever": Behaviour("/projects/101/iterations", lambda good, request: Reply(200, [{"number": number, "stories": []} for number in range(1, 11)], pagination(total=10**6, limit=10)), fails="project", messages=("10 of 1,000,000",), missing={"iterations": 2}),
    "the same activities of the token's owner forever": Behaviour("/my/activity", instead(200, _LOG[:1], **pagination(total=10**6, limit=1)), fails="list", missing={"my_activity": 1}),
    "the same labels forever": Behaviour("/projects/101/labels", headers(**pagination(total=10**6, limit=1)), fails="project"),
    "the same projects forever": Behaviour("/projects", headers(**pagination(total=10**6, limit=2))),
    **{
        f"{name} is {stated!r}": Behaviour(STORY_LIST, headers(**{f"X-Tracker-Pagination-{name}": stated}), **more)
        for name, stated, more in [
            ("Limit", "0", {}), ("Limit", "-100", {}), ("Limit", "x", {}), ("Limit", "9" * 30, {}),
            ("Total", "-1", {}), ("Total", "x", {}), ("Total", "1e400", {}), ("Total", "0", {}),
            ("Total", "9" * 30, {}),
            ("Total", "50", {}),
            ("Offset", "-5", {}), ("Returned", "-5", {}), ("Returned", "9" * 5000, {}),
            ("Total", "9" * 5000, {}),
        ]
    },
    "a version beyond 64 bits": Behaviour(ANY_OF_101, headers(**{"X-Tracker-Project-Version": "9" * 40})),
    "a version that is not a number": Behaviour(ANY_OF_101, headers(**{"X-Tracker-Project-Version": "new"})),
}  # fmt: skip

CLOCKS = {
    "a clock of the year 2099": Behaviour("/.*", headers(Date="Wed, 30 Apr 2099 12:34:56 GMT"), messages=("2099",), is_late=True),
    "a clock of the year 9999 in an odd zone": Behaviour("/.*", headers(Date="Fri, 31 Dec 9999 23:59:59 -2359"), is_late=True),
    "a clock of the year 0001 in an odd zone": Behaviour("/.*", headers(Date="Mon, 01 Jan 0001 00:00:00 +2359"), is_late=True),
    "a clock without a valid time": Behaviour("/.*", headers(Date="noon"), is_late=True),
    "a clock behind the stories": Behaviour("/.*", headers(Date="Mon, 01 Jan 2024 00:00:00 GMT"), messages=("2024",), is_late=True),
    "a clock earlier than all records": Behaviour("/.*", headers(Date="Mon, 01 Mar 2025 00:00:00 GMT")),
    "no clock": Behaviour("/projects", lambda good, request: replace(good, headers={}), is_late=True),
    "a story of the year 2099": Behaviour(STORY_LIST, value("updated_at", "2099-01-01T00:00:00Z")),
}  # fmt: skip

_ESCAPED_TOKEN = "".join(f"\\u{ord(each):04x}" for each in TOKEN)
SECRETS = {
    "the token in a story": Behaviour(STORY_LIST, value("name", f"my {TOKEN} is")),
    "the token in a comment": Behaviour(STORY_LIST, value("comments", [{"id": 1, "text": f"<{TOKEN}>"}])),
    "the token in an undeclared field": Behaviour(STORY_LIST, value("novelty", {TOKEN: [TOKEN]})),
    "the token as a field": Behaviour(STORY_LIST, value(TOKEN, 1)),
    "the token written in escapes": Behaviour(STORY_LIST, text("name", f'"{_ESCAPED_TOKEN}"')),
    "the token in UTF-16": Behaviour(STORY_LIST, lambda good, request: body(lambda text: text.decode().encode("utf-16"))(value("name", TOKEN)(good, request), request)),
    "the token in escapes with a lone surrogate": Behaviour(STORY_LIST, text("name", f'"\\ud800{_ESCAPED_TOKEN}"')),
    "the token in escapes with a number of 400 digits": Behaviour(STORY_LIST, text("name", f'"{_ESCAPED_TOKEN}", "estimate": {"9" * 400}')),
    "the token in the project's name": Behaviour("/projects(/101)?", value("name", f"P {TOKEN}")),
    "the token as a guid": Behaviour("/projects/101/activity", value("guid", f"{TOKEN}_5"), missing={"activity": 1}, rejected=(("guid", "token"),)),
    "the token in a redirect": Behaviour(STORY_LIST, instead(302, b"", Location=f"https://{TOKEN}.example/{TOKEN}"), fails="project"),
    "the token in a bad id": Behaviour(STORY_LIST, value("id", TOKEN), missing={"stories": 1}, rejected=(("id", ""),)),
    "escape sequences in the project's name, which fails": Behaviour("/projects(/101)?|/projects/101/stories", lambda good, request: value("name", ESCAPES)(good, request) if not request.path.endswith("stories") else Reply(403, {"code": "unauthorized_operation"}), fails="project"),
    "escape sequences in a bad id": Behaviour(STORY_LIST, value("id", ESCAPES), missing={"stories": 1}, rejected=(("id", ""),)),
    "escape sequences in an undeclared field": Behaviour(STORY_LIST, value(ESCAPES, 1)),
    "escape sequences in a label that is renamed": Behaviour("/projects/101/labels", value("name", ESCAPES)),
}  # fmt: skip

BEHAVIOURS: dict[str, Behaviour] = {
    **BODIES, **STATUSES, **PAGES, **CLOCKS, **SECRETS, **dict(_odd_records())
}  # fmt: skip
