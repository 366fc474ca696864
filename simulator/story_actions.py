"""Minor actions on a story: commenting, completing tasks, labelling, blocking, reviewing."""

from __future__ import annotations

from collections.abc import Callable

from simulator import words
from simulator.crew import Crew, Process
from simulator.entities import PRIORITIES, Story
from simulator.shifts import NEVER

Action = Callable[[Crew, Story, int], None]


def add_comment(crew: Crew, story: Story, person_id: int) -> None:
    """Comment on a story."""
    crew.workspace.add_comment(story.id, crew.comment(), by=person_id)


def correct_comment(crew: Crew, story: Story, person_id: int) -> None:
    """Edit or delete a comment of a story."""
    if story.comments:
        comment = crew.rng.choice(story.comments)
        if crew.chance(0.3):
            crew.workspace.delete_comment(story.id, comment.id, by=comment.person_id)
        else:
            text = f"{comment.text} (edited)"
            crew.workspace.edit_comment(story.id, comment.id, text, by=comment.person_id)


def add_tasks(crew: Crew, story: Story, person_id: int) -> None:
    """Add a few tasks."""
    for _ in range(crew.rng.randrange(2, 6)):
        crew.workspace.add_task(story.id, words.task(crew.rng, crew.team.words), by=person_id)


def add_label(crew: Crew, story: Story, person_id: int) -> None:
    """Add a label to a story."""
    name = crew.label()
    if crew.project.label_ids_by_name.get(name) not in story.label_ids:
        crew.workspace.add_label(story.id, name, by=person_id)


def remove_label(crew: Crew, story: Story, person_id: int) -> None:
    """Remove a label from a story."""
    if story.label_ids:
        name = crew.workspace.label_names[crew.rng.choice(story.label_ids)]
        crew.workspace.remove_label(story.id, name, by=person_id)


def change_description(crew: Crew, story: Story, person_id: int) -> None:
    """Change the description."""
    text = words.description(crew.rng, crew.team.words)
    if text != story.description:
        crew.workspace.update_story(story.id, description=text, by=person_id)


def rename(crew: Crew, story: Story, person_id: int) -> None:
    """Change the name."""
    name = words.story_name(crew.rng, crew.team.words, story.story_type)
    if name != story.name:
        crew.workspace.update_story(story.id, name=name, by=person_id)


def estimate(crew: Crew, story: Story, person_id: int) -> None:
    """Set or change the estimate."""
    points = crew.points(story.story_type)
    if points is not None and points != story.estimate:
        crew.workspace.estimate_story(story.id, points, by=person_id)


def retype(crew: Crew, story: Story, person_id: int) -> None:
    """Turn a feature into a bug, which loses its estimate if bugs are not estimated."""
    if story.story_type == "feature":
        crew.workspace.update_story(story.id, story_type="bug", by=person_id)


def add_owner(crew: Crew, story: Story, person_id: int) -> None:
    """Add a colleague as an owner."""
    if len(story.owner_ids) < 4:
        helper = crew.rng.choice(crew.developers)
        if helper not in story.owner_ids:
            crew.workspace.add_owner(story.id, helper, by=person_id)


def remove_owner(crew: Crew, story: Story, person_id: int) -> None:
    """Remove the last of several owners."""
    if len(story.owner_ids) > 1:
        crew.workspace.remove_owner(story.id, story.owner_ids[-1], by=person_id)


def request_review(crew: Crew, story: Story, person_id: int) -> None:
    """Request a review, which is done later."""
    review_type = crew.rng.choice(crew.project.review_types)
    reviewer = crew.anybody() if crew.chance(0.8) else None
    review = crew.workspace.add_review(story.id, review_type.id, reviewer, by=person_id)
    crew.simulation.spawn(reviewing(crew, story, review.id), crew.later(0.5))


def add_blocker(crew: Crew, story: Story, person_id: int) -> None:
    """Add a blocker, which is resolved later or never."""
    other = crew.rng.choice(crew.project.active) if crew.project.active else story.id
    text = words.blocker(crew.rng, crew.team.words, other)
    blocker = crew.workspace.add_blocker(story.id, text, by=person_id)
    crew.simulation.spawn(unblocking(crew, story, blocker.id), crew.later(2))


def complete_tasks(crew: Crew, story: Story, person_id: int) -> None:
    """Complete one or two tasks."""
    open_tasks = [task for task in story.tasks if not task.complete]
    for task in open_tasks[: crew.rng.randrange(1, 3)]:
        crew.workspace.complete_task(story.id, task.id, by=person_id)


def change_tasks(crew: Crew, story: Story, person_id: int) -> None:
    """Delete or rewrite a task."""
    if story.tasks:
        task = crew.rng.choice(story.tasks)
        if crew.chance(0.5):
            crew.workspace.delete_task(story.id, task.id, by=person_id)
        else:
            text = f"{task.description}, and test it"
            crew.workspace.update_task(story.id, task.id, description=text, by=person_id)


def set_priority(crew: Crew, story: Story, person_id: int) -> None:
    """Set the priority."""
    priority = crew.rng.choice(PRIORITIES)
    if priority != story.story_priority:
        crew.workspace.update_story(story.id, story_priority=priority, by=person_id)


def change_requester(crew: Crew, story: Story, person_id: int) -> None:
    """Change the requester."""
    if person_id != story.requested_by_id:
        crew.workspace.update_story(story.id, requested_by_id=person_id, by=person_id)


# What may happen to a story before it is scheduled, and while it is worked on.
GROOMING: tuple[tuple[Action, float], ...] = (
    (change_description, 0.35),
    (add_label, 0.5),
    (estimate, 0.8),
    (add_comment, 0.65),
    (add_tasks, 0.42),
    (set_priority, 0.25),
    (change_description, 0.2),
    (add_comment, 0.6),
    (rename, 0.15),
    (remove_label, 0.07),
    (change_requester, 0.06),
    (retype, 0.03),
    (estimate, 0.14),
)
WORKING: tuple[tuple[Action, float], ...] = (
    (complete_tasks, 0.85),
    (add_comment, 0.85),
    (add_owner, 0.3),
    (add_blocker, 0.12),
    (complete_tasks, 0.85),
    (add_comment, 0.7),
    (correct_comment, 0.12),
    (retype, 0.012),
    (add_label, 0.15),
    (change_tasks, 0.12),
    (remove_owner, 0.07),
    (complete_tasks, 0.95),
    (add_comment, 0.6),
    (request_review, 0.33),
    (request_review, 0.12),
)


# ---------------------------------------------------------------------- later reactions


def reviewing(crew: Crew, story: Story, review_id: int) -> Process:
    """Do a review and pass the story or ask for a revision; a few reviews are never done."""
    for statuses, probability in ((("in_review",), 0.75), (("pass", "pass", "revise"), 0.85)):
        there = any(review.id == review_id for review in story.reviews)
        if not there or not crew.has(story) or not crew.chance(probability):
            return
        status = crew.rng.choice(statuses)
        crew.workspace.update_review(story.id, review_id, status=status, by=crew.anybody())
        yield crew.later(0.6)
    if crew.has(story) and crew.chance(0.04):
        crew.workspace.delete_review(story.id, review_id, by=crew.anybody())


def unblocking(crew: Crew, story: Story, blocker_id: int) -> Process:
    """Resolve a blocker, delete it, or leave it open."""
    if crew.has(story):
        chance = crew.rng.random()
        if chance < 0.72:
            crew.workspace.resolve_blocker(story.id, blocker_id, by=crew.anybody())
        elif chance < 0.82:
            crew.workspace.delete_blocker(story.id, blocker_id, by=crew.anybody())
    yield NEVER
