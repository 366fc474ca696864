"""The routes of long and computed lists: stories, iterations, releases, activity, history."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

from simulator.activities import Activity, activity_record
from simulator.answers import ApiError, Page, Reply, Request, page_limit
from simulator.entities import Project, Story, Transition
from simulator.figures import (
    cycle_time_details,
    iteration_history,
    project_history,
    release_story_ids,
)
from simulator.filters import matching_stories
from simulator.instants import DAY
from simulator.planning import Iteration
from simulator.project_fields import IterationOf, iteration_analytics
from simulator.rendering import picked
from simulator.routes import PEOPLE_AND_PROJECTS, Call, Handler, Router


def _window(request: Request, rows: Sequence[Activity] | Sequence[Transition]) -> tuple[int, int]:
    """Return the range of rows (oldest first) between `occurred_after` and `occurred_before`."""
    after, before = request.instant("occurred_after"), request.instant("occurred_before")
    first, last = 0, len(rows)
    if after is not None:
        first = bisect_right(rows, after, key=lambda row: row.occurred_at)
    if before is not None:
        last = bisect_left(rows, before, key=lambda row: row.occurred_at)
    return first, max(first, last)


# ---------------------------------------------------------------------- stories and releases


def _stories(call: Call) -> Reply:
    stories = call.workspace.stories
    found = (stories[story_id] for story_id in call.project.story_ids)
    return call.paged("story", matching_stories(found, call), call.project)


def _bulk(call: Call) -> Reply:
    ids = [int(each) for each in call.request.query.get("ids", "").split(",") if each.isdigit()]
    if not ids or len(ids) > 500:
        raise ApiError("invalid_parameter", general_problem="ids must name 1 to 500 stories")
    found = (call.workspace.stories.get(story_id) for story_id in ids)
    stories = [story for story in found if story and story.project_id == call.project.id]
    return call.whole_list("story", stories, call.project)


def _release_list(call: Call) -> list[Story]:
    stories = (call.workspace.stories[story_id] for story_id in call.project.story_ids)
    return [story for story in stories if story.story_type == "release"]


def _releases(call: Call) -> Reply:
    releases = _release_list(call)
    if state := call.request.query.get("with_state"):
        releases = [release for release in releases if release.current_state == state]
    return call.paged("release", releases, call.project)


def _one_release(call: Call) -> Story:
    for release in _release_list(call):
        if release.id == call.ids[1]:
            return release
    raise ApiError("unfound_resource")


def _release_stories(call: Call) -> Reply:
    stories = call.workspace.stories
    covered = release_story_ids(call.project, stories).get(_one_release(call).id, [])
    return call.whole_list("story", [stories[story_id] for story_id in covered], call.project)


def _transitions(call: Call) -> Reply:
    # A deleted story has no rows; rows of a moved story stay in the project where they happened.
    existing = call.workspace.stories
    rows = call.project.transitions
    first, last = _window(call.request, rows)
    found = [row for row in rows[first:last] if row.story_id in existing]
    return call.paged("story_transition", found, call.project)


# ---------------------------------------------------------------------- iterations

_SCOPES = {
    "": (True, True, True),
    "done": (True, False, False),
    "current": (False, True, False),
    "backlog": (False, False, True),
    "current_backlog": (False, True, True),
    "done_current": (True, True, False),
}


def _scoped(call: Call) -> list[Iteration]:
    scope = call.request.query.get("scope", "")
    if scope not in _SCOPES:
        problem = f"scope must be one of {', '.join(filter(None, _SCOPES))}"
        raise ApiError("invalid_parameter", general_problem=problem)
    plan = call.workspace.plan(call.project.id)
    index = plan.current_index
    stretches = (slice(None, index), slice(index, index + 1), slice(index + 1, None))
    chosen: list[Iteration] = []
    for wanted, stretch in zip(_SCOPES[scope], stretches, strict=True):
        chosen += plan.iterations[stretch] if wanted else []
    return chosen


def _iterations(call: Call) -> Reply:
    chosen, request = _scoped(call), call.request
    scope = request.query.get("scope", "")
    page = None
    if scope != "current":
        limit = page_limit(request, call.options, 10)
        negative = scope in {"done", "done_current"}
        offset = request.integer("offset", 0, minimum=None if negative else 0)
        start = offset
        if offset < 0:
            # The offset is relative to the current iteration, even if it is not in the list.
            start = max(call.workspace.plan(call.project.id).current_index + offset, 0)
        total, chosen = len(chosen), chosen[start : start + limit]
        page = Page(total, limit, offset, len(chosen))
    wrapped = [IterationOf(call.project, _with_label(call, each)) for each in chosen]
    return Reply(call.renderer.many("iteration", wrapped, request.selection), call.project, page)


def _with_label(call: Call, iteration: Iteration) -> Iteration:
    """Return an iteration with only the stories that have the requested label."""
    name = call.request.query.get("label")
    if not name:
        return iteration
    label_id = call.project.label_ids_by_name.get(name.lower())
    stories = call.workspace.stories
    kept = [each for each in iteration.story_ids if label_id in stories[each].label_ids]
    return Iteration(
        iteration.span, kept, iteration.velocity, iteration.points, iteration.accepted_points
    )


def _numbered(call: Call) -> Iteration:
    iterations = call.workspace.plan(call.project.id).iterations
    if not 1 <= call.ids[1] <= len(iterations):
        raise ApiError("unfound_resource")
    return iterations[call.ids[1] - 1]


def _iteration_analytics(call: Call) -> Reply:
    record = iteration_analytics(call.renderer, IterationOf(call.project, _numbered(call)))
    return Reply(picked(record, call.request.selection, ()), call.project)


def _iteration_cycle_times(call: Call) -> Reply:
    stories, now = call.workspace.stories, call.workspace.now
    records = [cycle_time_details(stories[each], now) for each in _numbered(call).story_ids]
    selection = call.request.selection
    return Reply([picked(each, selection, ("story_id",)) for each in records], call.project)


def _override(call: Call) -> Reply:
    span = _numbered(call).span
    record = {"kind": "iteration_override", "number": span.number, "project_id": call.project.id}
    record |= {"length": span.length, "team_strength": span.team_strength}
    return Reply(record, call.project)


# ---------------------------------------------------------------------- daily history


def _day(call: Call, name: str) -> date | None:
    text = call.request.query.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problem = f"The {name} you requested could not be parsed. See FAQ for valid formats."
        raise ApiError("invalid_parameter", general_problem=problem) from None


def _history_days(call: Call) -> Reply:
    first, last = _day(call, "start_date"), _day(call, "end_date")
    return Reply(project_history(call.project, call.workspace.now, first, last), call.project)


def _history_iteration(call: Call) -> Reply:
    workspace, iteration = call.workspace, _numbered(call)
    if iteration.span.start > workspace.now:
        raise ApiError("unfound_resource")
    body = iteration_history(call.project, workspace.stories, iteration, workspace.now)
    return Reply(body, call.project)


# ---------------------------------------------------------------------- activity


def _activity_page(call: Call, log: Sequence[Activity], project: Project | None) -> Reply:
    """Return a page of a log, newest first; activities past retention only count in the total."""
    request, options = call.request, call.options
    if "since_version" in request.query:
        version = request.integer("since_version", 0)
        log = [each for each in log if each.project_version > version]
    first, last = _window(request, log)
    limit, offset = page_limit(request, options), request.integer("offset", 0)
    if request.query.get("sort_order") == "asc":
        part = log[min(first + offset, last) : min(first + offset + limit, last)]
    else:
        part = log[max(last - offset - limit, first) : max(last - offset, first)][::-1]
    if options.activity_retention_days is not None:
        oldest = call.workspace.now - options.activity_retention_days * DAY
        part = [each for each in part if each.occurred_at >= oldest]
    moment, always = call.renderer.moment, ("guid", "project_version")
    records = [
        picked(activity_record(each, call.workspace, moment), request.selection, always)
        for each in part
    ]
    return Reply(records, project, Page(last - first, limit, offset, len(part)))


def _epic_activity(call: Call) -> Reply:
    primary = (("epic", call.epic.id),)
    log = [each for each in call.project.activities if each.primary == primary]
    return _activity_page(call, log, call.project)


LISTS: dict[str, Handler] = {
    "/my/activity": lambda call: _activity_page(call, call.workspace.activities, None),
    "/projects/{id}/activity": lambda call: _activity_page(
        call, call.project.activities, call.project
    ),
    "/projects/{id}/epics/{id}/activity": _epic_activity,
    "/projects/{id}/stories": _stories,
    "/projects/{id}/stories/bulk": _bulk,
    "/projects/{id}/stories/{id}/activity": lambda call: _activity_page(
        call, call.story.activities, call.project
    ),
    "/projects/{id}/story_transitions": _transitions,
    "/projects/{id}/releases": _releases,
    "/projects/{id}/releases/{id}": lambda call: call.reply(
        "release", _one_release(call), call.project
    ),
    "/projects/{id}/releases/{id}/stories": _release_stories,
    "/projects/{id}/iterations": _iterations,
    "/projects/{id}/iterations/{id}": lambda call: call.reply(
        "iteration", IterationOf(call.project, _numbered(call)), call.project
    ),
    "/projects/{id}/iterations/{id}/analytics": _iteration_analytics,
    "/projects/{id}/iterations/{id}/analytics/cycle_time_details": _iteration_cycle_times,
    "/projects/{id}/iteration_overrides/{id}": _override,
    "/projects/{id}/history/days": _history_days,
    "/projects/{id}/history/iterations/{id}/days": _history_iteration,
}


def router() -> Router:
    """Return all routes, sorted so that `stories/bulk` is tried before `stories/{id}`."""
    routes = Router()
    for pattern, handler in sorted((LISTS | PEOPLE_AND_PROJECTS).items()):
        routes.add(pattern, handler)
    return routes
