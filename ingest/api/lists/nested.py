"""Labels and epics as part of their project: one request instead of two for each project.

`fields=` nests them in the answer of `/projects` and `/projects/{id}` (recorded of Tracker). A host
that does not do so is asked for the lists themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.api.http.errors import InvalidParameter, NotFound, UnauthorizedOperation
from ingest.api.lists.catalogue import TrackerList
from ingest.records import Record, shape

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient

# From this share of the projects on, all are asked for at once.
_SHARE_OF_ALL = 4

Lists = dict[str, list[Record]]


def read_nested_lists(
    client: TrackerClient,
    lists: dict[str, TrackerList],
    project_ids: list[int],
    projects_count: int,
) -> tuple[dict[int, Lists], int]:
    """Read lists of several projects, nested in the projects.

    Args:
        client: the session.
        lists: the lists by the name under which a project nests them.
        project_ids: the projects whose lists are wanted.
        projects_count: how many projects the workspace has.

    Returns:
        By project id the records of each list, shaped for its raw table; without projects whose
        lists the host does not nest. And the number of requests.
    """
    if not project_ids:
        return {}, 0
    nested = ",".join(f"{name}({each.fields[0]})" for name, each in lists.items())
    params = {"fields": f"id,{nested}"}
    is_for_all = len(project_ids) > 1 and len(project_ids) * _SHARE_OF_ALL >= projects_count
    paths = ["/projects"] if is_for_all else [f"/projects/{each}" for each in project_ids]
    found: dict[int, Lists] = {}
    count = 0
    for path in paths:
        try:
            answer = client.get(path, params)
        except (InvalidParameter, NotFound, UnauthorizedOperation):
            return found, count + 1
        count += answer.requests_count
        for project in answer.data if isinstance(answer.data, list) else [answer.data]:
            shaped = _lists_of(project, lists)
            if shaped is not None and project["id"] in project_ids:
                found[project["id"]] = shaped
    return found, count


def _lists_of(project: Record, lists: dict[str, TrackerList]) -> Lists | None:
    found: Lists = {}
    for name in lists:
        records = project.get(name) if isinstance(project, dict) else None
        if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
            return None
        found[name] = [shape(name, each, project["id"]) for each in records]
    return found
