"""The rules that Tracker enforces on stories, and the wording of changes."""

from __future__ import annotations

from functools import lru_cache

from simulator.core import CommandError
from simulator.counts import whole
from simulator.entities import (
    IN_PROGRESS,
    PRIORITIES,
    STATES_OF_TYPE,
    STORY_TYPES,
    Number,
    Person,
    Project,
    Story,
)
from simulator.instants import to_instant

# A story's state and points, which determine label counts and daily totals.
Status = tuple[str, Number] | None

# The order in which Tracker lists changed values.
VALUE_ORDER = (
    "project_id", "name", "description", "story_type", "story_priority", "current_state",
    "estimate", "accepted_at", "deadline", "requested_by_id", "external_id", "owner_ids",
    "label_ids", "follower_ids",
)  # fmt: skip
EDITABLE = frozenset(VALUE_ORDER) - {"project_id", "label_ids"} | {"labels"}


def status_of(story: Story) -> tuple[str, Number]:
    """Return a story's state and points."""
    return story.current_state, story.points


def check_change(project: Project, story: Story, values: dict[str, object]) -> None:
    """Refuse values that Tracker would refuse, before anything is changed.

    Raises:
        CommandError: naming the rule that is broken.
    """
    trial = Story(
        story.id,
        story.project_id,
        story.name,
        story.story_type,
        story.current_state,
        story.requested_by_id,
        story.created_at,
        story.updated_at,
        estimate=story.estimate,
        deadline=story.deadline,
    )
    set_values(trial, {key: value for key, value in values.items() if key != "labels"})
    check(project, trial)
    check_estimate(project, trial.story_type, values.get("estimate"))


def check_estimate(project: Project, story_type: str, points: Number | None) -> None:
    """Refuse an estimate that is not on the project's scale, or for a type without estimates.

    Raises:
        CommandError: naming the rule that is broken.
    """
    if points is None:
        return
    estimated = story_type == "feature" or project.bugs_and_chores_are_estimatable
    if story_type == "release" or not estimated:
        raise CommandError(f"a {story_type} is not estimated in this project")
    if points not in _scale(project.point_scale):
        raise CommandError(f"{points} is not on the scale {project.point_scale}")


@lru_cache(maxsize=64)
def _scale(text: str) -> frozenset[float]:
    return frozenset(float(each) for each in text.split(","))


def check(project: Project, story: Story) -> None:
    """Refuse what Tracker refuses.

    Raises:
        CommandError: naming the rule that is broken.
    """
    if story.story_type not in STORY_TYPES:
        raise CommandError(f"no story type {story.story_type}")
    if story.current_state not in STATES_OF_TYPE[story.story_type]:
        raise CommandError(f"a {story.story_type} cannot be {story.current_state}")
    if story.current_state == "planned" and project.automatic_planning:
        raise CommandError("planned is a state of projects that plan by hand")
    if not story.name:
        raise CommandError("a story has a name")
    if story.story_priority not in PRIORITIES:
        raise CommandError(f"no priority {story.story_priority}")
    if story.deadline is not None and story.story_type != "release":
        raise CommandError("only releases have a deadline")
    if story.needs_estimate and story.current_state in IN_PROGRESS | {"accepted"}:
        raise CommandError(f"Stories in the {story.current_state} state must be estimated.")


def describe_change(story: Story, new: dict[str, object]) -> tuple[str, str]:
    """Return the message, without the person's name, and its highlight."""
    kind = story.story_type
    if "current_state" in new:
        return f"{story.current_state} this {kind}", story.current_state
    if new.keys() <= {"estimate", "updated_at"} and new.get("estimate") is not None:
        unit = "point" if story.estimate == 1 else "points"
        return f"estimated this {kind} as {story.estimate} {unit}", "estimated"
    return f"edited this {kind}", "edited"


def implied_values(
    project: Project, story: Story, values: dict[str, object], at: int
) -> dict[str, object]:
    """Add the values implied by a change: the acceptance, and the loss of an estimate."""
    state = values.get("current_state", story.current_state)
    if "accepted_at" in values and (state != "accepted" or values["accepted_at"] is None):
        raise CommandError("accepted_at is set by acceptance")
    if (state == "accepted") != (story.current_state == "accepted"):
        given = values.get("accepted_at")
        moment = at if given is None else given
        values["accepted_at"] = moment if state == "accepted" else None
    if (values.get("accepted_at") or 0) > at:
        raise CommandError("a story cannot be accepted in the future")
    story_type = values.get("story_type", story.story_type)
    if "release" in {story_type, story.story_type} and story_type != story.story_type:
        raise CommandError("a release cannot become another type, nor another type a release")
    unestimated = story_type in {"bug", "chore"} and not project.bugs_and_chores_are_estimatable
    if unestimated and story_type != story.story_type and story.estimate is not None:
        values.setdefault("estimate", None)
    return values


def normal_values(values: dict[str, object], people: dict[int, Person]) -> dict[str, object]:
    """Convert values to the workspace's types.

    Raises:
        CommandError: if stories have no such value, or a person does not exist.
    """
    if unknown := values.keys() - EDITABLE:
        raise CommandError(f"a story has no {', '.join(sorted(unknown))}")
    normal = dict(values)
    for key in ("accepted_at", "deadline"):
        if normal.get(key) is not None:
            normal[key] = to_instant(normal[key])
    for key in ("owner_ids", "follower_ids"):
        if key in normal:
            normal[key] = list(dict.fromkeys(normal[key] or ()))
    if "description" in normal:
        normal["description"] = normal["description"] or ""
    if normal.get("estimate") is not None:
        normal["estimate"] = whole(normal["estimate"])
    if not all(each.strip() for each in normal.get("labels", ())):
        raise CommandError("Please enter a name for the label.")
    named = [*normal.get("owner_ids", ()), *normal.get("follower_ids", ())]
    if "requested_by_id" in normal:
        named.append(normal["requested_by_id"])
    if strangers := [person_id for person_id in named if person_id not in people]:
        raise CommandError(f"nobody has the id {strangers[0]}")
    return normal


def set_values(story: Story, values: dict[str, object]) -> None:
    """Set attributes of a story, without any bookkeeping."""
    for key, value in values.items():
        setattr(story, key, value)
