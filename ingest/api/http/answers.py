"""Parse HTTP responses as answers of the API, or raise the error that fits (without sockets)."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from requests.structures import CaseInsensitiveDict
from requests.utils import guess_json_utf

from ingest.api.http.errors import (
    InvalidParameter,
    NotTrackerV5,
    RouteNotFound,
    TrackerError,
    explanation,
    one_line,
    refusal,
)
from ingest.run.redaction import redacted_bytes

if TYPE_CHECKING:
    from ingest.api.http.bodies import Received

# Converts the text of a page to rows if all of its records are plain.
PlainRows = Callable[[bytes | bytearray], pa.Table | None]

_PAGINATION = "X-Tracker-Pagination-"
_TRANSIENT_STATUS = frozenset({204, 408, 425, 429})
_LONGEST_WAIT = 24 * 3600  # seconds; a longer `Retry-After` is ignored
_MAX_INT64 = 2**63 - 1
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# Printable ASCII characters need no such escape: it may be how a secret is written.
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u00([2-7][0-9A-Fa-f])")
_JSON_PART = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pagination:
    """The pagination that the server states; invalid values are None.

    Attributes:
        total: the number of records in the list; None if unknown. It may be higher than the number
            of records that are returned: old activity is counted, but not returned.
        limit: the number of records in a full page; it may be lower than requested.
    """

    total: int | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be parsed, with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete response of the API.

    Attributes:
        data: the parsed body, without the envelope; None if there are rows.
        rows: the records as rows of a raw table, if all of them are plain.
        text: the body from which the rows were made.
        project_version: the project's change counter at that time; None outside of projects.
        pagination: the stated pagination, if any.
        served_at: the server's clock (`Date`), if stated.
        requests_count: the number of requests, including retries.
        request: the request, such as `GET /projects/101/stories?offset=500`.
    """

    data: Any
    project_version: int | None = None
    pagination: Pagination | None = None
    served_at: datetime | None = None
    requests_count: int = 1
    request: str = ""
    rows: pa.Table | None = None
    text: bytes | bytearray = b""

    def as_records(self) -> Answer:
        """The same response with its records as data."""
        if self.rows is None:
            return self
        return replace(self, data=_loads(self.text), rows=None, text=b"")


class TransientFailure(Exception):
    """A failure after which a retry may succeed; it is never raised outside of the client.

    Attributes:
        retry_after: the seconds that the server asks to wait, if stated.
        is_throttling: whether the server asks for fewer requests.
        fatal: the error to raise instead if the host has never answered: then it is probably the
            wrong host, and not a temporary failure.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        is_throttling: bool = False,
        fatal: TrackerError | None = None,
    ) -> None:
        """State the reason as a part of a sentence; the other arguments are the attributes."""
        super().__init__(one_line(reason))
        self.retry_after = retry_after
        self.is_throttling = is_throttling
        self.fatal = fatal


def read_answer(
    received: Received, what: str, secrets: Iterable[str] = (), plain: PlainRows | None = None
) -> Answer:
    """Parse a response, and mask the secrets that the host repeats in it.

    Args:
        received: the response.
        what: the request, for messages.
        secrets: the secrets to mask.
        plain: converts a page of plain records to rows, without parsing it.

    Raises:
        TransientFailure: if a retry may succeed.
        TrackerError: if it will not.
    """
    status, headers = received.status, received.headers
    text = _in_utf8(received.body, headers.get("Content-Type", ""))
    text = redacted_bytes(_with_plain_ascii(text), secrets)
    if status < 200 or status in _TRANSIENT_STATUS or (status >= 500 and status != 501):
        raise TransientFailure(
            f"{status} {_explained(received, text)}".strip(),
            retry_after=_retry_after(headers),
            is_throttling=status in (429, 503),
        )
    served_at = _http_date(headers.get("Date"))
    version = _count(headers.get("X-Tracker-Project-Version"))
    rows = plain(text) if plain is not None and status < 300 else None
    if rows is not None:
        pagination = _pagination_of_headers(headers)
        return Answer(None, version, pagination, served_at, rows=rows, text=text)
    data = _parsed(received, text, what)
    if status >= 300:
        raise refusal(what, status, data if isinstance(data, dict) else {})
    if isinstance(data, dict) and "http_status" in data and "data" in data:
        return _opened_envelope(data, what, served_at)
    return Answer(data, version, _pagination_of_headers(headers), served_at)


def _parsed(received: Received, text: bytes | bytearray, what: str) -> Any:  # noqa: ANN401 - JSON
    content_type = received.headers.get("Content-Type", "")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    start = text[:200].lstrip().lower()
    status = received.status
    is_xml = start.startswith(b"<?xml")
    if not is_xml and (start.startswith(b"<") or "text/html" in content_type.lower()):
        if status in (404, 405):
            raise RouteNotFound(what, f"{status} with a web page")
        page = NotTrackerV5(what, f"{status} with a web page instead of JSON")
        raise TransientFailure("a web page instead of JSON", fatal=page)
    if is_xml:
        page = NotTrackerV5(
            what,
            f"{status} with XML, as from API v3 or v4",
            "set base_url to the host's v5 API (.../services/v5)",
        )
        raise TransientFailure("XML instead of JSON", fatal=page)
    if status == 400:
        raise InvalidParameter(what, f"{status} {text.decode(errors='replace')}")
    if status == 404:
        raise RouteNotFound(what, f"{status} without JSON")
    if status >= 300:
        return None
    return _parsed_by_record(text)


def _in_utf8(body: bytes | bytearray, content_type: str) -> bytes | bytearray:
    """Convert a body to UTF-8; an unknown encoding leaves it unchanged."""
    encoding = guess_json_utf(bytes(body[:4]))
    if encoding in (None, "utf-8") and (stated := _CHARSET.search(content_type)):
        encoding = stated[1]
    try:
        name = codecs.lookup(encoding or "utf-8").name
        # Other than UTF-8, UTF-16 and UTF-32 write every sign of JSON with a zero byte.
        if name == "utf-8" or (name.startswith(("utf-16", "utf-32")) and b"\0" not in body):
            return body
        return body.decode(name).encode()
    except (LookupError, UnicodeError):
        return body


def _with_plain_ascii(text: bytes | bytearray) -> bytes | bytearray:
    """Write printable ASCII characters of JSON without an escape."""
    return _ESCAPE.sub(_without_escape, text) if _ESCAPED_ASCII.search(text) else text


def _without_escape(escape: re.Match[bytes]) -> bytes:
    character = bytes.fromhex(escape[2].decode())
    return escape[0] if character in b'"\\' else escape[1] + character


def _parsed_by_record(text: bytes | bytearray) -> Any:  # noqa: ANN401 - JSON is anything
    """Parse what orjson rejects but other hosts write: lone surrogates, NaN, deep nesting.

    A record that is nested too deeply becomes an `Unreadable` in its list.

    Raises:
        TransientFailure: if it is not JSON.
    """
    try:
        return json.loads(text.decode(errors="replace"), parse_int=_whole_number)
    except RecursionError:
        pass
    except ValueError:
        raise TransientFailure("truncated or invalid JSON") from None
    return [_parsed_alone(record) for record in _records_of(text)]


def _parsed_alone(record: str) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return json.loads(record, parse_int=_whole_number)
    except RecursionError:
        return Unreadable("it is nested too deeply")
    except ValueError:
        raise TransientFailure("truncated or invalid JSON") from None


def _whole_number(digits: str) -> int | float:
    """Convert a number; with thousands of digits, which Python does not parse, it is infinite."""
    return int(digits) if len(digits) < 1000 else math.inf


def _records_of(text: bytes | bytearray) -> Iterator[str]:
    """Split the text of a list at its commas, without parsing the records."""
    text = text.strip()
    if not text.startswith(b"["):
        raise TransientFailure("JSON that is nested too deeply")
    depth, start = 0, 1
    for part in _JSON_PART.finditer(text):
        sign = part.group()
        if sign in (b"[", b"{"):
            depth += 1
        elif sign in (b"]", b"}"):
            depth -= 1
        if (depth == 1 and sign == b",") or (depth == 0 and sign == b"]"):
            yield text[start : part.start()].decode(errors="replace")
            start = part.end()
    if depth or start != len(text):
        raise TransientFailure("truncated or invalid JSON")


def _loads(text: bytes | bytearray) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parsed_by_record(text)


def _opened_envelope(envelope: dict[str, Any], what: str, served_at: datetime | None) -> Answer:
    """Unwrap an envelope; its `http_status` is text, and its `total` may be null."""
    status = _count(envelope["http_status"]) or 200
    data = envelope["data"]
    if status == 429 or status >= 500:
        raise TransientFailure(f"{status} in the envelope", is_throttling=status in (429, 503))
    if status >= 300:
        raise refusal(what, status, data if isinstance(data, dict) else envelope)
    stated = envelope.get("pagination")
    pagination = _pagination(stated) if isinstance(stated, dict) else None
    return Answer(data, _count(envelope.get("project_version")), pagination, served_at)


def _pagination_of_headers(headers: CaseInsensitiveDict[str]) -> Pagination | None:
    stated = {name.lower(): headers.get(_PAGINATION + name) for name in ("Total", "Limit")}
    return None if set(stated.values()) == {None} else _pagination(stated)


def _pagination(stated: dict[str, Any]) -> Pagination:
    return Pagination(_count(stated.get("total")), _count(stated.get("limit")) or None)


def _explained(received: Received, body: bytes | bytearray) -> str:
    try:
        stated = orjson.loads(body)
    except orjson.JSONDecodeError:
        return received.reason
    return explanation(stated) if isinstance(stated, dict) else ""


def _retry_after(headers: CaseInsensitiveDict[str]) -> float | None:
    """The seconds to wait, from a number or a date; None if not stated, invalid or too long.

    A date is compared with the server's own clock.
    """
    stated = headers.get("Retry-After", "").strip()
    try:
        seconds = float(stated)
    except ValueError:
        until = _http_date(stated)
        now = _http_date(headers.get("Date")) or datetime.now(UTC)
        seconds = (until - now).total_seconds() if until else math.nan
    return max(0.0, seconds) if seconds <= _LONGEST_WAIT else None  # None for nan, too


def _http_date(text: str | None) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text or "")
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _count(value: object) -> int | None:
    """Convert a number or a text to a count; None if it is invalid."""
    try:
        number = int(value)  # type: ignore[call-overload]  # other types raise
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MAX_INT64 else None
