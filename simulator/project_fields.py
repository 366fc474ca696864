"""The fields of projects, iterations, labels, epics and people (docs/tracker-api.md)."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.activities import EPIC_URL
from simulator.calendar import first_day
from simulator.counts import counts_record, whole
from simulator.entities import Epic, Label, Membership, Project, Story
from simulator.fields import Selection
from simulator.figures import analytics, epic_progress
from simulator.instants import local_midnight
from simulator.planning import Iteration
from simulator.rendering import (
    Getter,
    Kind,
    Renderer,
    attribute,
    constant,
    dated,
    parts,
    plain,
    text,
    zone_record,
)


@dataclass(slots=True)
class IterationOf:
    """An iteration together with its project."""

    project: Project
    iteration: Iteration


def _zone(renderer: Renderer, project: Project, nested: Selection) -> dict[str, object]:
    return zone_record(renderer, project.time_zone)


def _start_time(renderer: Renderer, project: Project, nested: Selection) -> object:
    return renderer.moment(local_midnight(first_day(project), project.time_zone))


def _planned(name: str) -> Getter:
    """Return a getter of a figure from the project's plan."""
    return lambda renderer, project, nested: getattr(renderer.workspace.plan(project.id), name)


def _current_number(renderer: Renderer, project: Project, nested: Selection) -> int:
    return renderer.workspace.calendar(project.id).current.number


def sorted_labels(project: Project) -> list[Label]:
    """Return a project's labels by name."""
    return sorted(project.labels.values(), key=lambda label: label.name)


def members(project: Project) -> list[Membership]:
    """Return the memberships that Tracker lists, without people who have left."""
    return [each for each in project.memberships.values() if each.role != "inactive"]


def _account(renderer: Renderer, project: Project, nested: Selection) -> dict[str, object]:
    account = renderer.workspace.accounts[project.account_id]
    return renderer.one("account_summary", account, nested)


def _join_as(renderer: Renderer, project: Project, nested: Selection) -> str:
    return "member" if project.public else "owner"


PROJECT = Kind(
    "project",
    {"time_zone": _zone, "start_time": _start_time}
    | plain("id", "name", "version", "iteration_length", "week_start_day", "point_scale")
    | plain("point_scale_is_custom", "bugs_and_chores_are_estimatable", "automatic_planning")
    | plain("enable_tasks", "velocity_averaged_over", "number_of_done_iterations_to_show")
    | plain("enable_incoming_emails", "initial_velocity", "public", "atom_enabled")
    | plain("project_type", "account_id", "enable_following", "start_date")
    | {"has_google_domain": constant(False), "description": text("description")}
    | {"profile_content": constant(None), "status": constant(None)}
    | {"show_story_priority": constant(True), "show_priority_icon": constant(True)}
    | {"show_priority_icon_in_all_panels": constant(False)}
    | {"shown_iterations_start_time": _start_time, "join_as": _join_as}
    | dated("created_at", "updated_at")
    | {"current_iteration_number": _current_number}
    | {"current_velocity": _planned("current_velocity")}
    | {"current_standard_deviation": _planned("standard_deviation")}
    | {"current_volatility": _planned("volatility")}
    | {"account": _account, "story_ids": attribute("story_ids")}
    | {"epic_ids": attribute("epics"), "integration_ids": constant([])}
    | {"iteration_override_numbers": lambda r, project, n: sorted(project.overrides)}
    | {"label_ids": lambda r, project, n: [each.id for each in sorted_labels(project)]}
    | {"labels": lambda r, project, n: r.many("label", sorted_labels(project), n)}
    | {"epics": lambda r, project, n: r.many("epic", epics_of(r, project), n)}
    | {"stories": lambda r, project, n: r.many("story", _stories(r, project), n)}
    | {"membership_ids": lambda r, project, n: [each.id for each in members(project)]}
    | {"memberships": lambda r, project, n: r.many("project_membership", members(project), n)}
    | {"review_type_ids": lambda r, project, n: [each.id for each in project.review_types]}
    | {"review_types": lambda r, project, n: r.many("review_type", project.review_types, n)},
    "id kind name description version iteration_length week_start_day point_scale "
    "point_scale_is_custom bugs_and_chores_are_estimatable automatic_planning enable_tasks "
    "start_date time_zone velocity_averaged_over number_of_done_iterations_to_show "
    "has_google_domain enable_incoming_emails initial_velocity public atom_enabled project_type "
    "start_time created_at updated_at show_story_priority show_priority_icon "
    "show_priority_icon_in_all_panels account_id current_iteration_number enable_following",
)


def _stories(renderer: Renderer, project: Project) -> list[Story]:
    return [renderer.workspace.stories[story_id] for story_id in project.story_ids]


def epics_of(renderer: Renderer, project: Project) -> list[Epic]:
    """Return a project's epics in their order of priority."""
    return [renderer.workspace.epics[epic_id] for epic_id in project.epics]


def _iteration_stories(
    renderer: Renderer, item: IterationOf, nested: Selection
) -> list[dict[str, object]]:
    stories = renderer.workspace.stories
    return renderer.many("story", [stories[each] for each in item.iteration.story_ids], nested)


def _span(name: str) -> Getter:
    return lambda renderer, item, nested: getattr(item.iteration.span, name)


def _span_moment(name: str) -> Getter:
    return lambda renderer, item, nested: renderer.moment(getattr(item.iteration.span, name))


def _figure(name: str) -> Getter:
    return lambda renderer, item, nested: getattr(item.iteration, name)


def iteration_analytics(
    renderer: Renderer, item: IterationOf, nested: Selection = ()
) -> dict[str, object]:
    """Return an iteration's analytics."""
    stories = _stories(renderer, item.project)
    return analytics(stories, item.iteration, renderer.workspace.now)


ITERATION = Kind(
    "iteration",
    {"stories": _iteration_stories}
    | {"number": _span("number"), "length": _span("length")}
    | {"team_strength": lambda r, item, n: whole(item.iteration.span.team_strength)}
    | {"project_id": lambda r, item, n: item.project.id}
    | {"start": _span_moment("start"), "finish": _span_moment("finish")}
    | {name: _figure(name) for name in ("velocity", "points", "accepted_points", "story_ids")}
    | {
        "effective_points": lambda r, item, n: item.iteration.effective_points(
            item.project.iteration_length
        )
    }
    | {"analytics": iteration_analytics},
    "number project_id length team_strength stories start finish kind",
    always=("number",),
)

LABEL = Kind(
    "label",
    {"counts": lambda r, label, n: counts_record(label.counts)}
    | plain("id", "project_id", "name")
    | dated("created_at", "updated_at"),
    "kind id project_id name created_at updated_at",
)


def _epic_label(renderer: Renderer, epic: Epic, nested: Selection) -> dict[str, object]:
    label = renderer.workspace.projects[epic.project_id].labels[epic.label_id]
    return renderer.one("label", label, nested)


def _epic_figure(name: str, *, is_moment: bool = False) -> Getter:
    def get(renderer: Renderer, epic: Epic, nested: Selection) -> object:
        workspace = renderer.workspace
        project = workspace.projects[epic.project_id]
        key = ("epic_progress", epic.id, ())
        if key not in renderer.memo:
            stories = _stories(renderer, project)
            labelled = [story for story in stories if epic.label_id in story.label_ids]
            renderer.memo[key] = epic_progress(workspace.plan(project.id), labelled)
        value = renderer.memo[key].get(name)
        return renderer.moment(value) if is_moment else value

    return get


def _epic_neighbour(offset: int) -> Getter:
    def get(renderer: Renderer, epic: Epic, nested: Selection) -> int | None:
        ids = renderer.workspace.projects[epic.project_id].epics
        index = ids.index(epic.id) + offset
        return ids[index] if 0 <= index < len(ids) else None

    return get


EPIC = Kind(
    "epic",
    {"url": lambda r, epic, n: f"{EPIC_URL}{epic.id}"}
    | plain("id", "project_id", "name", "label_id")
    | {"description": text("description"), "label": _epic_label}
    | dated("created_at", "updated_at")
    | parts("comment", "comments")
    | {name: constant([]) for name in ("follower_ids", "pull_request_ids", "branch_ids")}
    | {"before_id": _epic_neighbour(1), "after_id": _epic_neighbour(-1)}
    | {
        name: _epic_figure(name)
        for name in (
            "past_done_story_estimates",
            "past_done_stories_count",
            "past_done_stories_no_point_count",
        )
    }
    | {
        name: _epic_figure(name, is_moment=True)
        for name in ("completed_at", "projected_completion")
    },
    "id kind created_at updated_at project_id name description url label",
)
