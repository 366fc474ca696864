"""A run leaves no token or password in files, tables, logs or output, in any encoding."""

import base64
import os
import pty
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import orjson
import pytest

from ingest.warehouses.configured import make_pipeline
from simulator import ServerOptions, serve
from simulator.answers import ApiError
from simulator.routes import kinds
from tests.conftest import ROOT, SECTION, dbt, environment, ingest, ingest_process

TOKEN = "5e17ine1/t0ken+5e17ine1=t0ken&"
USER = "sentinel.user"
PASSWORD = 'pa"ss wört+sentinel/%41'


def forms(secret):
    """The encodings of a secret: plain, URL-encoded, and base64, alone or after a user name."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    for plain_secret in (secret, f"{USER}:{secret}"):
        for encoding in ("utf-8", "latin-1"):
            encoded = base64.b64encode(plain_secret.encode(encoding)).decode().rstrip("=")
            texts |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return {text.encode() for text in texts}


SENTINELS = forms(TOKEN) | forms(PASSWORD) | {TOKEN[:12].encode()}


def assert_no_secret(name, content):
    for sentinel in SENTINELS:
        assert sentinel not in content, f"{sentinel} in {name}"


def everything_left(path):
    """All files in the warehouse's folder (with logs and dbt's target) and dlt's working folder."""
    for folder in (path.parent, Path(make_pipeline(path).pipelines_dir)):
        yield from (each for each in folder.rglob("*") if each.is_file())


def every_cell(path):
    """All rows of all tables and views as text, because the file is compressed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
        for schema, name in names:
            yield name, str(connection.execute(f'from "{schema}"."{name}"').fetchall()).encode()


class IndiscreetServer:
    """A server that repeats the secrets in its error messages once `is_failing` is set."""

    def __init__(self, workspace):
        self.is_failing = False
        options = ServerOptions(before_request=self._before_request)
        self.server = serve(workspace, options=options)
        self.base_url = self.server.base_url
        self.server.token, self.server._kinds = TOKEN, kinds(TOKEN)
        self._authenticate, self.server._authenticate = self.server._authenticate, self._check_login

    def _before_request(self, request):
        if not self.is_failing or not request.path.endswith("/stories"):
            return None
        # The second one is at the position where a long text is truncated.
        runs_of_all_kinds = (
            f"{TOKEN} {quote(TOKEN, safe='')} {'x' * 185} {TOKEN} {dict(request.headers)}"
        )
        error = ApiError("unauthorized_operation", general_problem=runs_of_all_kinds)
        return 403, {"Content-Type": "application/json"}, orjson.dumps(error.body)

    def _check_login(self, request):
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            self._authenticate(request)


@pytest.fixture
def server(tiny_workspace):
    indiscreet = IndiscreetServer(tiny_workspace)
    with indiscreet.server:
        yield indiscreet


def test_no_secret_is_stored_or_printed(server, tiny_workspace, path):
    project = str(min(tiny_workspace.projects))
    by_token = {"api_token": TOKEN, "base_url": server.base_url}
    in_the_environment = {SECTION + name.upper(): value for name, value in by_token.items()}
    by_password = {"username": USER, "password": PASSWORD, "base_url": server.base_url}
    runs_of_all_kinds = [
        ingest_process("api", "--project", project, warehouse=path, **by_token),
        ingest("api", "--project", project, "--json", warehouse=path, **by_password),
    ]
    assert [each.returncode for each in runs_of_all_kinds] == [0, 0], runs_of_all_kinds[-1].stderr
    server.is_failing = True
    runs_of_all_kinds += [
        ingest("api", "--full", "--project", project, warehouse=path, **by_token),
        ingest("api", "--full", "--json", warehouse=path, **by_password),
        ingest("api", warehouse=path, api_token=TOKEN + "x", base_url=server.base_url),
        ingest("api", warehouse=path, api_token=TOKEN, base_url=f"https://x:{PASSWORD}@host/v5"),
        ingest("api", warehouse=path, api_token=TOKEN, base_url=f"https://host/v5?token={TOKEN}"),
        ingest("api", warehouse=path, max_in_flight=TOKEN, **by_token),
        ingest("api", warehouse=path, project_ids=TOKEN, **by_token),
    ]
    assert {each.returncode for each in runs_of_all_kinds[2:]} == {1}
    assert "***" in runs_of_all_kinds[2].stdout  # the host did repeat them
    runs_of_all_kinds.append(dbt("run", "-s", "staging", warehouse=path, **in_the_environment))
    for run in runs_of_all_kinds:
        assert_no_secret(run.args, (run.stdout + run.stderr).encode())
        assert "Traceback" not in run.stderr
    files = list(everything_left(path))
    assert {each.suffix for each in files} >= {".log", ".duckdb", ".json", ".pickle"}
    for file in files:
        assert_no_secret(file, file.read_bytes())
    for name, cells in every_cell(path):
        assert_no_secret(name, cells)


def test_no_secret_is_displayed_or_logged_at_the_most_verbose_level(server, tiny_workspace, path):
    """With the progress display of a terminal, and dlt's most verbose log level."""
    settings = {
        SECTION + "API_TOKEN": TOKEN,
        SECTION + "BASE_URL": server.base_url,
        "RUNTIME__LOG_LEVEL": "DEBUG",
        "TERM": "xterm",
    }
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--project", str(min(tiny_workspace.projects))],
        cwd=ROOT,
        env=environment(path, **settings),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    visible = b"".join(iter(lambda: read_terminal(ours), b""))
    os.close(ours)
    assert process.wait(60) == 0
    assert b"\x1b[" in visible  # the display was drawn
    assert_no_secret("the terminal", visible)
    for file in everything_left(path):
        assert_no_secret(file, file.read_bytes())


def read_terminal(descriptor):
    """The output on a terminal; empty after the program has ended."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def test_a_stored_secret_is_detected(path):
    for sentinel in SENTINELS:
        with pytest.raises(AssertionError):
            assert_no_secret("somewhere", b"before " + sentinel + b" after")
    assert len(SENTINELS) > 10
