"""A story's place in its project's one priority list: accepted, then backlog, then icebox."""

from __future__ import annotations

from bisect import bisect_left, insort

from simulator.entities import IN_PROGRESS, Project, Story

Neighbours = tuple[int | None, int | None]


def panel_of(state: str) -> str:
    """Return the stretch of the list that stories of a state are in."""
    if state == "accepted":
        return "accepted"
    return "icebox" if state == "unscheduled" else "active"


def take_out(project: Project, story: Story) -> None:
    """Take a story out of the list."""
    panel = panel_of(story.current_state)
    if panel == "accepted":
        del project.accepted[_accepted_index(project, story)]
    else:
        getattr(project, panel).remove(story.id)


def put_in(project: Project, story: Story, index: int | None = None) -> None:
    """Put a story into the stretch of its state, accepted ones by the time of acceptance.

    Args:
        project: the project whose list it is.
        story: the story, with its new state already set.
        index: the place in the backlog or icebox; the default is the end.
    """
    panel = panel_of(story.current_state)
    if panel == "accepted":
        insort(project.accepted, (story.accepted_at or 0, story.id))
        return
    ids = getattr(project, panel)
    ids.insert(len(ids) if index is None else index, story.id)


def neighbours(project: Project, story: Story) -> Neighbours:
    """Return (`before_id`, `after_id`): the stories just below and just above, or `None`."""
    panel = panel_of(story.current_state)
    accepted, active, icebox = project.accepted, project.active, project.icebox
    if panel == "accepted":
        index = _accepted_index(project, story)
        above = accepted[index - 1][1] if index else None
        if index + 1 < len(accepted):
            return accepted[index + 1][1], above
        return _first(active, icebox), above
    ids = active if panel == "active" else icebox
    index = ids.index(story.id)
    below = ids[index + 1] if index + 1 < len(ids) else _first(icebox if ids is active else [])
    if index:
        return below, ids[index - 1]
    if ids is icebox and active:
        return below, active[-1]
    return below, accepted[-1][1] if accepted else None


def first_idle_index(project: Project, stories: dict[int, Story]) -> int:
    """Return the place below the stories in progress at the head of the backlog."""
    for index, story_id in enumerate(project.active):
        if stories[story_id].current_state not in IN_PROGRESS:
            return index
    return len(project.active)


def _first(*lists: list[int]) -> int | None:
    return next((ids[0] for ids in lists if ids), None)


def _accepted_index(project: Project, story: Story) -> int:
    return bisect_left(project.accepted, (story.accepted_at or 0, story.id))
