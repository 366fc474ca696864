"""Requests, responses, errors and paging of the simulated API (docs/tracker-api.md)."""

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
    """An error response with one of Tracker's error codes."""

    def __init__(self, code: str, **details: str) -> None:
        """Build the error body for a code, with the optional keys of docs/tracker-api.md."""
        super().__init__(code)
        self.status = _STATUS[code]
        self.body = {"code": code, "kind": "error", "error": _TEXTS[code], **details}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Deviations from Tracker's behaviour, for tests.

    Attributes:
        page_cap: the maximum length of a page, whatever `limit` is requested.
        title_for_name: stories and projects have `title` instead of `name`, as in LiteTracker.
        pagination_headers: whether the four headers are sent; the envelope always has the values.
        total: `exact`; `null` (no header, null in the envelope); `too_large` (7 too many).
        missing_paths: regular expressions; matching paths return 404 `route_not_found`.
        forbidden_projects: these are listed, but all paths under their ids return 403.
        activity_retention_days: older activities are not returned, but are included in the total.
        before_request: called before each request, without the workspace's lock. It may change
            the workspace, return a complete (status, headers, body), or raise
            `ConnectionResetError` to cut the connection. Its `Content-Length` header is kept, so
            that it can truncate a response.
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
    """A request; `path` excludes the query and `/services/v5`."""

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
        """Whether timestamps are requested in milliseconds."""
        return self.query.get("date_format") == "millis"

    def instant(self, name: str) -> int | None:
        """Parse a timestamp parameter in ISO 8601 or milliseconds; `None` if it is missing.

        Raises:
            ApiError: if it is neither.
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
        """Parse an integer parameter.

        Raises:
            ApiError: if it is not an integer, or below the minimum.
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
    """The position of a page in its list."""

    total: int
    limit: int
    offset: int
    returned: int


@dataclass(slots=True)
class Reply:
    """The result of a route: a body to be sent as JSON, its project and its page."""

    body: Any
    project: Project | None = None
    page: Page | None = None
    headers: dict[str, str] = field(default_factory=dict)


def page_of(
    items: Sequence[Any], request: Request, options: ServerOptions
) -> tuple[Sequence[Any], Page]:
    """Return the requested page of a list; limits above 500 are reduced."""
    limit = page_limit(request, options)
    offset = request.integer("offset", 0)
    part = items[offset : offset + limit]
    return part, Page(len(items), limit, offset, len(part))


def page_limit(request: Request, options: ServerOptions, default_limit: int = 100) -> int:
    """Return the effective limit of a request."""
    limit = min(request.integer("limit", default_limit, minimum=1), MAXIMUM_LIMIT)
    return limit if options.page_cap is None else min(limit, options.page_cap)
