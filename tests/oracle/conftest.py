"""The start and finish of all iterations, and marts in which a measure is wrong."""

import os

import pytest
import requests

from simulator.instants import to_instant
from tests.support.measures import mutated, mutations


@pytest.fixture(scope="module")
def iterations(demo_server, workspace):
    """Bounds of all iterations as Tracker gives them: {project_id: [iteration]}."""
    listed = {}
    for project_id in workspace.projects:
        answer = requests.get(
            f"{demo_server.base_url}/projects/{project_id}/iterations",
            params={"limit": 1000, "fields": "number,start,finish,length,team_strength"},
            headers={"X-TrackerToken": demo_server.token},
            timeout=30,
        )
        listed[project_id] = [
            each | {"start": to_instant(each["start"]), "finish": to_instant(each["finish"])}
            for each in answer.json()
        ]
        assert len(listed[project_id]) == int(answer.headers["X-Tracker-Pagination-Total"])
    return listed


def pytest_generate_tests(metafunc):
    """Run each test also on marts in which a measure that it guards is wrong: it must fail there.

    `make test` makes one measure of each mart wrong, EVERY_MEASURE=1 each in two ways.
    """
    if "mutation" in metafunc.fixturenames:
        wrong = mutations(metafunc.function.__name__, every="EVERY_MEASURE" in os.environ)
        must_fail = pytest.mark.xfail(raises=AssertionError, strict=True)
        cases = [pytest.param(each, id=str(each), marks=must_fail) for each in wrong]
        if cases:
            as_built = pytest.param(None, id="as built")
            metafunc.parametrize("mutation", [as_built, *cases], indirect=True)


@pytest.fixture(scope="module")
def mutation(request):
    """What is wrong in the marts; None: nothing.

    The warehouse itself takes no parameter: pytest would build the demo again for each value.
    """
    return getattr(request, "param", None)


@pytest.fixture(scope="module")
def built_warehouse(built_warehouse, mutation):
    """The built demo, or a copy of it in which one measure is wrong."""
    if mutation is None:
        yield built_warehouse
        return
    with mutated(built_warehouse, mutation) as path:
        yield path
