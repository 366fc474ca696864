"""A v5 API on loopback that serves a simulated workspace."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import socket
import struct
import threading
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from simulator.answers import (
    FORBIDDEN,
    Answer,
    ApiError,
    Page,
    Reply,
    Request,
    ServerOptions,
)
from simulator.fields import FieldsError
from simulator.instants import http_date
from simulator.list_routes import router
from simulator.rendering import Renderer
from simulator.routes import Call, kinds
from simulator.workspace import Workspace

BASE_PATH = "/services/v5"
PASSWORD = "demo-password"  # of every simulated person; not a secret
_CACHE_BYTES = 64 * 2**20
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Credentials": "false",
    "Access-Control-Allow-Headers": "X-TrackerToken,DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,"
    "X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,"
    "X-Tracker-Warn-Unless-Project-Version-Is",
    "X-Tracker-Client-Pinger-Interval": "20",
}


class LoggedRequest(NamedTuple):
    """A handled request, for tests."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    seconds: float


class DemoServer:
    """A running server with `base_url`, `token`, `request_count`, `requests` and `close()`.

    `username` and `password` can be used for Basic authentication on /me instead of the token.
    `failures` collects unexpected exceptions, which are answered with status 500. Requests run in
    several threads; each response is created under the workspace's lock, so that it describes one
    version. Responses are cached until the workspace changes.
    """

    def __init__(self, workspace: Workspace, port: int, options: ServerOptions) -> None:
        """Bind to a port (0: any free port) and start serving."""
        self.workspace = workspace
        self.options = options
        self.token = hashlib.md5(f"token of {workspace.me_id}".encode()).hexdigest()
        me = workspace.people.get(workspace.me_id)
        self.username = me.username if me else ""
        self.password = PASSWORD
        self.requests: list[LoggedRequest] = []
        self.failures: list[Exception] = []
        self._missing = [re.compile(pattern) for pattern in options.missing_paths]
        self._router = router()
        self._kinds = kinds(self.token)
        self._cache: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._cache_state: tuple[int, int] = (0, 0)
        self._cache_size = 0
        self._count = 0
        self._counting = threading.Lock()
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.demo = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """The base URL for clients, including `/services/v5`."""
        host, port = self._http.server_address[:2]
        return f"http://{host}:{port}{BASE_PATH}"

    @property
    def request_count(self) -> int:
        """The number of requests received."""
        return self._count

    def close(self) -> None:
        """Stop serving and close all connections."""
        self._http.shutdown()
        self._http.close_connections()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> DemoServer:
        """Return the running server."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the server."""
        self.close()

    # ------------------------------------------------------------------ answering

    def answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        """Return the response to a request; `headers` have lower-case names.

        Raises:
            ConnectionResetError: if the hook requests to cut the connection.
        """
        began = time.perf_counter()
        url = urlsplit(target)
        path = unquote(url.path)
        inside = path.startswith(BASE_PATH)
        with self._counting:
            self._count += 1
            number = self._count
        request = Request(
            number,
            method,
            path[len(BASE_PATH) :] if inside else path,
            dict(parse_qsl(url.query, keep_blank_values=True)),
            headers,
        )
        answer = self._answered(request, target, inside)
        seconds = time.perf_counter() - began
        self.requests.append(LoggedRequest(method, request.path, request.query, answer[0], seconds))
        return answer

    def _answered(self, request: Request, target: str, inside: bool) -> Answer:
        try:
            if self.options.before_request is not None:
                ready = self.options.before_request(request)
                if ready is not None:
                    return ready
            with self.workspace.lock:
                return self._looked_up(request, target, inside)
        except ConnectionResetError:
            raise
        except Exception as problem:  # a bug here or in the hook: recorded for tests
            self.failures.append(problem)
            return self._error(ApiError("unhandled_condition"))

    def _looked_up(self, request: Request, target: str, inside: bool) -> Answer:
        try:
            if not inside or request.method != "GET" or self._is_missing(request.path):
                raise ApiError("route_not_found")
            self._authenticate(request)
            return self._cached(request, target)
        except ApiError as error:
            return self._error(error)
        except FieldsError as problem:
            return self._error(ApiError("invalid_parameter", general_problem=str(problem)))

    def _is_missing(self, path: str) -> bool:
        return any(pattern.search(path) for pattern in self._missing)

    def _authenticate(self, request: Request) -> None:
        """Check the token, or for /me a user name (or e-mail address) and password."""
        if request.headers.get("x-trackertoken") == self.token:
            return
        basic = request.headers.get("authorization", "")
        if request.path == "/me" and basic.startswith("Basic "):
            me = self.workspace.people[self.workspace.me_id]
            user, _, password = _decoded(basic[6:]).partition(":")
            if user in {me.username, me.email} and password == PASSWORD:
                return
            fix = "Recheck your name (email address or Tracker username) and password."
            raise ApiError("invalid_authentication", possible_fix=fix)
        fix = "Verify that your token value matches what's shown on your Profile page in Tracker."
        raise ApiError("invalid_authentication", possible_fix=fix)

    def _cached(self, request: Request, target: str) -> Answer:
        state = (self.workspace.revision, self.workspace.now)
        if state != self._cache_state:
            self._cache.clear()
            self._cache_state, self._cache_size = state, 0
        answer = self._cache.get((request.method, target))
        if answer is None:
            answer = self._rendered(request)
            self._cache[(request.method, target)] = answer
            self._cache_size += len(answer[2])
            while self._cache_size > _CACHE_BYTES:
                self._cache_size -= len(self._cache.popitem(last=False)[1][2])
        return answer

    def _rendered(self, request: Request) -> Answer:
        handler, ids = self._router.find(request.path)
        if request.path.startswith("/projects/") and ids[0] in self.options.forbidden_projects:
            raise ApiError("unauthorized_operation", **FORBIDDEN)
        renderer = Renderer(
            self.workspace, self._kinds, request.in_millis, self.options.title_for_name
        )
        reply = handler(Call(self.workspace, self.options, request, renderer, ids))
        body = self._enveloped(reply) if request.query.get("envelope") == "true" else reply.body
        headers = {
            "Status": "200 OK",
            "Cache-Control": "max-age=0, private, must-revalidate",
            **self._page_headers(reply.page),
            **reply.headers,
        }
        if reply.project is not None:
            headers["X-Tracker-Project-Version"] = str(reply.project.version)
        content = orjson.dumps(body)
        headers["ETag"] = f'"{hashlib.md5(content).hexdigest()}"'
        return 200, self._finished(headers), content

    def _enveloped(self, reply: Reply) -> dict[str, object]:
        envelope: dict[str, object] = {"http_status": "200"}
        if reply.project is not None:
            envelope["project_version"] = reply.project.version
        if reply.page is not None:
            page = reply.page
            envelope["pagination"] = {
                "total": self._total(page),
                "offset": page.offset,
                "limit": page.limit,
                "returned": page.returned,
            }
        return {**envelope, "data": reply.body}

    def _total(self, page: Page) -> int | None:
        if self.options.total == "null":
            return None
        return page.total + (7 if self.options.total == "too_large" else 0)

    def _page_headers(self, page: Page | None) -> dict[str, str]:
        if page is None or not self.options.pagination_headers:
            return {}
        figures = {
            "Total": self._total(page),
            "Limit": page.limit,
            "Offset": page.offset,
            "Returned": page.returned,
        }
        return {
            f"X-Tracker-Pagination-{name}": str(figure)
            for name, figure in figures.items()
            if figure is not None
        }

    def _error(self, error: ApiError) -> Answer:
        headers = {"Cache-Control": "no-cache"}
        return error.status, self._finished(headers), orjson.dumps(error.body)

    def _finished(self, headers: dict[str, str]) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Date": http_date(self.workspace.now),
            **headers,
            **_CORS,
        }


def _decoded(credentials: str) -> str:
    try:
        return base64.b64decode(credentials).decode(errors="replace")
    except binascii.Error:
        return ""


class _Http(ThreadingHTTPServer):
    """The HTTP server; it keeps track of its connections, so that closing it also closes them."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    demo: DemoServer

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: socket.socket, client_address: object) -> None:
        """Ignore errors: test clients may disconnect at any time."""

    def close_connections(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    """Handles HTTP/1.1 with keep-alive; the responses come from `DemoServer.answer`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Http

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, answered, body = self.server.demo.answer(self.command, self.path, headers)
        except ConnectionResetError:
            self._reset()
            return
        self.send_response_only(status)
        for name, value in answered.items():
            self.send_header(name, value)
        stated = next((v for k, v in answered.items() if k.lower() == "content-length"), None)
        if stated is None:
            self.send_header("Content-Length", str(len(body)))
        elif stated != str(len(body)):
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _reset(self) -> None:
        """Close the connection with a reset."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.server.connections.discard(self.connection)
        self.close_connection = True
        self.rfile.close()
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Do not log: `DemoServer.requests` has all requests."""


def serve(workspace: Workspace, port: int = 0, options: ServerOptions | None = None) -> DemoServer:
    """Serve a workspace on loopback in the background. Close it, or use it in a `with` statement.

    Raises:
        OSError: if the port is in use.
    """
    return DemoServer(workspace, port, options or ServerOptions())
