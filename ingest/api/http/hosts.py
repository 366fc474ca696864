"""Check whether a token may be sent to a host, and explain why a host cannot be reached."""

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
        BadBaseUrl: if it is invalid, or a token must not be sent to it.
        NotTrackerV5: if it is the URL of API v3 or v4.
    """
    try:
        parts = urlsplit(base_url.strip())
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises if it is not a number
    except ValueError as error:
        raise BadBaseUrl("base_url", str(error)) from None
    if parts.scheme not in ("http", "https") or not host:
        raise BadBaseUrl("base_url", "it is not an http(s) address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadBaseUrl(
            "base_url",
            "it contains more than a host and a path",
            "set the token as api_token, and base_url in the form https://host/services/v5",
        )
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback:
        raise BadBaseUrl(
            f"base_url http://{parts.netloc}",
            "plain http would expose the token on the network",
            "use https",
        )
    if re.search(r"/services/v[34](/|$)", parts.path):
        raise NotTrackerV5(
            f"base_url {parts.path}",
            "API v3 and v4 return XML",
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
    """The target of a redirect, which must be on the same host.

    Raises:
        RedirectRefused: if it has another scheme, host or port, or is invalid.
    """
    status = received.status
    try:
        target = urljoin(url, received.headers["Location"])
        here, there = urlsplit(url), urlsplit(target)
        is_same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
        if is_same:
            requests.Request("GET", target).prepare()
    except ValueError:
        raise RedirectRefused(what, f"{status} to an invalid address") from None
    if not is_same:
        raise RedirectRefused(
            what, f"{status} to {there.scheme}://{there.hostname}", _switched_off(url)
        )
    return target


def connection_failure(
    what: str, base_url: str, error: Exception
) -> TransientFailure | TrackerError:
    """The error for a failed connection: temporary, or a host that does not exist."""
    host = urlsplit(base_url).netloc
    if isinstance(error, requests.exceptions.SSLError):
        return _tls_failure(what, host, error)
    if isinstance(error, requests.exceptions.InvalidURL):
        return BadBaseUrl("base_url", "it is not a valid address")
    causes = list(_causes(error))
    reason = remedy = ""
    if isinstance(error, requests.exceptions.ProxyError):
        reason, remedy = "the proxy refused the connection", "check the setting HTTPS_PROXY"
    elif any(isinstance(cause, NameResolutionError) for cause in causes):
        reason = f"the name {urlsplit(base_url).hostname} was not found"
    elif any(getattr(cause, "errno", None) == errno.ECONNREFUSED for cause in causes):
        reason = f"{host} refused the connection"
    elif isinstance(error, requests.exceptions.ConnectTimeout):
        reason = f"{host} did not accept a connection in time"
    elif any(isinstance(cause, NewConnectionError) for cause in causes):
        reason = f"there is no route to {host} (is there a network?)"
    if reason:
        remedy = remedy or _switched_off(base_url)
        return TransientFailure(reason, fatal=Unreachable(what, reason, remedy))
    if isinstance(error, requests.exceptions.Timeout):
        return TransientFailure(f"{host} did not answer in time")
    return TransientFailure(f"the connection to {host} broke before the response was complete")


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
    """An error and all its causes, which requests and urllib3 store in several attributes."""
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
    """Specific advice for Tracker's own host, which no longer exists."""
    host = urlsplit(url).hostname or ""
    if host == "pivotaltracker.com" or host.endswith(".pivotaltracker.com"):
        return (
            "pivotaltracker.com was switched off on 2025-04-30: set base_url to a compatible host"
        )
    return ""
