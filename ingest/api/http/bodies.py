"""Receive responses with limits on their total duration and their decompressed size."""

from __future__ import annotations

import functools
import http.client
import io
import socket
import time
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.poolmanager import PoolManager

from ingest.api.http.answers import TransientFailure
from ingest.api.http.errors import AnswerTooLarge

_PIECE_BYTES = 256 * 1024


class Received(NamedTuple):
    """A completely received response."""

    status: int
    reason: str
    headers: CaseInsensitiveDict[str]
    body: bytes | bytearray


def receive(response: requests.Response, what: str, host: str, most_bytes: int) -> Received:
    """Read and decompress the body of a response.

    Args:
        response: a response to a request with `stream=True`.
        what: the request, for messages.
        host: the host's name, for messages.
        most_bytes: the maximum decompressed size.

    Raises:
        AnswerTooLarge: if the body is larger.
        TransientFailure: if the connection breaks or stalls, or the time is over.
    """
    body = bytearray()
    try:
        # `iter_content` would wait until a piece is full.
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
            body += piece
            if len(body) > most_bytes:
                raise AnswerTooLarge(what, f"more than {most_bytes / 2**20:,.0f} MB")
    except ReadTimeoutError:
        reason = "stopped sending" if not body else "was still sending when the time was over"
        raise TransientFailure(f"{host} {reason}") from None
    except (HTTPError, OSError, ValueError):
        reason = f"the connection to {host} broke before the response was complete"
        raise TransientFailure(reason) from None
    finally:
        if not response.raw.isclosed():
            response.close()
    return Received(response.status_code, response.reason or "", response.headers, body)


class BoundedAdapter(HTTPAdapter):
    """Limits the duration of a response.

    The timeouts of `requests` limit only the wait for the next bytes, so a host that sends one byte
    per minute would block a request for ever.
    """

    def __init__(self, answer_seconds: float, connections: int) -> None:
        """Limit the seconds from sending a request to the last byte of its response."""
        response_class = functools.partial(_BoundedResponse, seconds=answer_seconds)
        self._pools = {
            "http": _with_responses(HTTPConnectionPool, HTTPConnection, response_class),
            "https": _with_responses(HTTPSConnectionPool, HTTPSConnection, response_class),
        }
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - theirs
        """Use connections with the limit."""
        super().init_poolmanager(*arguments, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **settings: Any) -> PoolManager:  # noqa: ANN401
        """Use connections with the limit to proxies, too."""
        manager = super().proxy_manager_for(*arguments, **settings)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _with_responses(pool: type, connection: type, response_class: object) -> type:
    bounded = type(connection.__name__, (connection,), {"response_class": response_class})
    return type(pool.__name__, (pool,), {"ConnectionCls": bounded})


class _BoundedResponse(http.client.HTTPResponse):
    """A response that must be received before a deadline."""

    def __init__(
        self,
        sock: socket.socket,
        *arguments: Any,  # noqa: ANN401 - those of the library
        seconds: float,
        **settings: Any,  # noqa: ANN401 - theirs
    ) -> None:
        super().__init__(sock, *arguments, **settings)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineStream(sock, time.monotonic() + seconds))


class _DeadlineStream(socket.SocketIO):
    """The stream of a socket, as from `socket.makefile`, with a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__(sock, "r")
        # Keep the socket open until this stream is closed, as `makefile` does.
        sock._io_refs += 1  # type: ignore[attr-defined]
        self._socket = sock
        self._deadline = deadline

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - a buffer
        """Wait for bytes until the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response took too long")
        usual = self._socket.gettimeout()
        if usual is None or left < usual:
            self._socket.settimeout(left)
        try:
            return super().readinto(buffer)
        finally:
            self._socket.settimeout(usual)
