"""From an HTTP response to an answer, or to the reason why it is none: no sockets here."""

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

from ingest.api.http.errors import (
    InvalidParameter,
    NotTrackerV5,
    RouteNotFound,
    TrackerError,
    explanation,
    one_line,
    refusal,
)
from ingest.records import cell_bytes
from ingest.run.redaction import redacted_bytes

if TYPE_CHECKING:
    from ingest.api.http.bodies import Received

# Makes rows of the text of a page, when all of its records are plain.
PlainRows = Callable[[bytes | bytearray], pa.Table | None]

_PAGINATION = "X-Tracker-Pagination-"
_TRANSIENT_STATUS = frozenset({204, 408, 425, 429})
_LONGEST_WAIT = 24 * 3600  # seconds; nobody means a `Retry-After` beyond a day
_MAX_INT64 = 2**63 - 1
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# Ordinary letters need no escape: it may be how a secret is written.
_ESCAPE = re.compile(rb"\\u00")
_JSON_PART = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pagination:
    """Where a page lies in its list, as the server states it; what cannot be is None.

    Attributes:
        total: records in the whole list; None when the server does not know, and at times more
            than it ever gives (activity beyond its retention is counted).
        limit: records in a full page; servers lower what was asked.
    """

    total: int | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in a list for a record that cannot be read, with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer of the API.

    Attributes:
        data: the parsed body, without the envelope; None where there are rows.
        rows: the records as rows of a raw table, when all of them are plain.
        text: what the rows were made of.
        project_version: the project's change counter at that moment; None outside projects.
        pagination: None where the server gives none.
        served_at: the server's clock (`Date`); None when it gives none.
        requests_count: requests that it took, retries included.
        request: what was asked, such as `GET /projects/101/stories?offset=500`.
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
        """The same answer with its records as data."""
        if self.rows is None:
            return self
        return replace(self, data=_loads(self.text), rows=None, text=b"")


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
        super().__init__(one_line(reason))
        self.retry_after = retry_after
        self.is_throttling = is_throttling
        self.fatal = fatal


def read_answer(
    received: Received, what: str, secrets: Iterable[str] = (), plain: PlainRows | None = None
) -> Answer:
    """Read a response; secrets that the host repeats in it are blanked.

    Args:
        received: the response.
        what: the request, for messages.
        secrets: what must not be in the answer.
        plain: makes rows of a page of plain records, which is then not parsed.

    Raises:
        TransientFailure: when asking again may help.
        TrackerError: when it will not.
    """
    status, headers = received.status, received.headers
    body = redacted_bytes(received.body, secrets)
    if status < 200 or status in _TRANSIENT_STATUS or (status >= 500 and status != 501):
        raise TransientFailure(
            f"{status} {_explained(received, body)}".strip(),
            retry_after=_retry_after(headers),
            is_throttling=status in (429, 503),
        )
    text = _in_utf8(body, headers.get("Content-Type", ""))
    served_at = _http_date(headers.get("Date"))
    version = _count(headers.get("X-Tracker-Project-Version"))
    rows = plain(text) if plain is not None and status < 300 else None
    if rows is not None and not (_ESCAPE.search(text) and _have_secrets(rows, secrets)):
        pagination = _pagination_of_headers(headers)
        return Answer(None, version, pagination, served_at, rows=rows, text=text)
    data = _parsed(received, text, what)
    if _ESCAPE.search(body):
        data = _without_escaped_secrets(data, secrets)
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
            f"{status} with XML, as API v3 and v4 give it",
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
    """The text of a body, whatever it is written in, without a byte order mark."""
    encoding = next((name for mark, name in _MARKS.items() if body.startswith(mark)), None)
    if encoding is None and (stated := _CHARSET.search(content_type)):
        encoding = stated[1]
    try:
        if encoding is None or codecs.lookup(encoding).name == "utf-8":
            return body
        return body.decode(encoding).encode()
    except (LookupError, UnicodeError):
        return body


def _parsed_by_record(text: bytes | bytearray) -> Any:  # noqa: ANN401 - JSON is anything
    """Parse what orjson refuses and other hosts write: half characters, NaN, deep nesting.

    Of a list, a record that is nested too deep becomes an `Unreadable` in its place.

    Raises:
        TransientFailure: when it is no JSON.
    """
    try:
        return json.loads(text.decode(errors="replace"), parse_int=_whole_number)
    except RecursionError:
        pass
    except ValueError:
        raise TransientFailure("JSON that is cut short or damaged") from None
    return [_parsed_alone(record) for record in _records_of(text)]


def _parsed_alone(record: str) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return json.loads(record, parse_int=_whole_number)
    except RecursionError:
        return Unreadable("it is nested too deep")
    except ValueError:
        raise TransientFailure("JSON that is cut short or damaged") from None


def _whole_number(digits: str) -> int | float:
    """A number of thousands of digits, which Python does not read, is infinite."""
    return int(digits) if len(digits) < 1000 else math.inf


def _records_of(text: bytes | bytearray) -> Iterator[str]:
    """The texts between the commas of a list, without looking into them."""
    text = text.strip()
    if not text.startswith(b"["):
        raise TransientFailure("JSON that is nested too deep")
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
        raise TransientFailure("JSON that is cut short or damaged")


def _loads(text: bytes | bytearray) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parsed_by_record(text)


def _have_secrets(rows: pa.Table, secrets: Iterable[str]) -> bool:
    texts = (
        bytes(cell_bytes(chunk)[1])
        for column in rows.columns
        if pa.types.is_string(column.type)
        for chunk in column.chunks
    )
    return any(redacted_bytes(text, secrets) is not text for text in texts)


def _without_escaped_secrets(data: Any, secrets: Iterable[str]) -> Any:  # noqa: ANN401 - JSON
    try:
        plain = orjson.dumps(data)
    except TypeError:  # nested deeper, or a number longer, than it can write
        return data
    blanked = redacted_bytes(plain, secrets)
    return data if blanked is plain else orjson.loads(blanked)


def _opened_envelope(envelope: dict[str, Any], what: str, served_at: datetime | None) -> Answer:
    """Take an enveloped answer apart; its `http_status` is a text, its `total` may be null."""
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
    """Seconds to wait, from a number or a date; None when that is not stated, or is absurd.

    A date is compared with the server's own clock.
    """
    stated = headers.get("Retry-After", "").strip()
    try:
        seconds = float(stated)
    except ValueError:
        until = _http_date(stated)
        now = _http_date(headers.get("Date")) or datetime.now(UTC)
        seconds = (until - now).total_seconds() if until else math.nan
    return max(0.0, seconds) if seconds <= _LONGEST_WAIT else None  # nan is not, either


def _http_date(text: str | None) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text or "")
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _count(value: object) -> int | None:
    """A number that counts something, from a number or a text; None when it is none."""
    try:
        number = int(value)  # type: ignore[call-overload]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MAX_INT64 else None
