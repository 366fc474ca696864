"""A proxy that corrupts some responses of a server, on real sockets."""

import random
import socket
import socketserver
import struct
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Fault:
    """How one response is corrupted.

    Attributes:
        instead: bytes to send instead of the response; None to send a part of the response.
        keep: the share of the response's body to send.
        ending: `close` or `reset` the connection, keep it `open`, or `stall` with it open.
        drip_seconds: the pause after each piece; the complete response is sent.
        body: a function that changes the body.
    """

    instead: bytes | None = None
    keep: float = 1.0
    ending: str = "open"
    drip_seconds: float = 0.0
    body: object = None


def answer(status, body=b"", content_type="application/json", **headers):
    lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Length: {len(body)}"]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


_JSON_ERROR = b'{"kind":"error","code":"unhandled_condition","error":"Sorry."}'
_PAGE = b"<html><body>Bad gateway</body></html>"

FAULTS = {
    "429 without Retry-After": Fault(answer(429, b"slow down", "text/plain")),
    "429 with Retry-After": Fault(answer(429, b"", Retry_After="0")),
    "500 with JSON": Fault(answer(500, _JSON_ERROR)),
    "502 with HTML": Fault(answer(502, _PAGE, "text/html")),
    "reset before the answer": Fault(b"", ending="reset"),
    "closed before the answer": Fault(b"", ending="close"),
    "reset in the middle of the body": Fault(keep=0.5, ending="reset"),
    "a body cut short": Fault(keep=0.7, ending="close"),
    "JSON cut short": Fault(body=lambda body: body[:-2]),
    "a stalled connection": Fault(keep=0.3, ending="stall"),
    "stalled before the answer": Fault(b"", ending="stall"),
    "a slow connection": Fault(drip_seconds=0.01),
    "a wrong content type with a web page": Fault(answer(200, _PAGE, "text/html")),
    "half a status line": Fault(b"HTTP/1.", ending="close"),
}


class FaultyRelay:
    """Forwards requests to a server; `choose(path)` returns the fault for a response, or None."""

    def __init__(self, server, choose):
        self.upstream = urlsplit(server.base_url).netloc.split(":")
        self.choose = choose
        self.faults_count = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.relay = self
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/services/v5"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def exchange(self, request):
        """Head and body of the server's response."""
        host, port = self.upstream
        with socket.create_connection((host, int(port))) as upstream:
            upstream.sendall(request)
            stream = upstream.makefile("rb")
            head = head_of(stream)
            length = next(
                int(line.partition(b":")[2])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length:")
            )
            return head, stream.read(length)


def one_in_five(seed):
    """Corrupt a fifth of the responses, with all kinds of faults equally often."""
    rng = random.Random(seed)
    lock = threading.Lock()

    def choose(path):
        with lock:
            return FAULTS[rng.choice(tuple(FAULTS))] if rng.random() < 0.2 else None

    return choose


def head_of(stream):
    """Everything up to the empty line; empty if the connection was closed."""
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    return b"".join([*lines, line]) if line else b""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    block_on_close = False

    def __init__(self, *arguments):
        self.stopped = threading.Event()
        super().__init__(*arguments)

    def handle_error(self, *_):
        """Connections that are cut on purpose are no news."""


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while request := head_of(self.rfile):
            path = request.split(b" ", 2)[1].decode().partition("?")[0]
            fault = self.server.relay.choose(path.removeprefix("/services/v5"))
            if fault is None:
                self.wfile.write(b"".join(self.server.relay.exchange(request)))
            elif not self._spoil(fault, request):
                return

    def _spoil(self, fault, request):
        """Send the fault. Returns whether the connection stays open."""
        self.server.relay.faults_count += 1
        if fault.instead is None:
            self._send(fault, *self.server.relay.exchange(request))
        else:
            self.wfile.write(fault.instead)
        if fault.ending == "stall":
            self.server.stopped.wait(30)
        elif fault.ending == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return fault.ending == "open"

    def _send(self, fault, head, body):
        if fault.body:
            told = f"Content-Length: {len(body)}\r\n".encode()
            body = fault.body(body)
            head = head.replace(told, f"Content-Length: {len(body)}\r\n".encode())
        self.wfile.write(head)
        body = body[: int(len(body) * fault.keep)]
        size = len(body) // 5 + 1 if fault.drip_seconds else len(body) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            time.sleep(fault.drip_seconds)
