"""Every error message is one line, says what to do, and does not contain the token."""

import base64
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from ingest.api.http import errors
from ingest.api.http.client import TrackerClient, login
from ingest.api.http.errors import TrackerError
from tests.ingest.api.conftest import TOKEN, error_body
from tests.support.scripted import Reply

HTML_HEADERS = {"Content-Type": "text/html"}
PAGE = b"<!DOCTYPE html>\n<html><title>Welcome</title>\n</html>"

REFUSALS = {
    # reply, kind of error, required parts of the message
    "400": (
        Reply(400, error_body("invalid_parameter", general_problem="The date\ncould not be read")),
        errors.InvalidParameter,
        ["400 invalid_parameter (The date could not be read)", "rejected the request"],
    ),
    "400 with validation errors": (
        Reply(
            400,
            error_body("invalid_parameter", validation_errors=[{"field": "f", "problem": "p"}]),
        ),
        errors.InvalidParameter,
        ["400 invalid_parameter (f: p)"],
    ),
    "401": (Reply(401, {}), errors.InvalidAuthentication, ["401", "set api_token"]),
    "403 wrong token": (
        Reply(403, error_body("invalid_authentication", possible_fix=f"Not {TOKEN}.")),
        errors.InvalidAuthentication,
        ["403 invalid_authentication", "was not accepted", "profile page"],
    ),
    "403 with the token in the message": (
        Reply(403, error_body("invalid_authentication", general_problem=f"{TOKEN} is unknown")),
        errors.InvalidAuthentication,
        ["*** is unknown"],
    ),
    "403 not a member": (
        Reply(403, error_body("unauthorized_operation", requirement="You must be a member.")),
        errors.UnauthorizedOperation,
        ["403 unauthorized_operation (You must be a member.)", "ask an owner", "project_ids"],
    ),
    "404 no such record": (
        Reply(404, error_body("unfound_resource")),
        errors.UnfoundResource,
        ["404 unfound_resource", "does not exist on this host"],
    ),
    "404 no such path": (
        Reply(404, error_body("route_not_found")),
        errors.RouteNotFound,
        ["404 route_not_found", "no such path", "/services/v5"],
    ),
    "404 in another format than Tracker's": (
        Reply(404, {"message": "Not Found"}),
        errors.RouteNotFound,
        ["404", "check base_url"],
    ),
    "404 with a web page": (
        Reply(404, PAGE, HTML_HEADERS),
        errors.RouteNotFound,
        ["404 with a web page", "base_url"],
    ),
    "HTML instead of JSON": (
        Reply(200, PAGE, HTML_HEADERS),
        errors.NotTrackerV5,
        ["200 with a web page instead of JSON", "not a Tracker API v5", "base_url"],
    ),
    "XML of API v3": (
        Reply(200, b'<?xml version="1.0"?><stories/>', {"Content-Type": "application/xml"}),
        errors.NotTrackerV5,
        ["XML, as from API v3 or v4", "/services/v5"],
    ),
    "an error inside an envelope": (
        Reply(200, {"http_status": "403", "data": error_body("unauthorized_operation", x=1)}),
        errors.UnauthorizedOperation,
        ["403 unauthorized_operation"],
    ),
    "a refusal in another format than Tracker's": (
        Reply(418, {"message": "teapot"}),
        TrackerError,
        ["418"],
    ),
    "redirect to another host": (
        Reply(302, b"", {"Location": "https://evil.example/services/v5/me?x=1"}),
        errors.RedirectRefused,
        ["302 to https://evil.example", "never sent to another host"],
    ),
    "redirect to another port": (
        Reply(301, b"", {"Location": "http://127.0.0.1:1/services/v5/me"}),
        errors.RedirectRefused,
        ["never sent to another host"],
    ),
}


def assert_is_one_safe_line(error, parts):
    line = str(error)
    assert "\n" not in line
    assert TOKEN not in line
    assert "s3cret-pass" not in line
    for part in parts:
        assert part in line


@pytest.mark.parametrize(("reply", "kind", "parts"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_reported_in_one_line(serve, connect, reply, kind, parts):
    client = connect(serve(lambda request: reply).base_url)
    with pytest.raises(TrackerError) as caught:
        client.get("/projects/1/stories", {"limit": 1})
    assert type(caught.value) is kind
    assert_is_one_safe_line(caught.value, ["GET /projects/1/stories: ", *parts])


BAD_URLS = {
    "plain http": ("http://tracker.example/services/v5", errors.BadBaseUrl, ["use https"]),
    "a name that begins like loopback": (
        "http://localhost.evil.example/services/v5",
        errors.BadBaseUrl,
        ["use https"],
    ),
    "no scheme": ("tracker.example/services/v5", errors.BadBaseUrl, ["https://host/services/v5"]),
    "a file": ("file:///etc/passwd", errors.BadBaseUrl, ["not an http(s) address"]),
    "an invalid port": ("https://host:x/services/v5", errors.BadBaseUrl, ["base_url"]),
    "with a password": (
        "https://me:s3cret-pass@host/services/v5",
        errors.BadBaseUrl,
        ["api_token"],
    ),
    "with a token": (f"https://host/v5?token={TOKEN}", errors.BadBaseUrl, ["api_token"]),
    "API v3": ("https://host/services/v3", errors.NotTrackerV5, ["v3", "/services/v5"]),
}


@pytest.mark.parametrize(("url", "kind", "parts"), BAD_URLS.values(), ids=BAD_URLS.keys())
def test_an_invalid_base_url_is_refused_before_any_request(url, kind, parts):
    with pytest.raises(kind) as caught:
        TrackerClient(url, TOKEN)
    assert_is_one_safe_line(caught.value, parts)


def test_a_refused_connection_is_reported_at_once_in_one_line(connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        client = connect(f"http://127.0.0.1:{port}/services/v5")
        with pytest.raises(errors.Unreachable) as caught:
            client.get("/projects")
    assert_is_one_safe_line(caught.value, [f"127.0.0.1:{port} refused the connection"])
    assert client.retries_count == 0


@pytest.mark.parametrize(
    ("failure", "parts"),
    [
        (OSError(101, "Network is unreachable"), ["no route to", "is there a network?"]),
        (TimeoutError("timed out"), ["did not accept a connection in time"]),
    ],
    ids=["no network", "no response"],
)
def test_an_unreachable_host_is_reported_at_once_in_one_line(connect, monkeypatch, failure, parts):
    def fail(*args, **kwargs):
        raise failure

    monkeypatch.setattr("urllib3.util.connection.create_connection", fail)
    client = connect("http://127.0.0.1:9/services/v5")
    with pytest.raises(errors.Unreachable) as caught:
        client.get("/projects")
    assert_is_one_safe_line(caught.value, parts)
    assert client.retries_count == 0


def test_a_token_with_invalid_characters_is_refused_and_not_shown():
    for token in (f"{TOKEN}\nX-Other: 1", f"{TOKEN}é"):
        with pytest.raises(errors.InvalidAuthentication) as caught:
            TrackerClient("http://127.0.0.1:9", token)
        assert_is_one_safe_line(caught.value, ["api_token: it contains characters"])


def test_whitespace_around_a_token_is_removed(serve, connect):
    server = serve(lambda request: Reply(200, {"id": 1}))
    connect(server.base_url, token=f" {TOKEN}\n").get("/me")
    assert server.requests[0].headers["x-trackertoken"] == TOKEN


def test_an_unknown_host_name_is_reported_in_one_line(connect, monkeypatch):
    def no_such_name(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    client = connect("https://www.pivotaltracker.com/services/v5")
    with pytest.raises(errors.Unreachable) as caught:
        client.get("/projects")
    assert_is_one_safe_line(
        caught.value, ["www.pivotaltracker.com was not found", "switched off on 2025-04-30"]
    )


def test_a_host_without_tls_is_reported_in_one_line(serve, connect):
    server = serve(lambda request: Reply(200, []))
    client = connect(server.base_url.replace("http://", "https://"))
    with pytest.raises(errors.Unreachable) as caught:
        client.get("/projects")
    assert_is_one_safe_line(caught.value, ["TLS", "https port"])


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_an_untrusted_certificate_is_refused(connect, tmp_path):
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with pytest.raises(OSError):  # noqa: PT011 - the client hangs up
                context.wrap_socket(listener.accept()[0], server_side=True)

        thread = threading.Thread(target=accept)
        thread.start()
        client = connect(f"https://127.0.0.1:{listener.getsockname()[1]}/services/v5")
        with pytest.raises(errors.Unreachable) as caught:
            client.get("/projects")
        thread.join()
    assert_is_one_safe_line(caught.value, ["TLS certificate", "REQUESTS_CA_BUNDLE"])


def self_signed(folder):
    path = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-subj", "/CN=nobody", "-keyout", path, "-out", folder / "public.pem"],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + (folder / "public.pem").read_bytes())
    return path


def test_the_token_is_sent_only_to_the_host(serve, connect):
    other = serve(lambda request: Reply(200, {"id": 1}))
    server = serve(
        lambda request: (
            Reply(307, b"", {"Location": f"{other.base_url}/me"})
            if request.path.endswith("/elsewhere")
            else Reply(307, b"", {"Location": "/services/v5/me"})
            if request.path.endswith("/moved")
            else Reply(200, {"id": 1})
        )
    )
    client = connect(server.base_url)
    assert client.get("/moved").data == {"id": 1}
    with pytest.raises(errors.RedirectRefused):
        client.get("/elsewhere")
    assert other.requests == []
    assert {request.headers["x-trackertoken"] for request in server.requests} == {TOKEN}


def test_circular_redirects_are_not_followed_forever(serve, connect):
    server = serve(lambda request: Reply(302, b"", {"Location": request.path}))
    with pytest.raises(errors.RedirectRefused, match="more than 5 redirects"):
        connect(server.base_url).get("/me")


def test_a_netrc_file_does_not_add_a_password(serve, connect, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password s3cret-pass\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(lambda request: Reply(200, {"id": 1}))
    connect(server.base_url).get("/me")
    assert "authorization" not in server.requests[0].headers


def test_login_exchanges_name_and_password_for_the_token(serve):
    basic = base64.b64encode("zoë:s3cret-pass".encode()).decode()

    def answer(request):
        if request.headers.get("authorization") == f"Basic {basic}":
            return Reply(200, {"id": 1, "api_token": TOKEN})
        return Reply(403, error_body("invalid_authentication"))

    server = serve(answer)
    assert login(server.base_url, "zoë", "s3cret-pass") == TOKEN
    assert "x-trackertoken" not in server.requests[0].headers
    with pytest.raises(errors.InvalidAuthentication) as caught:
        login(server.base_url, "zoë", "wrong")
    assert_is_one_safe_line(caught.value, ["GET /me: 403 invalid_authentication"])


def test_after_login_the_token_is_used(serve, connect):
    server = serve(lambda request: Reply(200, {"id": 1, "api_token": TOKEN}))
    client = connect(server.base_url, token=None)
    client.login("zoe", "s3cret-pass")
    client.get("/projects")
    assert server.requests[1].headers["x-trackertoken"] == TOKEN
    assert "authorization" not in server.requests[1].headers


def test_no_representation_of_a_client_shows_its_token(connect):
    client = connect("https://tracker.example/services/v5")
    assert TOKEN not in repr(client)
    assert TOKEN not in repr(client._session.headers)


def bearer_host(request):
    if request.headers.get("authorization") == f"Bearer {TOKEN}":
        return Reply(200, {"path": request.path})
    return Reply(401, {}, {"WWW-Authenticate": 'Bearer realm="api"'})


def test_a_host_that_requires_a_bearer_token_gets_one(serve, connect):
    server = serve(bearer_host)
    client = connect(f"{server.origin}/api/v1/")
    assert client.get("/projects").data == {"path": "/api/v1/projects"}
    client.get("/me")
    sent = [("authorization" in each.headers) for each in server.requests]
    assert sent == [False, True, True]
    assert not any("x-trackertoken" in each.headers for each in server.requests[1:])


def test_a_bearer_token_can_be_sent_from_the_first_request_on(serve, connect):
    server = serve(bearer_host)
    assert connect(f"{server.origin}/api/v4", auth="bearer").get("/me").data
    assert len(server.requests) == 1
    with pytest.raises(errors.InvalidAuthentication):
        connect(server.origin, token="wrong").get("/me")
    assert len(server.requests) == 3  # each way of authentication once
