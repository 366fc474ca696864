"""Read labels and epics nested in their project: one request instead of two per project.

With `fields=`, Tracker nests them in `/projects` and `/projects/{id}` (recorded responses show it).
If a host does not, the lists themselves are read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.api.http.answers import Answer
from ingest.api.http.errors import ENDING_THE_RUN, TrackerError
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import TrackerList
from ingest.records import Record

if TYPE_CHECKING:
    from ingest.api.http.client import TrackerClient

# If at least a quarter of the projects is needed, all are requested at once.
_SHARE_OF_ALL = 4

Lists = dict[str, pa.Table]


def read_nested_lists(
    client: TrackerClient,
    lists: dict[str, TrackerList],
    project_ids: list[int],
    projects_count: int,
    intake: Intake,
) -> tuple[dict[int, Lists], int]:
    """Read lists of several projects, nested in the projects.

    Args:
        client: the HTTP client.
        lists: the lists, by their name in a project.
        project_ids: the projects whose lists are needed.
        projects_count: the number of projects in the workspace.
        intake: converts the records.

    Returns:
        The rows of each list by project id, and the number of requests. Projects whose lists are
        not nested, or contain a refused record, are omitted.
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
        except ENDING_THE_RUN:
            raise
        except TrackerError:
            return found, count + 1
        count += answer.requests_count
        for project in answer.data if isinstance(answer.data, list) else [answer.data]:
            project_id = project.get("id") if isinstance(project, dict) else None
            if project_id in project_ids:
                rows = _lists_of(project, project_id, lists, answer, intake)
                if rows is not None:
                    found[project_id] = rows
    return found, count


def _lists_of(
    project: Record, project_id: int, lists: dict[str, TrackerList], answer: Answer, intake: Intake
) -> Lists | None:
    found: Lists = {}
    for name in lists:
        if not isinstance(project.get(name), list):
            return None
        taken = intake.take(name, replace(answer, data=project[name]), project_id)
        if taken.refused_count:
            return None
        found[name] = taken.rows
    return found
