"""A small HTTP server on loopback whose responses come from a function; it records requests."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """A received request: its path without the query, the query, and the headers."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """A response to send.

    Attributes:
        body: bytes are sent unchanged, anything else as JSON.
        keep: the share of the body to send before cutting the connection; 1 sends all of it.
        reset: whether to cut the connection before sending anything.
        seconds: how long to wait before sending.
        chunk: send the body in chunks of this size, without a length; 0 sends it at once.
        raw: pieces to send unchanged, including the status line; then the connection is closed.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    keep: float = 1.0
    reset: bool = False
    seconds: float = 0.0
    chunk: int = 0
    raw: Iterable[bytes] | None = None


def pagination(**stated: object) -> dict[str, str]:
    """Tracker's pagination headers, without those that are None."""
    return {
        f"X-Tracker-Pagination-{name.title()}": str(value)
        for name, value in stated.items()
        if value is not None
    }


class ScriptedServer:
    """Serves `answer(request) -> Reply` on a free loopback port (a context manager)."""

    def __init__(self, answer: Callable[[Request], Reply]):
        self.requests: list[Request] = []
        self.most_in_flight = 0
        self.connections = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._answer = answer
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.base_url = f"{self.origin}/services/v5"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def paths(self) -> list[str]:
        return [request.path.removeprefix("/services/v5") for request in self.requests]

    def reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            reply = self._answer(request)
            time.sleep(reply.seconds)
            return reply
        finally:
            with self._lock:
                self._in_flight -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def handle_error(self, *_):
        """Connections that are cut on purpose are no news."""


def _handler(server: ScriptedServer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            super().setup()
            server.connections += 1

        def do_GET(self):
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.reply(Request(parts.path, query, headers))
            if reply.reset:
                self._cut()
                return
            if reply.raw is not None:
                self.close_connection = True
                for piece in reply.raw:
                    self.wfile.write(piece)
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            stated = {name.lower() for name in reply.headers}
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if "content-type" not in stated:
                self.send_header("Content-Type", "application/json; charset=utf-8")
            sent = body[: int(len(body) * reply.keep)]
            if reply.chunk:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self._send_chunks(sent, reply.chunk, is_complete=reply.keep == 1)
            else:
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(sent)
            if reply.keep < 1:
                self._cut()

        def _send_chunks(self, body, size, is_complete):
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if is_complete:
                self.wfile.write(b"0\r\n\r\n")

        def _cut(self):
            self.wfile.flush()
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.close_connection = True
            self.connection.close()

        def log_message(self, *_):
            pass

    return Handler
