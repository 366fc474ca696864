"""All iterations, the start of each project, and marts with a wrong measure."""

import os

import pytest
import requests

from simulator.instants import to_instant
from tests.support.marts import query
from tests.support.measures import mutated, mutations

_SPAN = "number,start,finish,length,team_strength"


@pytest.fixture(scope="module")
def iterations(demo_server, workspace):
    """All iterations with their stories, from the API: {project_id: [iteration]}."""
    listed = {}
    for project_id in workspace.projects:
        answer = requests.get(
            f"{demo_server.base_url}/projects/{project_id}/iterations",
            params={"limit": 1000, "fields": f"{_SPAN},stories(id)"},
            headers={"X-TrackerToken": demo_server.token},
            timeout=60,
        )
        listed[project_id] = [
            each | {"start": to_instant(each["start"]), "finish": to_instant(each["finish"])}
            for each in answer.json()
        ]
        assert len(listed[project_id]) == int(answer.headers["X-Tracker-Pagination-Total"])
    return listed


@pytest.fixture(scope="module")
def starts(built_warehouse):
    """The start time of each project according to Tracker: {project_id: seconds}."""
    seconds = "cast(epoch(start_time) as bigint)"
    return dict(query(built_warehouse, f"select id, {seconds} from pivotal_tracker_data.projects"))


def pytest_generate_tests(metafunc):
    """Also run each test on marts with a wrong measure that it guards, where it must fail.

    CI changes the SQL of one measure per test, EVERY_MEASURE=1 that of all measures, and also makes
    each of them null.
    """
    if "mutation" in metafunc.fixturenames:
        wrong = mutations(metafunc.function.__name__, every="EVERY_MEASURE" in os.environ)
        must_fail = pytest.mark.xfail(raises=AssertionError, strict=True, reason="a wrong measure")
        only_in_ci = pytest.mark.slow
        marks = [must_fail, only_in_ci]
        cases = [pytest.param(each, id=str(each), marks=marks) for each in wrong]
        if cases:
            as_built = pytest.param(None, id="as built")
            metafunc.parametrize("mutation", [as_built, *cases], indirect=True)


@pytest.fixture(scope="module")
def mutation(request):
    """The wrong measure in the marts, or None.

    A separate fixture, because a parameter of the warehouse would rebuild the demo each time.
    """
    return getattr(request, "param", None)


@pytest.fixture(scope="module")
def built_warehouse(built_warehouse, mutation):
    """The built demo, or a copy with a wrong measure."""
    if mutation is None:
        yield built_warehouse
        return
    with mutated(built_warehouse, mutation) as path:
        yield path
