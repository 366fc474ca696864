"""Which projects there are to read: found out before anything else is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest.api.http.client import TrackerClient
from ingest.api.http.errors import (
    InvalidParameter,
    NotFound,
    UnauthorizedOperation,
    UnexpectedAnswer,
    UnfoundResource,
)
from ingest.api.http.paging import FieldChoices, Pages
from ingest.api.lists.catalogue import PROJECT_FIELDS
from ingest.records import Record, shape


@dataclass
class Workspace:
    """What a token may read.

    Attributes:
        as_of: the server's clock when reading began; the local one when it tells none.
        requests_count: requests that it took to find out.
        projects: records of the projects to read, in the order asked for or listed.
        refused: project id -> why it may not be read.
    """

    as_of: datetime
    requests_count: int
    projects: list[Record] = field(default_factory=list)
    refused: dict[int, UnauthorizedOperation] = field(default_factory=dict)

    @property
    def names(self) -> dict[int, str]:
        """Project id -> the project's name."""
        return {each["id"]: each.get("name") or str(each["id"]) for each in self.projects}

    def name(self, project_id: int | None) -> str:
        """What reports call a project, or whatever belongs to none."""
        return self.names.get(project_id, "workspace")


def open_workspace(client: TrackerClient, project_ids: list[int] | None) -> Workspace:
    """Find the projects to read.

    Args:
        client: the session.
        project_ids: the projects asked for; None for all that the token lists.

    Raises:
        UnfoundResource: when a project that was asked for does not exist.
    """
    began_at = datetime.now(UTC)
    fields = FieldChoices(*PROJECT_FIELDS)
    pages = Pages(client, "/projects", fields=fields)
    listed: dict[int, Record] = {}
    while (answer := pages.take()) is not None:
        listed.update(_by_id(answer.data))
    served_at = pages.first.served_at if pages.first else None
    workspace = Workspace(served_at or began_at, pages.requests_count)
    for project_id in dict.fromkeys(listed if project_ids is None else project_ids):
        project = listed.get(project_id) or _unlisted(client, project_id, fields, workspace)
        if project is not None:
            workspace.projects.append(shape("projects", project))
    _complete(client, workspace, fields)
    return workspace


def _complete(client: TrackerClient, workspace: Workspace, fields: FieldChoices) -> None:
    """Ask projects for what their list does not tell: a sync rests on it, a first load does not."""
    lacking = {
        each["id"]: each
        for each in workspace.projects
        if None in (each.get("version"), each.get("current_iteration_number"))
    }
    asked = {each: Pages(client, f"/projects/{each}", fields=fields) for each in lacking}
    for pages in asked.values():
        pages.submit()
    for project_id, pages in asked.items():
        project = lacking[project_id]
        try:
            answer = pages.take()
        except (NotFound, InvalidParameter, UnauthorizedOperation):
            workspace.requests_count += 1
            continue
        workspace.requests_count += pages.requests_count
        if answer is not None and isinstance(answer.data, dict):
            project.update(shape("projects", answer.data))
            if project.get("version") is None:
                project["version"] = answer.project_version


def _by_id(projects: object) -> dict[int, Record]:
    try:
        return {project["id"]: project for project in projects}
    except (TypeError, KeyError):
        raise UnexpectedAnswer(
            "GET /projects", "no list of projects", "check base_url: is it a v5 API's?"
        ) from None


def _unlisted(
    client: TrackerClient, project_id: int, fields: FieldChoices, workspace: Workspace
) -> Record | None:
    """A project that the token does not list: a public one, a closed one, or none at all."""
    pages = Pages(client, f"/projects/{project_id}", fields=fields)
    try:
        answer = pages.take()
    except NotFound:
        raise UnfoundResource(
            f"project {project_id}", "404 not found", "correct project_ids or --project"
        ) from None
    except UnauthorizedOperation as error:
        workspace.refused[project_id] = error
        return None
    workspace.requests_count += pages.requests_count
    return _by_id([answer.data])[project_id] if answer else None
