import pytest
import requests

from simulator import ServerOptions, Workspace, serve


class Client:
    """A small client of a demo server, over a real socket."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.headers["X-TrackerToken"] = server.token

    def get(self, path, **query):
        return self.session.get(f"{self.server.base_url}{path}", params=query, timeout=10)

    def json(self, path, **query):
        response = self.get(path, **query)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture(scope="session")
def client(demo_server):
    return Client(demo_server)


@pytest.fixture
def small():
    """A workspace with one project and two people, on Monday 2025-01-06, 9:00 UTC."""
    workspace = Workspace("2025-01-06T09:00:00Z")
    workspace.add_person("Ada Obi", "ada")
    workspace.add_person("Béla Novák", "bela")
    workspace.create_project("Shop", time_zone="Europe/Berlin")
    return workspace


@pytest.fixture
def project(small):
    return next(iter(small.projects.values()))


@pytest.fixture
def serving():
    """Serve a workspace with options, and close it after the test."""
    servers = []

    def start(workspace, **options):
        servers.append(serve(workspace, options=ServerOptions(**options)))
        return Client(servers[-1])

    yield start
    for server in servers:
        server.close()
        assert server.failures == []
