"""A story's position in the priority list of its project: accepted, then backlog, then icebox."""

from __future__ import annotations

from bisect import bisect_left, insort

from simulator.entities import IN_PROGRESS, Project, Story

Neighbours = tuple[int | None, int | None]


def panel_of(state: str) -> str:
    """Return the section of the list for a state."""
    if state == "accepted":
        return "accepted"
    return "icebox" if state == "unscheduled" else "active"


def remove_story(project: Project, story: Story) -> None:
    """Remove a story from the list."""
    panel = panel_of(story.current_state)
    if panel == "accepted":
        del project.accepted[_accepted_index(project, story)]
    else:
        getattr(project, panel).remove(story.id)


def insert_story(project: Project, story: Story, index: int | None = None) -> None:
    """Insert a story into the section of its state; accepted stories are sorted by acceptance.

    Args:
        project: the project of the list.
        story: the story, with its new state already set.
        index: the position in the backlog or icebox; by default the end.
    """
    panel = panel_of(story.current_state)
    if panel == "accepted":
        insort(project.accepted, (story.accepted_at or 0, story.id))
        return
    ids = getattr(project, panel)
    ids.insert(len(ids) if index is None else index, story.id)


def neighbours(project: Project, story: Story) -> Neighbours:
    """Return (`before_id`, `after_id`): the stories directly below and above, or `None`."""
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
    """Return the index below the stories in progress at the top of the backlog."""
    for index, story_id in enumerate(project.active):
        if stories[story_id].current_state not in IN_PROGRESS:
            return index
    return len(project.active)


def _first(*lists: list[int]) -> int | None:
    return next((ids[0] for ids in lists if ids), None)


def _accepted_index(project: Project, story: Story) -> int:
    return bisect_left(project.accepted, (story.accepted_at or 0, story.id))
