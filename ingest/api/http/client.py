"""The HTTP client of a Tracker v5 API: authentication, rate, retries and errors.

Tracker documented no limits. By default at most eight requests are in flight, and their rate adapts
to the host (see `Pace`).
"""

from __future__ import annotations

import http.client
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
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
from ingest.api.http.pace import Pace
from ingest.api.http.plain_pages import PlainPages
from ingest.records import DEEPEST

_log = logging.getLogger(__name__)

Params = Mapping[str, str | int]
P = ParamSpec("P")
T = TypeVar("T")
Scheme = Literal["token", "bearer"]

_MAX_REDIRECTS = 5
_FIRST_RATE = 5.0  # requests per second, unless the host is this machine
_FIRST_TRIES = 3  # for a host that has never answered properly: it may be the wrong address
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SENDING_FAILED = (OSError, HTTPError, http.client.HTTPException, ValueError)
_TOKEN = re.compile(r"[!-~]+")
_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)


@dataclass(frozen=True)
class ClientSettings:
    """The limits of the client.

    Attributes:
        auth: how the token is sent: `X-TrackerToken`, or `Authorization: Bearer`, which is also
            used if the host asks for it.
        max_in_flight: the maximum number of concurrent requests.
        requests_per_second: the maximum request rate; None or 0 for no limit.
        timeout: seconds to wait for a connection, and for the next bytes of a response.
        answer_seconds: the maximum duration of one response.
        most_answer_bytes: the maximum size of one response after decompression.
        most_records: the maximum number of records in one list.
        nested_levels: the maximum number of nested levels, counting the record itself.
        max_attempts: the maximum number of attempts per request.
        retry_seconds: the maximum time for all attempts of a request.
    """

    auth: Scheme = "token"
    max_in_flight: int = 8
    requests_per_second: float | None = None
    timeout: tuple[float, float] = (10, 60)
    answer_seconds: float = 300
    most_answer_bytes: int = 64 * 2**20
    most_records: int = 5_000_000
    nested_levels: int = DEEPEST
    max_attempts: int = 10
    retry_seconds: float = 300


class TrackerClient:
    """A client of one Tracker v5 API; all methods are thread-safe."""

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
            token: sent to this host only. With None, only public projects can be read.
            settings: the limits.
            sleep: waits for some seconds; by default, closing the client ends the wait.
            clock: a monotonic clock, in seconds.

        Raises:
            BadBaseUrl: if base_url is invalid, or a token must not be sent to it.
            InvalidAuthentication: if the token contains invalid characters.
        """
        settings = settings or ClientSettings()
        self.base_url, is_loopback = checked_base_url(base_url)
        self._host = urlsplit(self.base_url).netloc
        self.max_in_flight = max(1, settings.max_in_flight)
        # More than may be in flight, so that requests continue while a page is converted to rows.
        self.pages_ahead = self.max_in_flight * 3 // 2
        self.most_records = settings.most_records
        token = _checked_token(token)
        self._secrets = [token] if token else []
        self._auth: AuthBase = _TokenAuth(token, settings.auth)
        self._settings = settings
        self._clock = clock
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        first_rate = None if is_loopback else _FIRST_RATE
        self._pace = Pace(first_rate, settings.requests_per_second, clock, self._sleep)
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
        self._pool = ThreadPoolExecutor(self.pages_ahead, thread_name_prefix="tracker")
        self._counts_lock = threading.Lock()
        self._has_answered = False
        self.requests_count = 0
        self.retries_count = 0
        self.plain_pages = PlainPages(settings.nested_levels)
        # Whether a list's pages must be requested with an envelope, by the list's name.
        self.enveloped_lists: dict[str, bool] = {}

    def __enter__(self) -> TrackerClient:
        """Use the session in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it at the end."""
        self.close()

    def close(self) -> None:
        """Stop; waiting requests fail with `ClientClosed`."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._session.close()
        self.plain_pages.close()

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function that uses this client in one of its threads."""
        return self._pool.submit(work, *args, **kwargs)

    def get(
        self, path: str, params: Params | None = None, plain: PlainRows | None = None
    ) -> Answer:
        """Request one path and return the response.

        Args:
            path: the path below the base URL, such as `/projects/101/labels`.
            params: the query.
            plain: converts a page of plain records to rows, without parsing it.

        Raises:
            TrackerError: if the request fails; the subclass depends on the cause.
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

    def login(self, username: str, password: str) -> str:
        """Exchange a user name and password for the API token (`GET /me`), and use that token.

        Raises:
            InvalidAuthentication: if they are rejected.
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

    def _exchange(
        self, url: str, params: Params | None, plain: PlainRows | None, what: str
    ) -> Answer:
        """Make one attempt, following redirects within the host."""
        for _ in range(_MAX_REDIRECTS):
            auth = self._auth
            received = self._send(url, params, what, auth)
            if self._switches_to_bearer(received, auth):
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

    def _switches_to_bearer(self, received: Received, auth: AuthBase) -> bool:
        """Send the token as a bearer token from now on if the host asks for it. Returns whether."""
        wanted = received.headers.get("WWW-Authenticate", "").lower()
        if received.status != 401 or "bearer" not in wanted or not isinstance(auth, _TokenAuth):
            return False
        if auth.token is None or auth.scheme == "bearer":
            return False
        _log.info("%s: the host asks for a bearer token", self._host)
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
        _log.info("%s: %s; retry %d in %.1f s", what, failure, state.attempt_number, pause)
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
    """Get the API token of a user by name and password (`GET /me`).

    Raises:
        TrackerError: if the request fails.
    """
    with TrackerClient(base_url, None, settings) as client:
        return client.login(username, password)


class _TokenAuth(AuthBase):
    """Adds the token to a request. Any `auth` also stops requests from reading ~/.netrc."""

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
    """Strip a token, and refuse invalid characters without showing them."""
    token = token.strip() if token else None
    if token and not _TOKEN.fullmatch(token):
        raise InvalidAuthentication("api_token", "it contains characters that no token has")
    return token


def _session(max_in_flight: int, is_loopback: bool, answer_seconds: float) -> requests.Session:
    session = requests.Session()
    adapter = BoundedAdapter(answer_seconds, max_in_flight)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = "pivotal-tracker-warehouse"
    # Use the proxies and certificates configured in the environment, except for this machine.
    session.trust_env = not is_loopback
    return session


def _wait_seconds(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.retry_after if isinstance(failure, TransientFailure) else None
    # Wait a random time longer than asked, so that the threads do not all retry at once.
    return _BACKOFF(state) if asked is None else asked + min(1.0, _BACKOFF(state))
