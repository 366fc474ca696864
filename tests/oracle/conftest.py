"""The start and finish of all iterations, which several oracles need."""

import pytest
import requests

from simulator.instants import to_instant


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
