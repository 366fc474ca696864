"""Find the projects to read, before anything else is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from ingest.api.http.answers import Answer
from ingest.api.http.client import TrackerClient
from ingest.api.http.errors import (
    ENDING_THE_RUN,
    NotFound,
    TrackerError,
    UnauthorizedOperation,
    UnexpectedAnswer,
    UnfoundResource,
    one_line,
)
from ingest.api.http.paging import FieldChoices, ListRequest, Pages
from ingest.api.intake import Intake
from ingest.api.lists.catalogue import PROJECT_FIELDS
from ingest.records import Record

_MOST_ITERATIONS = 100_000  # two thousand years of weeks


@dataclass
class Workspace:
    """The projects that a token can read.

    Attributes:
        began_at: the start of reading, by the local clock.
        served_at: the same, by the server's clock; None if not stated.
        requests_count: the number of requests for finding the projects.
        projects: records of the projects to read, in the requested or listed order.
        refused: project id -> why the token has no access to it.
    """

    began_at: datetime
    served_at: datetime | None = None
    requests_count: int = 0
    projects: list[Record] = field(default_factory=list)
    refused: dict[int, UnauthorizedOperation] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[int, str]:
        """Project id -> the project's name, on one line."""
        return {each["id"]: one_line(each.get("name") or each["id"]) for each in self.projects}

    def name(self, project_id: int | None) -> str:
        """The name of a project in messages; `workspace` for lists without a project."""
        return "workspace" if project_id is None else self.names.get(project_id, "workspace")


def open_workspace(
    client: TrackerClient, intake: Intake, project_ids: list[int] | None
) -> Workspace:
    """Find the projects to read.

    Args:
        client: the HTTP client.
        intake: converts the records.
        project_ids: the requested projects; None for all that the token can see.

    Raises:
        UnfoundResource: if a requested project does not exist.
    """
    workspace = Workspace(datetime.now(UTC))
    fields = FieldChoices(*PROJECT_FIELDS)
    pages = Pages(client, ListRequest("/projects"), fields)
    listed: dict[int, Record] = {}
    while (answer := pages.take()) is not None:
        workspace.served_at = workspace.served_at or answer.served_at
        listed.update({each["id"]: each for each in _projects(intake, answer)})
    workspace.requests_count = pages.requests_count
    for project_id in dict.fromkeys(listed if project_ids is None else project_ids):
        project = listed.get(project_id) or _unlisted(client, intake, project_id, fields, workspace)
        if project is not None:
            workspace.projects.append(project)
    _complete(client, intake, workspace, fields)
    return workspace


def _projects(intake: Intake, answer: Answer) -> list[Record]:
    """The projects in a response; invalid versions and iteration numbers become null."""
    projects = intake.take("projects", answer).records
    for project in projects:
        for name, most in (
            ("version", 2**63 - 1),
            ("current_iteration_number", _MOST_ITERATIONS),
        ):
            value = project.get(name)
            if value is not None and not (type(value) is int and 0 <= value <= most):
                project[name] = None
    return projects


def _complete(
    client: TrackerClient, intake: Intake, workspace: Workspace, fields: FieldChoices
) -> None:
    """Read versions and iteration numbers that the list of projects lacks; a sync needs them."""
    lacking = {
        each["id"]: each
        for each in workspace.projects
        if None in (each.get("version"), each.get("current_iteration_number"))
    }
    asked = {
        each: Pages(client, ListRequest(f"/projects/{each}", is_list=False), fields)
        for each in lacking
    }
    for pages in asked.values():
        pages.submit()
    for project_id, pages in asked.items():
        project = lacking[project_id]
        try:
            answer = pages.take()
        except ENDING_THE_RUN:
            raise
        except TrackerError:
            workspace.requests_count += 1
            continue
        workspace.requests_count += pages.requests_count
        if answer is None:
            continue
        for found in _projects(intake, answer):
            if found["id"] == project_id:
                project.update(found)
                if project.get("version") is None:
                    project["version"] = answer.project_version


def _unlisted(
    client: TrackerClient,
    intake: Intake,
    project_id: int,
    fields: FieldChoices,
    workspace: Workspace,
) -> Record | None:
    """A requested project that is not listed; None if the token has no access to it.

    Raises:
        UnfoundResource: if it does not exist.
    """
    pages = Pages(client, ListRequest(f"/projects/{project_id}", is_list=False), fields)
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
    found = {each["id"]: each for each in _projects(intake, answer)} if answer else {}
    if project_id not in found:
        raise UnexpectedAnswer(f"GET /projects/{project_id}", "no such project in it")
    return found[project_id]
