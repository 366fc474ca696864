"""Requests, answers, errors and paging of the simulated API (docs/tracker-api.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.entities import Project
from simulator.fields import Selection, parse_fields
from simulator.instants import to_instant

MAXIMUM_LIMIT = 500
Answer = tuple[int, Mapping[str, str], bytes]

_TEXTS = {
    "invalid_parameter": "One or more request parameters was missing or invalid.",
    "invalid_authentication": "Invalid authentication credentials were presented.",
    "unauthorized_operation": "Authorization failure.",
    "unfound_resource": "The object you tried to access could not be found.  It may have been "
    "removed by another user, you may be using the ID of another object type, or you may be "
    "trying to access a sub-resource at the wrong point in a tree.",
    "route_not_found": "The path you requested has no valid endpoint.",
    "unhandled_condition": "An unexpected condition occurred.",
}
_STATUS = {
    "invalid_parameter": 400,
    "invalid_authentication": 403,
    "unauthorized_operation": 403,
    "unfound_resource": 404,
    "route_not_found": 404,
    "unhandled_condition": 500,
}
FORBIDDEN = {
    "general_problem": "You aren't authorized to access the requested resource.",
    "possible_fix": "Your project permissions are determined on the Project Membership page. If "
    "you are receiving this error you may be trying to access the wrong project, or the project "
    "API access is disabled, or someone listed as the project's Owner needs to change your "
    "membership type.",
}


class ApiError(Exception):
    """An answer that is an error, by Tracker's code."""

    def __init__(self, code: str, **details: str) -> None:
        """Build the error body of a code, with the optional keys that docs/tracker-api.md names."""
        super().__init__(code)
        self.status = _STATUS[code]
        self.body = {"code": code, "kind": "error", "error": _TEXTS[code], **details}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server deviates from Tracker, for tests.

    Attributes:
        page_cap: no page is longer than this, whatever `limit` asks for.
        title_for_name: stories and projects answer `title` instead of `name`, like LiteTracker.
        pagination_headers: whether the four headers are sent; the envelope always tells.
        total: `exact`; `null` (no header, null in the envelope); `too_large` (7 too many).
        missing_paths: regular expressions; paths that match answer 404 `route_not_found`.
        forbidden_projects: listed, but everything under their ids answers 403.
        activity_retention_days: older activities are not answered, though still in the total.
        before_request: called before each request, without the workspace's lock. It may change
            the workspace, return a ready (status, headers, body), or raise
            `ConnectionResetError` to cut the connection. A `Content-Length` header of its own is
            kept, so that an answer can be cut short.
    """

    page_cap: int | None = None
    title_for_name: bool = False
    pagination_headers: bool = True
    total: str = "exact"
    missing_paths: Sequence[str] = ()
    forbidden_projects: Sequence[int] = ()
    activity_retention_days: int | None = None
    before_request: Callable[[Request], Answer | None] | None = None


@dataclass(slots=True)
class Request:
    """A request as it came; `path` is without the query and without `/services/v5`."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]

    @property
    def selection(self) -> Selection:
        """The parsed `fields` parameter."""
        return parse_fields(self.query.get("fields", ""))

    @property
    def in_millis(self) -> bool:
        """Whether instants are wanted as milliseconds."""
        return self.query.get("date_format") == "millis"

    def instant(self, name: str) -> int | None:
        """Return an instant parameter, ISO 8601 or milliseconds, `None` when it is not given.

        Raises:
            ApiError: when it is neither.
        """
        text = self.query.get(name)
        if not text:
            return None
        try:
            return int(text) // 1000 if text.isdigit() else to_instant(text.replace(" ", "+"))
        except ValueError:
            problem = f"The {name} you requested could not be parsed. See FAQ for valid formats."
            raise ApiError("invalid_parameter", general_problem=problem) from None

    def integer(self, name: str, default: int, minimum: int | None = 0) -> int:
        """Return a whole-number parameter.

        Raises:
            ApiError: when it is none, or below the minimum.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if text.removeprefix("-").isdigit() and (minimum is None or int(text) >= minimum):
            return int(text)
        problem = f"{name} must be a number of {minimum} or more"
        raise ApiError("invalid_parameter", general_problem=problem)


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page lies in its list."""

    total: int
    limit: int
    offset: int
    returned: int


@dataclass(slots=True)
class Reply:
    """What a route answers: a body to be written as JSON, its project and its page."""

    body: Any
    project: Project | None = None
    page: Page | None = None
    headers: dict[str, str] = field(default_factory=dict)


def page_of(
    items: Sequence[Any], request: Request, options: ServerOptions, default_limit: int = 100
) -> tuple[Sequence[Any], Page]:
    """Return the page of a list that a request asks for: limits above 500 are lowered."""
    limit = page_limit(request, options, default_limit)
    offset = request.integer("offset", 0)
    part = items[offset : offset + limit]
    return part, Page(len(items), limit, offset, len(part))


def page_limit(request: Request, options: ServerOptions, default_limit: int = 100) -> int:
    """Return the limit that the server grants."""
    limit = min(request.integer("limit", default_limit, minimum=1), MAXIMUM_LIMIT)
    return limit if options.page_cap is None else min(limit, options.page_cap)
