"""Serve the dashboard on this machine and open a browser: `python -m bi.serve`.

The server sends a page, its script and JSON responses from the published copy. It listens on
loopback only, and accepts only loopback host names, which prevents other web sites from reading it
by DNS rebinding.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import threading
import webbrowser
from collections.abc import Callable
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import duckdb

from bi import answers, page
from bi.answers import ChoiceError, Json
from bi.published import PublishedCopy, PublishedError, rows_of
from ingest.run.settings import SettingsError, marts_path

_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


# The response to /api/start, cached per publication: {publication_id: response}.
_start_responses: dict[str, Json] = {}


def _start(connection: duckdb.DuckDBPyConnection, query: dict[str, str]) -> Json:
    (publication,) = rows_of(connection, "select publication_id from publication")
    publication_id = publication["publication_id"]
    if publication_id not in _start_responses:
        response = answers.start(connection)
        _start_responses.clear()
        _start_responses[publication_id] = response
    return _start_responses[publication_id]


def _options(connection: duckdb.DuckDBPyConnection, query: dict[str, str]) -> Json:
    return answers.options(connection, answers.choice(connection, query).project_id)


def _picture(connection: duckdb.DuckDBPyConnection, query: dict[str, str]) -> Json:
    picture = answers.picture_named(query.get("name", ""))
    chosen = answers.choice(connection, query)
    return answers.picture(connection, picture, chosen, query.get("table") == "1")


def _search(connection: duckdb.DuckDBPyConnection, query: dict[str, str]) -> Json:
    return answers.search(connection, query.get("q", ""), answers.number(query, "project"))


def _story(connection: duckdb.DuckDBPyConnection, query: dict[str, str]) -> Json:
    return answers.story(connection, answers.number(query, "story") or 0)


_ANSWERS: dict[str, Callable[[duckdb.DuckDBPyConnection, dict[str, str]], Json]] = {
    "/api/start": _start,
    "/api/options": _options,
    "/api/picture": _picture,
    "/api/search": _search,
    "/api/story": _story,
}


class Server(ThreadingHTTPServer):
    """The dashboard of one published copy."""

    daemon_threads = True

    def __init__(self, port: int, copy: PublishedCopy) -> None:
        """Listen on loopback.

        Args:
            port: the port; 0 takes a free one.
            copy: the published copy to serve.

        Raises:
            OSError: if the port is in use.
        """
        super().__init__(("127.0.0.1", port), _Handler)
        self.copy = copy
        self._lock = threading.Lock()
        self._vega: bytes | None = None

    @cached_property
    def files(self) -> dict[str, tuple[str, bytes]]:
        """The static files: {path: (type, content)}."""
        whole = page.page(
            '<link rel="stylesheet" href="/style.css"><link rel="modulepreload" href="/vega.js">',
            '<script type="module" src="/app.js"></script>',
        )
        return {
            "/": ("text/html", whole.encode()),
            "/style.css": ("text/css", page.part("style.css").encode()),
            "/app.js": ("text/javascript", page.part("app.js").encode()),
        }

    def vega(self) -> bytes:
        """The script that draws the charts, created on first use."""
        with self._lock:
            if self._vega is None:
                self._vega = page.vega().encode()
            return self._vega


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "dashboard"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # noqa: N802 - as http.server names it
        """Answer with a file or with JSON."""
        host = self.headers.get("Host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() not in _HOSTS:
            self._send(403, "text/plain", b"This dashboard is available on this machine only.\n")
            return
        url = urlsplit(self.path)
        if url.path in _ANSWERS:
            query = dict(parse_qsl(url.query))
            code, content = self._answer(_ANSWERS[url.path], query)
            self._send(code, "application/json", json.dumps(content, allow_nan=False).encode())
        elif url.path == "/vega.js":
            self._send(200, "text/javascript", self.server.vega(), is_cacheable=True)
        elif url.path in self.server.files:
            self._send(200, *self.server.files[url.path])
        else:
            self._send(404, "text/plain", b"Page not found; the dashboard is at /.\n")

    do_HEAD = do_GET  # noqa: N815 - likewise

    def _answer(
        self,
        answer: Callable[[duckdb.DuckDBPyConnection, dict[str, str]], Json],
        query: dict[str, str],
    ) -> tuple[int, Json]:
        try:
            with self.server.copy.connect() as connection:
                return 200, answer(connection, query)
        except ChoiceError as error:
            return 400, {"problem": str(error)}
        except PublishedError as error:
            return 503, {"problem": str(error)}
        except Exception as error:  # a bug must not leave the page waiting
            return 500, {"problem": f"Internal error: {type(error).__name__}: {error}"}

    def _send(self, code: int, kind: str, body: bytes, is_cacheable: bool = False) -> None:
        self.send_response(code)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if is_cacheable:
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            self.send_header("ETag", tag)
            self.send_header("Cache-Control", "max-age=86400")
        else:
            self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except ConnectionError:  # the browser closed the connection
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Do not log requests to the terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns the exit code: 0, or 1 if the port cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m bi.serve", description="Serve the dashboard of the published marts."
    )
    parser.add_argument("--port", type=int, default=8765, help="default: 8765; 0: any free port")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    options = parser.parse_args(arguments)
    try:
        server = Server(options.port, PublishedCopy(marts_path()))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (OSError, OverflowError) as error:
        print(
            f"error: port {options.port} cannot be used: {error}; choose another one with "
            'make dashboard ARGS="--port 9000"',
            file=sys.stderr,
        )
        return 1
    # Prepare the first responses now: creating this script takes a second and blocks other threads.
    server.vega()
    with contextlib.suppress(PublishedError, duckdb.Error), server.copy.connect() as connection:
        _start(connection, {})
    url = f"http://127.0.0.1:{server.server_port}/"
    print(f"The dashboard is at {url} (stop it with Ctrl-C)", flush=True)
    if not options.no_browser:
        threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
