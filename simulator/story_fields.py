"""The fields of stories, their parts, and releases (docs/tracker-api.md, Stories)."""

from __future__ import annotations

from simulator.activities import STORY_URL
from simulator.entities import Review, Story
from simulator.fields import Selection
from simulator.figures import (
    cycle_time_details,
    projected_completion,
    release_rollups,
    release_story_ids,
)
from simulator.priorities import neighbours
from simulator.rendering import (
    Getter,
    Kind,
    Renderer,
    constant,
    dated,
    moment,
    parts,
    person,
    person_record,
    plain,
    text,
)


def _empty(*names: str) -> dict[str, Getter]:
    return {name: lambda renderer, entity, nested: [] for name in names}


def _labels(renderer: Renderer, story: Story, nested: Selection) -> list[dict[str, object]]:
    if not story.label_ids:
        return []
    labels = renderer.workspace.projects[story.project_id].labels
    return [renderer.shared("label", each, labels[each], nested) for each in story.label_ids]


def _people_of(name: str) -> Getter:
    return lambda renderer, story, nested: [
        person_record(renderer, number, nested) for number in getattr(story, name)
    ]


def _owned_by_id(renderer: Renderer, story: Story, nested: Selection) -> int | None:
    return story.owner_ids[0] if story.owner_ids else None


def _owned_by(renderer: Renderer, story: Story, nested: Selection) -> object:
    return person_record(renderer, story.owner_ids[0], nested) if story.owner_ids else None


def _neighbour(position: int) -> Getter:
    return lambda renderer, story, nested: neighbours(
        renderer.workspace.projects[story.project_id], story
    )[position]


def _covered_ids(renderer: Renderer, story: Story) -> list[int]:
    """Return the stories that a release covers."""
    workspace = renderer.workspace
    project = workspace.projects[story.project_id]
    key = ("release_story_ids", project.id, ())
    if key not in renderer.memo:
        renderer.memo[key] = release_story_ids(project, workspace.stories)
    return renderer.memo[key].get(story.id, [])


def _rollup(name: str) -> Getter:
    def get(renderer: Renderer, story: Story, nested: Selection) -> object:
        if story.story_type != "release":
            return None
        return release_rollups(_covered_ids(renderer, story), renderer.workspace.stories)[name]

    return get


def _projected_completion(renderer: Renderer, story: Story, nested: Selection) -> object:
    if story.story_type != "release":
        return None
    plan = renderer.workspace.plan(story.project_id)
    return renderer.moment(projected_completion(plan, [story]))


def _cycle_time(renderer: Renderer, story: Story, nested: Selection) -> dict[str, object]:
    return cycle_time_details(story, renderer.workspace.now)


def _review_type(renderer: Renderer, review: Review, nested: Selection) -> object:
    story = renderer.workspace.stories[review.story_id]
    # A moved story keeps review types of its old project, so search all projects.
    projects = renderer.workspace.projects
    for project in [projects[story.project_id], *projects.values()]:
        for review_type in project.review_types:
            if review_type.id == review.review_type_id:
                return renderer.shared("review_type", review_type.id, review_type, nested)
    return None


def _url(renderer: Renderer, story: Story, nested: Selection) -> str:
    return f"{STORY_URL}{story.id}"


_ROLLUPS = {
    name: _rollup(name)
    for name in ("points_accepted", "points_total", "counts_accepted", "counts_total")
}

STORY = Kind(
    "story",
    {"url": _url, "labels": _labels}
    | plain("id", "story_type", "story_priority", "name", "current_state", "project_id")
    | plain("estimate", "external_id", "owner_ids", "label_ids", "follower_ids")
    | dated("created_at", "updated_at", "accepted_at", "deadline")
    | {"description": text("description"), "owned_by_id": _owned_by_id, "owned_by": _owned_by}
    | {"owners": _people_of("owner_ids"), "followers": _people_of("follower_ids")}
    | person("requested_by", "requested_by_id")
    | {"before_id": _neighbour(0), "after_id": _neighbour(1)}
    | parts("comment", "comments")
    | parts("task", "tasks")
    | parts("blocker", "blockers")
    | parts("review", "reviews")
    | {"transitions": parts("story_transition", "transitions")["transitions"]}
    | _empty("pull_request_ids", "pull_requests", "branch_ids", "branches", "cicd_event_ids")
    | _empty("blocked_story_ids", "cicd_events")
    | {"integration_id": constant(None), "integration": constant(None)}
    | {"cycle_time_details": _cycle_time, "projected_completion": _projected_completion}
    | _ROLLUPS,
    "kind id created_at updated_at accepted_at deadline estimate story_type story_priority name "
    "description current_state requested_by_id external_id url project_id owner_ids labels "
    "owned_by_id",
)

RELEASE = Kind(
    "release",
    STORY.getters
    | {
        "story_ids": lambda renderer, story, nested: _covered_ids(renderer, story),
        "stories": lambda renderer, story, nested: renderer.many(
            "story",
            [renderer.workspace.stories[each] for each in _covered_ids(renderer, story)],
            nested,
        ),
    },
    "kind id created_at updated_at accepted_at deadline name description current_state url "
    "project_id labels",
)

STORY_TRANSITION = Kind(
    "story_transition",
    plain("state", "story_id", "project_id", "project_version")
    | dated("occurred_at")
    | person("performed_by", "performed_by_id"),
    "kind state story_id project_id project_version occurred_at performed_by_id",
    always=(),
)

COMMENT = Kind(
    "comment",
    plain("id", "story_id", "epic_id", "text")
    | person("person", "person_id")
    | dated("created_at", "updated_at")
    | _empty("file_attachments", "file_attachment_ids", "google_attachments")
    | _empty("google_attachment_ids", "attachment_ids")
    | {"commit_identifier": constant(None), "commit_type": constant(None)},
    "kind id story_id epic_id text person_id created_at updated_at",
)

TASK = Kind(
    "task",
    plain("id", "story_id", "description", "complete", "position")
    | dated("created_at", "updated_at"),
    "kind id story_id description complete position created_at updated_at",
)

BLOCKER = Kind(
    "blocker",
    plain("id", "story_id", "description", "resolved")
    | person("person", "person_id")
    | dated("created_at", "updated_at"),
    "kind id story_id person_id description resolved created_at updated_at",
)

REVIEW = Kind(
    "review",
    {"review_type": _review_type}
    | plain("id", "story_id", "review_type_id", "status")
    | person("reviewer", "reviewer_id")
    | dated("created_at", "updated_at"),
    "kind id story_id review_type_id reviewer_id status created_at updated_at",
)

REVIEW_TYPE = Kind(
    "review_type",
    {"updated_at": moment("created_at")}
    | plain("id", "project_id", "name", "hidden")
    | dated("created_at"),
    "kind id project_id name hidden created_at updated_at",
)
