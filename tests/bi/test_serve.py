"""The dashboard's server: its responses, and the requests that it refuses."""

import json
import re
import subprocess
import sys
import threading
from http.client import HTTPConnection

import pytest

from bi.published import PublishedCopy
from bi.serve import Server, main
from tests.conftest import ROOT

MOBILE_APP = 2600003


@pytest.fixture
def serve():
    """Start a server for a copy on a free port."""
    servers = []

    def start(copy):
        server = Server(0, copy)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def get(port, path, **headers):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_is_refused(serve, published, host):
    port = serve(published)
    status, _, body = get(port, "/api/start", Host=host)
    assert (status, body) == (403, b"This dashboard is available on this machine only.\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:9", "[::1]"])
def test_loopback_host_names_are_accepted(serve, published, host):
    assert get(serve(published), "/style.css", Host=host)[0] == 200


def test_every_response_forbids_foreign_scripts(serve, published):
    port = serve(published)
    for path in ("/", "/app.js", "/vega.js", "/api/start", "/nothing"):
        _, headers, _ = get(port, path)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


def test_only_its_own_files_are_served(serve, published):
    port = serve(published)
    for path in ("/../marts.duckdb", "/web/app.js", "//etc/passwd", "/api/"):
        assert get(port, path)[0] == 404


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("picture?name=velocity&project=1", "no project 1"),
        (f"picture?name=x&project={MOBILE_APP}", "no picture called"),
        ("story?story=1", "no story 1"),
        ("search?q=", "Type a story's number"),
    ],
)
def test_an_invalid_request_is_answered_in_one_sentence(serve, published, path, problem):
    status, _, body = get(serve(published), f"/api/{path}")
    assert status == 400
    assert problem in json.loads(body)["problem"]


def test_an_internal_error_is_reported_and_the_next_request_works(serve, published, monkeypatch):
    from bi import serve as module

    monkeypatch.setitem(module._ANSWERS, "/api/story", lambda connection, parameters: 1 / 0)
    port = serve(published)
    status, _, body = get(port, "/api/story?story=1")
    assert status == 500
    assert "ZeroDivisionError" in json.loads(body)["problem"]
    assert get(port, "/api/start")[0] == 200


def test_without_a_copy_it_says_what_to_do_and_then_serves_it(serve, published, tmp_path):
    path = tmp_path / "marts.duckdb"
    port = serve(PublishedCopy(path))
    status, _, body = get(port, "/api/start")
    assert (status, json.loads(body)["problem"]) == (
        503,
        f"{path} does not exist; run make build",
    )
    path.write_bytes(published.path.read_bytes())
    assert get(port, "/api/start")[0] == 200


def test_a_port_in_use_is_reported_in_one_line(serve, published, capsys, monkeypatch):
    monkeypatch.setenv("MARTS_PATH", str(published.path))
    port = serve(published)
    assert main(["--port", str(port), "--no-browser"]) == 1
    assert "cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["bi.serve", "bi.report"])
def test_without_its_packages_it_says_in_one_line_what_installs_them(module):
    code = f"import sys; sys.modules['vl_convert'] = None; import {module}"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert re.fullmatch("error: .* make dashboard and make report install them\n", run.stderr)


def test_a_replaced_copy_is_read_from_then_on(serve, published, tmp_path):
    import duckdb

    path = tmp_path / "marts.duckdb"
    path.write_bytes(published.path.read_bytes())
    port = serve(PublishedCopy(path))
    before = json.loads(get(port, "/api/start")[2])
    other = tmp_path / "other.duckdb"
    other.write_bytes(published.path.read_bytes())
    with duckdb.connect(str(other)) as connection:
        connection.execute("update dim_project set project_name = 'Renamed'")
        connection.execute("update publication set publication_id = 'another'")
    other.replace(path)
    after = json.loads(get(port, "/api/start")[2])
    assert {each["project_name"] for each in after["projects"]} == {"Renamed"}
    assert len(before["projects"]) == len(after["projects"])
