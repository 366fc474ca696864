"""The session with a Tracker v5 API: who asks, how fast, what is tried again, what an error means.

Tracker documented no limits: at most eight requests are in flight, and their rate follows the host
(see `Pace`).
"""

from __future__ import annotations

import http.client
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, ParamSpec, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from urllib3.exceptions import HTTPError

from ingest.api.http.answers import Answer, PlainRows, TransientFailure, read_answer
from ingest.api.http.bodies import BoundedAdapter, Received, receive
from ingest.api.http.errors import (
    ClientClosed,
    InvalidAuthentication,
    RedirectRefused,
    RetriesExhausted,
    TrackerError,
    UnexpectedAnswer,
    Unreachable,
)
from ingest.api.http.hosts import checked_base_url, connection_failure, redirect_target
from ingest.api.http.pace import Pace, first_rate
from ingest.api.http.paging import ListRequest, Pages
from ingest.api.http.plain_pages import PlainPages
from ingest.records import Record

_log = logging.getLogger(__name__)

Params = Mapping[str, str | int]
P = ParamSpec("P")
T = TypeVar("T")
Scheme = Literal["token", "bearer"]

_MAX_REDIRECTS = 5
_FIRST_TRIES = 3  # of a host that has only given web pages so far: it may be the wrong address
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SENDING_FAILED = (OSError, HTTPError, http.client.HTTPException, ValueError)
_TOKEN = re.compile(r"[!-~]+")
_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)


@dataclass(frozen=True)
class ClientSettings:
    """How a host is asked, and what it may take.

    Attributes:
        auth: how the token is sent: `X-TrackerToken`, or `Authorization: Bearer`, which is also
            tried when the host asks for it.
        max_in_flight: requests under way at once, whoever asks.
        requests_per_second: the highest rate of requests; None or 0 for none.
        timeout: seconds to connect, and between two pieces of an answer.
        answer_seconds: the most that one answer may take, however it drips.
        most_answer_bytes: the most that one answer may hold, once it is unpacked.
        most_records: the most that one list may hold.
        max_attempts: how often one request is tried.
        retry_seconds: how long one request is tried.
    """

    auth: Scheme = "token"
    max_in_flight: int = 8
    requests_per_second: float | None = None
    timeout: tuple[float, float] = (10, 60)
    answer_seconds: float = 300
    most_answer_bytes: int = 64 * 2**20
    most_records: int = 5_000_000
    max_attempts: int = 10
    retry_seconds: float = 300


class TrackerClient:
    """A session with one Tracker v5 API; every method may be called from any thread."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        settings: ClientSettings | None = None,
        *,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            base_url: such as `https://host/services/v5`; plain http only on loopback.
            token: sent to this host only. None reads public projects.
            settings: how the host is asked.
            sleep: waits some seconds; by default until the client is closed.
            clock: seconds that never go back.

        Raises:
            BadBaseUrl: when base_url is not one that a token may be sent to.
            InvalidAuthentication: when the token cannot be one.
        """
        settings = settings or ClientSettings()
        self.base_url, is_loopback = checked_base_url(base_url)
        self._host = urlsplit(self.base_url).netloc
        self.max_in_flight = max(1, settings.max_in_flight)
        # Half as many again as may be in flight: while one page is made into rows, none idles.
        self.pages_ahead = self.max_in_flight * 3 // 2
        self.most_records = settings.most_records
        token = _checked_token(token)
        self._secrets = [token] if token else []
        self._auth: AuthBase = _TokenAuth(token, settings.auth)
        self._settings = settings
        self._clock = clock
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._pace = Pace(first_rate(is_loopback), settings.requests_per_second, clock, self._sleep)
        self._retrying = Retrying(
            retry=retry_if_exception_type(TransientFailure),
            wait=_wait_seconds,
            stop=stop_after_attempt(settings.max_attempts)
            | stop_before_delay(settings.retry_seconds),
            sleep=self._wait,
            before_sleep=self._before_retry,
            reraise=True,
        )
        self._session = _session(self.max_in_flight, is_loopback, settings.answer_seconds)
        self._slots = threading.BoundedSemaphore(self.max_in_flight)
        self._pool = ThreadPoolExecutor(self.max_in_flight, thread_name_prefix="tracker")
        self._counts_lock = threading.Lock()
        self._has_answered = False
        self.requests_count = 0
        self.retries_count = 0
        self.plain_pages = PlainPages()
        # Whether a list's pages must be asked for in their enveloped form, by the list's name.
        self.enveloped_lists: dict[str, bool] = {}

    def __enter__(self) -> TrackerClient:
        """Use the session in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it at the end."""
        self.close()

    def close(self) -> None:
        """Stop: requests that wait for their turn or for a retry end with `ClientClosed`."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run something that asks this client, in one of its threads."""
        return self._pool.submit(work, *args, **kwargs)

    def get(
        self, path: str, params: Params | None = None, plain: PlainRows | None = None
    ) -> Answer:
        """Ask for one path and return its whole answer.

        Args:
            path: below the base URL, such as `/projects/101/labels`.
            params: the query.
            plain: makes rows of a page of plain records, which is then not parsed.

        Raises:
            TrackerError: the subclass that fits, when it could not be had.
        """
        what = f"GET {path}"
        retrying = self._retrying.copy()
        try:
            answer = retrying(self._exchange, self.base_url + path, params, plain, what)
        except TransientFailure as failure:
            attempts = retrying.statistics.get("attempt_number", 1)
            raise self._explained_failure(what, failure, attempts) from None
        except TrackerError as error:
            raise error.without(self._secrets) from None
        self._has_answered = True
        attempts = retrying.statistics.get("attempt_number", 1)
        offset = (params or {}).get("offset")
        request = f"{what}?offset={offset}" if offset else what
        return replace(answer, requests_count=attempts, request=request)

    def pages(
        self, path: str, params: Params | None = None, page_size: int | None = None
    ) -> Iterator[list[Record]]:
        """Read one list page by page, in its order, a few pages ahead.

        Args:
            path: the list's path.
            params: the query, without `limit` and `offset`.
            page_size: records asked for at once; None for lists that come whole.
        """
        pages = Pages(self, ListRequest(path, params or {}, page_size))
        try:
            while (answer := self._next_page(pages)) is not None:
                yield answer.data
        finally:
            pages.cancel()

    def login(self, username: str, password: str) -> str:
        """Exchange a user name and password for the API token (`GET /me`), and use it from now on.

        Raises:
            InvalidAuthentication: when they are not accepted.
        """
        self._secrets += [password, f"{username}:{password}"]
        self._auth = HTTPBasicAuth(username.encode(), password.encode())
        me = self.get("/me").data
        token = me.get("api_token") if isinstance(me, dict) else None
        if not isinstance(token, str) or not token:
            raise UnexpectedAnswer("GET /me", "no api_token in it", "set api_token instead")
        self._secrets.append(token)
        self._auth = _TokenAuth(token)
        return token

    def _next_page(self, pages: Pages) -> Answer | None:
        while pages.outstanding < self.max_in_flight and pages.submit():
            pass
        return pages.take()

    def _exchange(
        self, url: str, params: Params | None, plain: PlainRows | None, what: str
    ) -> Answer:
        """One attempt: send, follow redirects within the host, read the whole answer."""
        for _ in range(_MAX_REDIRECTS):
            auth = self._auth
            received = self._send(url, params, what, auth)
            if self._is_asked_for_bearer(received, auth):
                received = self._send(url, params, what, self._auth)
            if "Location" not in received.headers or received.status not in _REDIRECTS:
                return read_answer(received, what, self._secrets, plain)
            url, params = redirect_target(url, received, what), None
        raise RedirectRefused(what, f"more than {_MAX_REDIRECTS} redirects")

    def _send(self, url: str, params: Params | None, what: str, auth: AuthBase) -> Received:
        self._pace.wait()
        with self._slots:
            if self._closed.is_set():
                raise ClientClosed(what)
            with self._counts_lock:
                self.requests_count += 1
            began_at = self._clock()
            try:
                response = self._session.get(
                    url,
                    params=params,
                    auth=auth,
                    timeout=self._settings.timeout,
                    allow_redirects=False,
                    stream=True,
                )
            except _SENDING_FAILED as error:
                raise connection_failure(what, self.base_url, error) from None
            seconds = self._clock() - began_at
            received = receive(response, what, self._host, self._settings.most_answer_bytes)
        if received.status < 300:
            self._pace.note_answer(what.rpartition("/")[2], seconds)
        return received

    def _is_asked_for_bearer(self, received: Received, auth: AuthBase) -> bool:
        """Whether the host wants the token in another header; it is sent so from now on."""
        wanted = received.headers.get("WWW-Authenticate", "").lower()
        if received.status != 401 or "bearer" not in wanted or not isinstance(auth, _TokenAuth):
            return False
        if auth.token is None or auth.scheme == "bearer":
            return False
        _log.info("%s: the host asks for a bearer token; it is sent so from now on", self._host)
        self._auth = _TokenAuth(auth.token, "bearer")
        return True

    def _wait(self, seconds: float) -> None:
        self._sleep(seconds)

    def _before_retry(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        if not isinstance(failure, TransientFailure):
            return
        if failure.fatal is not None and not self._has_answered:
            is_absent = isinstance(failure.fatal, Unreachable)
            if is_absent or state.attempt_number >= _FIRST_TRIES:
                raise failure.fatal
        with self._counts_lock:
            self.retries_count += 1
        what, pause = state.args[-1], state.upcoming_sleep
        _log.info("%s: %s; again in %.1f s (try %d)", what, failure, pause, state.attempt_number)
        if failure.is_throttling:
            self._pace.note_refusal()
            self._pace.pause(pause)

    def _explained_failure(
        self, what: str, failure: TransientFailure, attempts: int
    ) -> TrackerError:
        if failure.fatal is not None:
            return failure.fatal.without(self._secrets)
        tried = f"tried {attempts} times" if attempts > 1 else "tried once"
        asked = f", it asks to wait {failure.retry_after:.0f} s" if failure.retry_after else ""
        return RetriesExhausted(what, f"{failure} ({tried}{asked})").without(self._secrets)


def login(
    base_url: str, username: str, password: str, settings: ClientSettings | None = None
) -> str:
    """The API token of a user, by name and password (`GET /me`); settings are the client's.

    Raises:
        TrackerError: when it could not be had.
    """
    with TrackerClient(base_url, None, settings) as client:
        return client.login(username, password)


class _TokenAuth(AuthBase):
    """Adds the token to a request; as an `auth`, it also keeps ~/.netrc out of it."""

    def __init__(self, token: str | None, scheme: Scheme = "token") -> None:
        self.token = token
        self.scheme = scheme

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token and self.scheme == "bearer":
            request.headers["Authorization"] = f"Bearer {self.token}"
        elif self.token:
            request.headers["X-TrackerToken"] = self.token
        return request


def _checked_token(token: str | None) -> str | None:
    """The token without blanks around it; what http cannot carry is refused without showing it."""
    token = token.strip() if token else None
    if token and not _TOKEN.fullmatch(token):
        raise InvalidAuthentication("api_token", "it holds characters that no token has")
    return token


def _session(max_in_flight: int, is_loopback: bool, answer_seconds: float) -> requests.Session:
    session = requests.Session()
    adapter = BoundedAdapter(answer_seconds, max_in_flight)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = "pivotal-tracker-warehouse"
    # Elsewhere proxies and certificate bundles of the environment apply; never between us and us.
    session.trust_env = not is_loopback
    return session


def _wait_seconds(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.retry_after if isinstance(failure, TransientFailure) else None
    # A little later than asked, each at its own moment, so that threads do not come back as one.
    return _BACKOFF(state) if asked is None else asked + min(1.0, _BACKOFF(state))
