"""The host behind a base URL: whether a token may go there, and why it cannot be reached."""

from __future__ import annotations

import errno
import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from ingest.api.http.answers import TransientFailure
from ingest.api.http.errors import (
    BadBaseUrl,
    NotTrackerV5,
    RedirectRefused,
    TrackerError,
    Unreachable,
)

if TYPE_CHECKING:
    from ingest.api.http.bodies import Received


def checked_base_url(base_url: str) -> tuple[str, bool]:
    """The base URL without a trailing slash, and whether its host is this machine.

    Raises:
        BadBaseUrl: when it is not an address that a token may be sent to.
        NotTrackerV5: when it is one of API v3 or v4.
    """
    try:
        parts = urlsplit(base_url.strip())
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises when it is no number
    except ValueError as error:
        raise BadBaseUrl("base_url", str(error)) from None
    if parts.scheme not in ("http", "https") or not host:
        raise BadBaseUrl("base_url", "it is not an http(s) address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadBaseUrl(
            "base_url",
            "it holds more than a host and a path",
            "give the token as api_token, and base_url in the form https://host/services/v5",
        )
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback:
        raise BadBaseUrl(
            f"base_url http://{parts.netloc}",
            "over plain http anyone on the way could read the token",
            "use https",
        )
    if re.search(r"/services/v[34](/|$)", parts.path):
        raise NotTrackerV5(
            f"base_url {parts.path}",
            "API v3 and v4 answer XML",
            "set base_url to the host's v5 API (.../services/v5)",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", is_loopback


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def redirect_target(url: str, received: Received, what: str) -> str:
    """Where a redirect leads, if that is the same host.

    Raises:
        RedirectRefused: when it leads to another scheme, host or port, or nowhere.
    """
    status = received.status
    try:
        target = urljoin(url, received.headers["Location"])
        here, there = urlsplit(url), urlsplit(target)
        is_same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
        if is_same:
            requests.Request("GET", target).prepare()
    except ValueError:
        raise RedirectRefused(what, f"{status} to what is no address") from None
    if not is_same:
        raise RedirectRefused(
            what, f"{status} to {there.scheme}://{there.hostname}", _switched_off(url)
        )
    return target


def connection_failure(
    what: str, base_url: str, error: Exception
) -> TransientFailure | TrackerError:
    """Tell a bad moment from a host that is not there."""
    host = urlsplit(base_url).netloc
    if isinstance(error, requests.exceptions.SSLError):
        return _tls_failure(what, host, error)
    if isinstance(error, requests.exceptions.InvalidURL):
        return BadBaseUrl("base_url", "it is not a valid address")
    causes = list(_causes(error))
    reason = remedy = ""
    if isinstance(error, requests.exceptions.ProxyError):
        reason, remedy = "the proxy let nothing through", "check the setting HTTPS_PROXY"
    elif any(isinstance(cause, NameResolutionError) for cause in causes):
        reason = f"the name {urlsplit(base_url).hostname} was not found"
    elif any(getattr(cause, "errno", None) == errno.ECONNREFUSED for cause in causes):
        reason = f"{host} refused the connection"
    elif isinstance(error, requests.exceptions.ConnectTimeout):
        reason = f"{host} did not accept a connection in time"
    elif any(isinstance(cause, NewConnectionError) for cause in causes):
        reason = f"there is no way to {host} (is there a network?)"
    if reason:
        remedy = remedy or _switched_off(base_url)
        return TransientFailure(reason, fatal=Unreachable(what, reason, remedy))
    if isinstance(error, requests.exceptions.Timeout):
        return TransientFailure(f"{host} did not answer in time")
    return TransientFailure(f"the connection to {host} broke before the answer was whole")


def _tls_failure(
    what: str, host: str, error: requests.exceptions.SSLError
) -> TransientFailure | TrackerError:
    if "CERTIFICATE" in str(error).upper():
        return Unreachable(
            what,
            f"the TLS certificate of {host} is not valid for it, or its issuer is not trusted",
            "check base_url; behind a company proxy set REQUESTS_CA_BUNDLE to its certificates",
        )
    reason = f"TLS with {host} failed"
    fatal = Unreachable(what, reason, "check base_url: is this an https port?")
    return TransientFailure(reason, fatal=fatal)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was made of: requests and urllib3 wrap in several ways."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            reason = getattr(cause, "reason", None)
            waiting += [cause.__cause__, cause.__context__, reason, *cause.args]


def _switched_off(url: str) -> str:
    """Better advice than the usual for the one host that is known to be gone."""
    host = urlsplit(url).hostname or ""
    if host == "pivotaltracker.com" or host.endswith(".pivotaltracker.com"):
        return (
            "pivotaltracker.com was switched off on 2025-04-30: set base_url to a compatible host"
        )
    return ""
