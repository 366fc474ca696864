"""What can go wrong with a Tracker API, each as one line that says what to do.

The classes carry Tracker's own words where it has some: the `code` of an error answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from ingest.run.redaction import redacted

_LONGEST_QUOTE = 300


class TrackerError(Exception):
    """A Tracker API could not be read; `str()` is one line, without a token in it.

    Attributes:
        meaning: what this kind of failure usually means.
        remedy: what the reader of the message can do about it.
    """

    meaning = "the API could not be read"
    remedy = "try again, or check base_url and the token"

    def __init__(self, what: str, problem: str = "", remedy: str = "") -> None:
        """Compose the line.

        Args:
            what: what failed, such as `GET /projects/101/stories`.
            problem: what was seen, such as Tracker's `code` and `general_problem`.
            remedy: what to do, when something better than the class's own is known.
        """
        parts = [what, problem, f"{self.meaning}; {remedy or self.remedy}"]
        self._parts = [str(part) for part in parts if part]
        super().__init__(": ".join(map(one_line, self._parts)))

    def without(self, secrets: Iterable[str]) -> Self:
        """The same error without tokens or passwords that a host repeats in what it says.

        Blanked before a long text is cut, so that no half of one is left.
        """
        self._parts = [redacted(part, secrets) for part in self._parts]
        self.args = (": ".join(map(one_line, self._parts)),)
        return self


class InvalidParameter(TrackerError):
    """400 `invalid_parameter`, or another refusal of how something was asked."""

    meaning = "the host refused the request as it was asked"
    remedy = "report this with the line above; another host may accept it"


class InvalidAuthentication(TrackerError):
    """401, or 403 `invalid_authentication`: nobody is known by this token or password."""

    meaning = "the token (or user name and password) was not accepted"
    remedy = "set api_token to the token shown on your Tracker profile page"


class UnauthorizedOperation(TrackerError):
    """403 `unauthorized_operation`: known, but not allowed to see this."""

    meaning = "the token's owner may not see this"
    remedy = "ask an owner of the project for membership, or leave the project out of project_ids"


class NotFound(TrackerError):
    """404: nothing is there."""


class UnfoundResource(NotFound):
    """404 `unfound_resource`: a known path, but no such project, story, ..."""

    meaning = "there is no such thing on this host, or it was deleted"
    remedy = "check the id"


class RouteNotFound(NotFound):
    """404 `route_not_found`, or a 404 in no words of Tracker's: no such path on this host."""

    meaning = "the host has no such path"
    remedy = "check base_url: a v5 API's usually ends in /services/v5"


class NotTrackerV5(TrackerError):
    """Whatever answers is not a v5 API: a web page, or XML of API v3 or v4."""

    meaning = "this is not a Tracker API v5"
    remedy = "check base_url: a v5 API's usually ends in /services/v5"


class BadBaseUrl(TrackerError):
    """`base_url` cannot be used at all."""

    meaning = "base_url cannot be used"
    remedy = "give it in the form https://host/services/v5"


class RedirectRefused(TrackerError):
    """The host points elsewhere; the token is not taken there."""

    meaning = "the token is never sent to another host"
    remedy = "if the API has moved, set base_url to its new address"


class Unreachable(TrackerError):
    """No answer from the host: no network, no such name, connection refused, or no TLS."""

    meaning = "the host cannot be reached"
    remedy = "check base_url and the network"


class RetriesExhausted(TrackerError):
    """The host kept failing for as long as the client was willing to try."""

    meaning = "the host kept failing"
    remedy = "try again later, or with fewer requests at once (max_in_flight, requests_per_second)"


class UnexpectedAnswer(TrackerError):
    """Whole JSON, but not what this path answers on Tracker."""

    meaning = "the answer is not what Tracker gives here"
    remedy = "check that the host is compatible with Tracker's API v5"


class AnswerTooLarge(TrackerError):
    """The body of an answer is larger, once unpacked, than any that is read."""

    meaning = "an answer of this size is not read"
    remedy = "if the host is to be trusted, raise answer_megabytes"


class IncompleteList(TrackerError):
    """A list ended before it held what the host states, or did not end at all."""

    meaning = "the host did not give the whole list"
    remedy = "run it again: the project is read again then"


class ClientClosed(TrackerError):
    """The client was closed while a request was waiting."""

    meaning = "reading was stopped"
    remedy = "run it again"


# Nothing more can be read of the workspace after one of these.
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
    404: RouteNotFound,  # in no words of Tracker's, so more likely a wrong address
    405: RouteNotFound,
    410: RouteNotFound,
    501: RouteNotFound,
}


def refusal(what: str, status: int, body: dict[str, Any]) -> TrackerError:
    """The error for an answer by which a host refuses a request.

    Args:
        what: the request, such as `GET /me`.
        status: the HTTP status.
        body: the parsed error object; hosts other than Tracker leave parts of it out.
    """
    code = body.get("code")
    known = _BY_CODE.get(code) if isinstance(code, str) else None
    kind = known or _BY_STATUS.get(status, TrackerError)
    return kind(what, f"{status} {explanation(body)}".strip())


def explanation(body: dict[str, Any]) -> str:
    """What Tracker says about an error: its code and the most specific sentence given."""
    invalid = body.get("validation_errors")
    problems = [
        f"{entry.get('field')}: {entry.get('problem')}"
        for entry in (invalid if isinstance(invalid, list) else [])
        if isinstance(entry, dict)
    ]
    candidates = [body.get("general_problem"), "; ".join(problems), body.get("requirement")]
    sentence = next((text for text in candidates if text), body.get("error") or "")
    return " ".join(str(part) for part in (body.get("code"), f"({sentence})") if part)


def one_line(text: object) -> str:
    """A text without line breaks, shortened when it is a whole page."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."
