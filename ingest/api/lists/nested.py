"""Labels and epics as part of their project: one request instead of two for each project.

`fields=` nests them in the answer of `/projects` and `/projects/{id}` (recorded of Tracker). A host
that does not do so is asked for the lists themselves.
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

# From this share of the projects on, all are asked for at once.
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
        client: the session.
        lists: the lists by the name under which a project nests them.
        project_ids: the projects whose lists are wanted.
        projects_count: how many projects the workspace has.
        intake: takes in the records.

    Returns:
        By project id the rows of each list; without projects whose lists the host does not nest,
        or of which a record was refused. And the number of requests.
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
