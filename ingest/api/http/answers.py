"""From an HTTP response to an answer, or to the reason why it is none: no sockets here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import requests

from ingest.api.http.errors import (
    InvalidParameter,
    NotTrackerV5,
    RouteNotFound,
    TrackerError,
    explanation,
    refusal,
)

_PAGINATION = "X-Tracker-Pagination-"
_TRANSIENT_STATUS = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Pagination:
    """Where a page lies in its list, as the server states it.

    Attributes:
        total: records in the whole list; None when the server does not know, and at times more
            than it ever gives (activity beyond its retention is counted).
        limit: records in a full page; servers lower what was asked.
        offset: the page's first record; may be negative on iterations.
        returned: records in this page.
    """

    total: int | None
    limit: int | None
    offset: int | None
    returned: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer of the API.

    Attributes:
        data: the parsed body, without the envelope.
        project_version: the project's change counter at that moment; None outside projects.
        pagination: None where the server gives none.
        served_at: the server's clock (`Date`); None when it gives none.
        requests_count: requests that it took, retries included.
    """

    data: Any
    project_version: int | None = None
    pagination: Pagination | None = None
    served_at: datetime | None = None
    requests_count: int = 1


class TransientFailure(Exception):
    """A failure that a repetition may cure; never leaves the client.

    Attributes:
        retry_after: seconds that the server asks to wait, if it does.
        is_throttling: the server asks for fewer requests, whoever makes them.
        fatal: what to raise instead when the host has never answered before: then it is more
            likely the wrong host than a bad moment.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        is_throttling: bool = False,
        fatal: TrackerError | None = None,
    ) -> None:
        """Tell why, as a part of a sentence."""
        super().__init__(reason)
        self.retry_after = retry_after
        self.is_throttling = is_throttling
        self.fatal = fatal


def read_answer(response: requests.Response, what: str) -> Answer:
    """Read a response whose body has arrived.

    Raises:
        TransientFailure: when asking again may help.
        TrackerError: when it will not.
    """
    status = response.status_code
    if status in _TRANSIENT_STATUS or (status >= 500 and status != 501):
        raise TransientFailure(
            f"{status} {_explained(response)}".strip(),
            retry_after=_retry_after(response),
            is_throttling=status == 429,
        )
    if status == 204:
        raise TransientFailure("204 without a body")
    data = _parsed(response, what)
    if status >= 300:
        raise refusal(what, status, data if isinstance(data, dict) else {})
    served_at = _http_date(response.headers.get("Date"))
    if isinstance(data, dict) and "http_status" in data and "data" in data:
        return _opened_envelope(data, what, served_at)
    return Answer(
        data,
        _number(response.headers.get("X-Tracker-Project-Version")),
        _pagination_of_headers(response.headers),
        served_at,
    )


def _parsed(response: requests.Response, what: str) -> Any:  # noqa: ANN401 - JSON is anything
    body = response.content
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    start = body[:200].lstrip().lower()
    content_type = response.headers.get("Content-Type", "").partition(";")[0].lower()
    status = response.status_code
    if start.startswith((b"<!doctype", b"<html")) or content_type == "text/html":
        if status in (404, 405):
            raise RouteNotFound(what, f"{status} with a web page")
        page = NotTrackerV5(what, f"{status} with a web page instead of JSON")
        raise TransientFailure("a web page instead of JSON", fatal=page)
    if start.startswith(b"<") or content_type.endswith("xml"):
        raise NotTrackerV5(
            what,
            f"{status} with XML, as API v3 and v4 give it",
            "set base_url to the host's v5 API (.../services/v5)",
        )
    if status == 400:
        raise InvalidParameter(what, f"{status} {response.text}")
    if status == 404:
        raise RouteNotFound(what, f"{status} without JSON")
    raise TransientFailure("JSON that is cut short or damaged")


def _opened_envelope(envelope: dict[str, Any], what: str, served_at: datetime | None) -> Answer:
    """Take an enveloped answer apart; its `http_status` is a text, its `total` may be null."""
    status = _number(envelope["http_status"]) or 200
    data = envelope["data"]
    if status == 429 or status >= 500:
        raise TransientFailure(f"{status} in the envelope", is_throttling=status == 429)
    if status >= 300:
        raise refusal(what, status, data if isinstance(data, dict) else envelope)
    stated = envelope.get("pagination")
    pagination = None
    if isinstance(stated, dict):
        parts = (_number(stated.get(name)) for name in ("total", "limit", "offset", "returned"))
        pagination = Pagination(*parts)
    return Answer(data, _number(envelope.get("project_version")), pagination, served_at)


def _pagination_of_headers(headers: requests.structures.CaseInsensitiveDict) -> Pagination | None:
    names = ("Total", "Limit", "Offset", "Returned")
    total, limit, offset, returned = (_number(headers.get(_PAGINATION + name)) for name in names)
    if total is None and limit is None:
        return None
    return Pagination(total, limit, offset, returned)


def _explained(response: requests.Response) -> str:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return response.reason or ""
    return explanation(body) if isinstance(body, dict) else ""


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, from a number or from a date; a date is held against the server's clock."""
    stated = response.headers.get("Retry-After", "").strip()
    if not stated:
        return None
    try:
        return max(0.0, float(stated))
    except ValueError:
        until = _http_date(stated)
    if until is None:
        return None
    now = _http_date(response.headers.get("Date")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _number(value: object) -> int | None:
    try:
        return None if value is None else int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return None
