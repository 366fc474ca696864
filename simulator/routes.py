"""The routes of the simulated API (docs/tracker-api.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from simulator import people_fields, project_fields, story_fields
from simulator.activities import Activity
from simulator.answers import FORBIDDEN, ApiError, Reply, Request, ServerOptions, page_of
from simulator.entities import Epic, Project, Story
from simulator.rendering import Kind, Renderer, person_record
from simulator.workspace import Workspace

Found = TypeVar("Found")


@dataclass(slots=True)
class Call:
    """A request with everything needed to answer it."""

    workspace: Workspace
    options: ServerOptions
    request: Request
    renderer: Renderer
    ids: tuple[int, ...]

    @property
    def project(self) -> Project:
        """The project in the path.

        Raises:
            ApiError: if it does not exist or access is forbidden.
        """
        return self.project_by_id(self.ids[0])

    def project_by_id(self, project_id: int) -> Project:
        """Return a project, or raise Tracker's error."""
        project = self.workspace.projects.get(project_id)
        if project is None:
            raise ApiError("unfound_resource")
        if project_id in self.options.forbidden_projects:
            raise ApiError("unauthorized_operation", **FORBIDDEN)
        return project

    def found(self, entities: Mapping[int, Found], position: int = 0) -> Found:
        """Return the entity with the id at a position in the path, or raise Tracker's error."""
        entity = entities.get(self.ids[position])
        if entity is None:
            raise ApiError("unfound_resource")
        return entity

    @property
    def story(self) -> Story:
        """The story in a path under a project."""
        story = self.found(self.workspace.stories, 1)
        if story.project_id != self.project.id:
            raise ApiError("unfound_resource")
        return story

    @property
    def epic(self) -> Epic:
        """The epic in a path under a project."""
        epic = self.found(self.workspace.epics, 1)
        if epic.project_id != self.project.id:
            raise ApiError("unfound_resource")
        return epic

    def reply(self, kind: str, entity: object, project: Project | None = None) -> Reply:
        """Reply with one resource."""
        return Reply(self.renderer.one(kind, entity, self.request.selection), project)

    def whole_list(
        self, kind: str, entities: Iterable[object], project: Project | None = None
    ) -> Reply:
        """Reply with a complete list, without paging."""
        return Reply(self.renderer.many(kind, entities, self.request.selection), project)

    def paged(self, kind: str, entities: list[object], project: Project | None = None) -> Reply:
        """Reply with a page of a list."""
        part, page = page_of(entities, self.request, self.options)
        return Reply(self.renderer.many(kind, part, self.request.selection), project, page)


Handler = Callable[[Call], Reply]


class Router:
    """Paths and their handlers; `{id}` in a pattern stands for a number."""

    def __init__(self) -> None:
        """Start without routes."""
        self._routes: dict[int, list[tuple[tuple[str, ...], Handler]]] = {}

    def add(self, pattern: str, handler: Handler) -> None:
        """Add a route."""
        segments = tuple(pattern.strip("/").split("/"))
        self._routes.setdefault(len(segments), []).append((segments, handler))

    def find(self, path: str) -> tuple[Handler, tuple[int, ...]]:
        """Return the handler of a path and the numbers in the path.

        Raises:
            ApiError: `route_not_found`, or `unfound_resource` if only a number is wrong.
        """
        segments = path.strip("/").split("/")
        misfit = False
        for pattern, handler in self._routes.get(len(segments), ()):
            ids = []
            for wanted, given in zip(pattern, segments, strict=True):
                if wanted == "{id}":
                    ids.append(int(given) if given.isdigit() else None)
                elif wanted != given:
                    break
            else:
                if None not in ids:
                    return handler, tuple(ids)
                # As recorded: with one empty id the object is not found; with two, the route.
                misfit = misfit or segments.count("") < 2
        raise ApiError("unfound_resource" if misfit else "route_not_found")


def kinds(token: str) -> dict[str, Kind]:
    """Return every kind of resource that the server returns."""
    tables = {**vars(story_fields), **vars(project_fields), **vars(people_fields)}.values()
    found = {each.name: each for each in tables if isinstance(each, Kind)}
    found["me"] = people_fields.me_kind(token)
    return found


# ---------------------------------------------------------------------- people and accounts


def _notifications(call: Call) -> Reply:
    """Reply with the comments that mention the caller, newest first."""
    workspace = call.workspace
    mention = f"@{workspace.people[workspace.me_id].username}"
    found = []
    for activity in reversed(workspace.activities):
        if activity.kind == "comment_create_activity" and mention in (activity.quoted or ""):
            found.append(_notification(call, activity))
        if len(found) == 100:
            break
    return Reply(found)


def _notification(call: Call, activity: Activity) -> dict[str, object]:
    workspace, moment = call.workspace, call.renderer.moment(activity.occurred_at)
    kind, number = activity.primary[0]
    host = {"kind": kind, "id": number}
    if kind == "story":
        story = workspace.stories.get(number) or workspace.deleted_stories[number]
        host["name"] = story.name
    else:
        host["name"] = workspace.epic_names[number]
    performer = workspace.people[activity.performed_by_id]
    project = workspace.projects[activity.project_id]
    return {
        "kind": "notification",
        "id": activity.changes[0].id + 100_000_000,
        "project": {"kind": "project", "id": project.id, "name": project.name},
        "performer": {"kind": "person", "id": performer.id, "name": performer.name},
        "message": f"You were mentioned by {performer.name}",
        "context": activity.quoted,
        "notification_type": "comment_with_mention",
        "new_attachment_count": 0,
        "action": "create",
        kind: host,
        "comment_id": activity.changes[0].id,
        "created_at": moment,
        "updated_at": moment,
    }


# ---------------------------------------------------------------------- project level


def _projects(call: Call) -> Reply:
    projects = list(call.workspace.projects.values())
    if wanted := call.request.query.get("account_ids"):
        ids = {int(each) for each in re.findall(r"\d+", wanted)}
        projects = [project for project in projects if project.account_id in ids]
    return call.whole_list("project", projects)


def _memberships(call: Call) -> Reply:
    members = project_fields.members(call.project)
    if call.request.query.get("sort_by") == "name":
        people = call.workspace.people
        members.sort(key=lambda each: people[each.person_id].name)
    return call.whole_list("project_membership", members, call.project)


def _any_epic(call: Call) -> Reply:
    epic = call.found(call.workspace.epics)
    return call.reply("epic", epic, call.project_by_id(epic.project_id))


# ---------------------------------------------------------------------- one story


def _any_story(call: Call) -> Reply:
    story = call.found(call.workspace.stories)
    return call.reply("story", story, call.project_by_id(story.project_id))


def _story_parts(kind: str, attribute: str) -> Handler:
    return lambda call: call.whole_list(kind, getattr(call.story, attribute), call.project)


def _story_owners(call: Call) -> Reply:
    selection = call.request.selection
    owners = [person_record(call.renderer, each, selection) for each in call.story.owner_ids]
    return Reply(owners, call.project)


PEOPLE_AND_PROJECTS: dict[str, Handler] = {
    "/me": lambda call: call.reply("me", call.workspace.people[call.workspace.me_id]),
    "/my/notifications": _notifications,
    "/accounts": lambda call: call.whole_list("account", call.workspace.accounts.values()),
    "/accounts/{id}": lambda call: call.reply("account", call.found(call.workspace.accounts)),
    "/account_summaries": lambda call: call.whole_list(
        "account_summary", call.workspace.accounts.values()
    ),
    "/projects": _projects,
    "/projects/{id}": lambda call: call.reply("project", call.project, call.project),
    "/projects/{id}/memberships": _memberships,
    "/projects/{id}/labels": lambda call: call.whole_list(
        "label", project_fields.sorted_labels(call.project), call.project
    ),
    "/projects/{id}/labels/{id}": lambda call: call.reply(
        "label", call.found(call.project.labels, 1), call.project
    ),
    "/projects/{id}/review_types": lambda call: call.whole_list(
        "review_type", call.project.review_types, call.project
    ),
    "/projects/{id}/epics": lambda call: call.whole_list(
        "epic", project_fields.epics_of(call.renderer, call.project), call.project
    ),
    "/projects/{id}/epics/{id}": lambda call: call.reply("epic", call.epic, call.project),
    "/projects/{id}/epics/{id}/comments": lambda call: call.whole_list(
        "comment", call.epic.comments, call.project
    ),
    "/epics/{id}": _any_epic,
    "/stories/{id}": _any_story,
    "/projects/{id}/stories/{id}": lambda call: call.reply("story", call.story, call.project),
    "/projects/{id}/stories/{id}/owners": _story_owners,
    "/projects/{id}/stories/{id}/labels": lambda call: call.whole_list(
        "label", [call.project.labels[each] for each in call.story.label_ids], call.project
    ),
    "/projects/{id}/stories/{id}/tasks": _story_parts("task", "tasks"),
    "/projects/{id}/stories/{id}/comments": _story_parts("comment", "comments"),
    "/projects/{id}/stories/{id}/blockers": _story_parts("blocker", "blockers"),
    "/projects/{id}/stories/{id}/reviews": _story_parts("review", "reviews"),
    "/projects/{id}/stories/{id}/transitions": lambda call: call.paged(
        "story_transition", call.story.transitions, call.project
    ),
}
