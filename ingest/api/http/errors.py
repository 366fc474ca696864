"""The errors of a Tracker API, each with a one-line message that says what to do.

The classes are named after the `code` in Tracker's error responses, if there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from ingest.run.redaction import redacted

_LONGEST_QUOTE = 300


class TrackerError(Exception):
    """A Tracker API could not be read. The message is one line, without secrets.

    Attributes:
        meaning: what this kind of error usually means.
        remedy: how to fix it.
    """

    meaning = "the API could not be read"
    remedy = "try again, or check base_url and the token"

    def __init__(self, what: str, problem: str = "", remedy: str = "") -> None:
        """Compose the message.

        Args:
            what: what failed, such as `GET /projects/101/stories`.
            problem: what happened, such as Tracker's `code` and `general_problem`.
            remedy: how to fix it, if something better than the class's own advice is known.
        """
        parts = [what, problem, f"{self.meaning}; {remedy or self.remedy}"]
        self._parts = [str(part) for part in parts if part]
        super().__init__(": ".join(map(one_line, self._parts)))

    def without(self, secrets: Iterable[str]) -> Self:
        """Mask the secrets that a host repeats in its message, before a long message is cut."""
        self._parts = [redacted(part, secrets) for part in self._parts]
        self.args = (": ".join(map(one_line, self._parts)),)
        return self


class InvalidParameter(TrackerError):
    """400 `invalid_parameter`, or another rejection of a request's parameters."""

    meaning = "the host rejected the request's parameters"
    remedy = "report this message; another host may accept them"


class InvalidAuthentication(TrackerError):
    """401, or 403 `invalid_authentication`: the token or password is not known."""

    meaning = "the token (or user name and password) was not accepted"
    remedy = "set api_token to the token shown on your Tracker profile page"


class UnauthorizedOperation(TrackerError):
    """403 `unauthorized_operation`: the token's owner has no access to this."""

    meaning = "the token's owner has no access to this"
    remedy = "ask an owner of the project for membership, or leave the project out of project_ids"


class NotFound(TrackerError):
    """404: not found."""


class UnfoundResource(NotFound):
    """404 `unfound_resource`: the path is known, but there is no such project, story, ..."""

    meaning = "it does not exist on this host, or it was deleted"
    remedy = "check the id"


class RouteNotFound(NotFound):
    """404 `route_not_found`, or a 404 without one of Tracker's codes: there is no such path."""

    meaning = "the host has no such path"
    remedy = "check base_url: it usually ends in /services/v5"


class NotTrackerV5(TrackerError):
    """The response is not from a v5 API: a web page, or XML of API v3 or v4."""

    meaning = "this is not a Tracker API v5"
    remedy = "check base_url: it usually ends in /services/v5"


class BadBaseUrl(TrackerError):
    """`base_url` is invalid."""

    meaning = "base_url cannot be used"
    remedy = "use the form https://host/services/v5"


class RedirectRefused(TrackerError):
    """The host redirects to another host, to which the token is not sent."""

    meaning = "the token is never sent to another host"
    remedy = "if the API has moved, set base_url to its new address"


class Unreachable(TrackerError):
    """No response from the host: no network, no such name, connection refused, or no TLS."""

    meaning = "the host cannot be reached"
    remedy = "check base_url and the network"


class RetriesExhausted(TrackerError):
    """The host failed until the retries were exhausted."""

    meaning = "the host kept failing"
    remedy = "try again later, or with fewer requests (max_in_flight, requests_per_second)"


class UnexpectedAnswer(TrackerError):
    """Valid JSON, but not what Tracker returns for this path."""

    meaning = "the response is not what Tracker returns here"
    remedy = "check base_url: is it that of a host compatible with Tracker's API v5?"


class AnswerTooLarge(TrackerError):
    """The decompressed body of a response exceeds the limit."""

    meaning = "responses of this size are refused"
    remedy = "if you trust the host, raise answer_megabytes"


class IncompleteList(TrackerError):
    """A list has fewer records than the host states, or does not end."""

    meaning = "the host did not return the complete list"
    remedy = "run it again to read the project again"


class ClientClosed(TrackerError):
    """The client was closed while a request was waiting."""

    meaning = "reading was stopped"
    remedy = "run it again"


# After one of these errors, nothing more can be read.
ENDING_THE_RUN = (BadBaseUrl, ClientClosed, InvalidAuthentication, Unreachable)

_BY_CODE: dict[str, type[TrackerError]] = {
    "invalid_parameter": InvalidParameter,
    "could_not_parse_body": InvalidParameter,
    "invalid_authentication": InvalidAuthentication,
    "unauthorized_operation": UnauthorizedOperation,
    "unfound_resource": UnfoundResource,
    "route_not_found": RouteNotFound,
}

_BY_STATUS: dict[int, type[TrackerError]] = {
    400: InvalidParameter,
    401: InvalidAuthentication,
    403: UnauthorizedOperation,
    404: RouteNotFound,  # without one of Tracker's codes, so probably a wrong address
    405: RouteNotFound,
    410: RouteNotFound,
    501: RouteNotFound,
}


def refusal(what: str, status: int, body: dict[str, Any]) -> TrackerError:
    """The error for a response that rejects a request.

    Args:
        what: the request, such as `GET /me`.
        status: the HTTP status.
        body: the parsed error object, of which other hosts than Tracker may omit parts.
    """
    code = body.get("code")
    known = _BY_CODE.get(code) if isinstance(code, str) else None
    kind = known or _BY_STATUS.get(status, TrackerError)
    return kind(what, f"{status} {explanation(body)}".strip())


def explanation(body: dict[str, Any]) -> str:
    """Tracker's code of an error, and its most specific message."""
    invalid = body.get("validation_errors")
    problems = [
        f"{entry.get('field')}: {entry.get('problem')}"
        for entry in (invalid if isinstance(invalid, list) else [])
        if isinstance(entry, dict)
    ]
    candidates = [body.get("general_problem"), "; ".join(problems), body.get("requirement")]
    sentence = next((text for text in candidates if text), body.get("error") or "")
    return " ".join(str(part) for part in (body.get("code"), sentence and f"({sentence})") if part)


def one_line(text: object) -> str:
    """Put a text on one line, and shorten it if it is very long."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."
