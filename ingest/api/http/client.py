"""The session with a Tracker v5 API: who asks, how fast, what is tried again, what an error means.

Limits, where Tracker documented none: eight requests in flight; on other hosts than loopback ten a
second, for all threads together (Tracker answered 429 from some unknown rate on; clients that
stayed at three a second never saw it, and a 429 slows this client down as a whole).
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from ingest.api.http.answers import Answer, TransientFailure, read_answer
from ingest.api.http.bodies import receive_body
from ingest.api.http.errors import (
    ClientClosed,
    InvalidAuthentication,
    RedirectRefused,
    RetriesExhausted,
    TrackerError,
    UnexpectedAnswer,
)
from ingest.api.http.hosts import checked_base_url, connection_failure, redirect_target
from ingest.api.http.pace import Pace
from ingest.api.http.paging import Pages
from ingest.records import Record

_log = logging.getLogger(__name__)

Params = Mapping[str, str | int]
P = ParamSpec("P")
T = TypeVar("T")

POLITE_REQUESTS_PER_SECOND = 10.0
_MAX_REDIRECTS = 5
_TOKEN = re.compile(r"[!-~]+")
_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)


class TrackerClient:
    """A session with one Tracker v5 API; every method may be called from any thread."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        max_in_flight: int = 8,
        requests_per_second: float | None = None,
        timeout: tuple[float, float] = (10, 60),
        answer_seconds: float = 300,
        max_attempts: int = 10,
        retry_seconds: float = 300,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            base_url: such as `https://host/services/v5`; plain http only on loopback.
            token: sent as `X-TrackerToken`, to this host only. None reads public projects.
            max_in_flight: requests under way at once, whoever asks.
            requests_per_second: bound on the request rate, 0 for none; by default none on
                loopback, `POLITE_REQUESTS_PER_SECOND` elsewhere.
            timeout: seconds to connect, and between two pieces of an answer.
            answer_seconds: the most that one answer's body may take, however it drips.
            max_attempts: how often one request is tried.
            retry_seconds: how long one request is tried.
            sleep: waits some seconds; by default until the client is closed.
            clock: seconds that never go back.

        Raises:
            BadBaseUrl: when base_url is not one that a token may be sent to.
            InvalidAuthentication: when the token cannot be one.
        """
        self.base_url, is_loopback = checked_base_url(base_url)
        self._host = urlsplit(self.base_url).netloc
        if requests_per_second is None and not is_loopback:
            requests_per_second = POLITE_REQUESTS_PER_SECOND
        self.max_in_flight = max(1, max_in_flight)
        token = _checked_token(token)
        self._secrets = [token] if token else []
        self._auth: AuthBase = _TokenAuth(token)
        self._timeout = timeout
        self._answer_seconds = answer_seconds
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._pace = Pace(requests_per_second, clock, self._sleep)
        self._retrying = Retrying(
            retry=retry_if_exception_type(TransientFailure),
            wait=_wait_seconds,
            stop=stop_after_attempt(max_attempts) | stop_before_delay(retry_seconds),
            sleep=self._sleep,
            before_sleep=self._before_retry,
            reraise=True,
        )
        self._session = _session(self.max_in_flight, is_loopback)
        self._slots = threading.BoundedSemaphore(self.max_in_flight)
        self._pool = ThreadPoolExecutor(self.max_in_flight, thread_name_prefix="tracker")
        self._counts_lock = threading.Lock()
        self._has_answered = False
        self.requests_count = 0
        self.retries_count = 0
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

    def get(self, path: str, params: Params | None = None) -> Answer:
        """Ask for one path and return its whole answer.

        Args:
            path: below the base URL, such as `/projects/101/labels`.
            params: the query.

        Raises:
            TrackerError: the subclass that fits, when it could not be had.
        """
        what = f"GET {path}"
        retrying = self._retrying.copy()
        try:
            answer = retrying(self._exchange, self.base_url + path, params, what)
        except TransientFailure as failure:
            attempts = retrying.statistics.get("attempt_number", 1)
            raise self._explained_failure(what, failure, attempts) from None
        except TrackerError as error:
            raise error.without(self._secrets) from None
        self._has_answered = True
        attempts = retrying.statistics.get("attempt_number", 1)
        return answer if attempts == 1 else replace(answer, requests_count=attempts)

    def pages(
        self, path: str, params: Params | None = None, page_size: int | None = None
    ) -> Iterator[list[Record]]:
        """Read one list page by page, in its order, a few pages ahead.

        Args:
            path: the list's path.
            params: the query, without `limit` and `offset`.
            page_size: records asked for at once; None for lists that come whole.
        """
        pages = Pages(self, path, params, page_size)
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

    def _exchange(self, url: str, params: Params | None, what: str) -> Answer:
        """One attempt: send, follow redirects within the host, read the whole answer."""
        for _ in range(_MAX_REDIRECTS):
            response = self._send(url, params, what)
            if not response.is_redirect:
                return read_answer(response, what)
            url, params = redirect_target(url, response, what), None
        raise RedirectRefused(what, f"more than {_MAX_REDIRECTS} redirects")

    def _send(self, url: str, params: Params | None, what: str) -> requests.Response:
        self._pace.wait()
        with self._slots:
            if self._closed.is_set():
                raise ClientClosed(what)
            with self._counts_lock:
                self.requests_count += 1
            try:
                response = self._session.get(
                    url,
                    params=params,
                    auth=self._auth,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
            except requests.RequestException as error:
                raise connection_failure(what, self.base_url, error) from None
            receive_body(response, self._host, self._answer_seconds)
            return response

    def _before_retry(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        if not isinstance(failure, TransientFailure):
            return
        if failure.fatal is not None and not self._has_answered:
            raise failure.fatal
        with self._counts_lock:
            self.retries_count += 1
        what, pause = state.args[-1], state.upcoming_sleep
        _log.info("%s: %s; again in %.1f s (try %d)", what, failure, pause, state.attempt_number)
        if failure.is_throttling:
            self._pace.pause(state.upcoming_sleep)

    def _explained_failure(
        self, what: str, failure: TransientFailure, attempts: int
    ) -> TrackerError:
        if failure.fatal is not None:
            return failure.fatal.without(self._secrets)
        tried = f"tried {attempts} times" if attempts > 1 else "tried once"
        asked = f", it asks to wait {failure.retry_after:.0f} s" if failure.retry_after else ""
        return RetriesExhausted(what, f"{failure} ({tried}{asked})").without(self._secrets)


def login(base_url: str, username: str, password: str) -> str:
    """The API token of a user, by name and password (`GET /me`).

    Raises:
        TrackerError: when it could not be had.
    """
    with TrackerClient(base_url) as client:
        return client.login(username, password)


class _TokenAuth(AuthBase):
    """Adds the token to a request; as an `auth`, it also keeps ~/.netrc out of it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["X-TrackerToken"] = self._token
        return request


def _checked_token(token: str | None) -> str | None:
    """The token without blanks around it; what http cannot carry is refused without showing it."""
    token = token.strip() if token else None
    if token and not _TOKEN.fullmatch(token):
        raise InvalidAuthentication("api_token", "it holds characters that no token has")
    return token


def _session(max_in_flight: int, is_loopback: bool) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=max_in_flight)
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
