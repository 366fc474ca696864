"""Commands on the parts of a story: comments, tasks, blockers and reviews."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.activities import Activity, Change
from simulator.core import CommandError, changed_values, command, created_values, note_update
from simulator.entities import (
    REVIEW_STATUSES,
    Blocker,
    Comment,
    Epic,
    Review,
    Story,
    Task,
)
from simulator.story_commands import StoryCommands

_PARTS = {"comment": "comments", "task": "tasks", "blocker": "blockers", "review": "reviews"}
_EDITABLE = {
    "comment": {"text"},
    "task": {"description", "complete"},
    "blocker": {"description", "resolved"},
    "review": {"status", "reviewer_id"},
}

Part = Comment | Task | Blocker | Review


class PartCommands(StoryCommands):
    """Commands on comments (of stories and epics), tasks, blockers and reviews."""

    @command
    def add_comment(self, story_id: int, text: str, *, at: int, by: int) -> Comment:
        """Comment on a story; the commenter becomes a follower."""
        story = self.story(story_id)
        change = self._new_comment(story, text, at, by)
        followers = story.follower_ids
        if by not in followers:
            followers = [*followers, by]
        changes = [change, *self._note_change(story, at, follower_ids=followers)]
        wording = "added comment:"
        self._log(story, "comment_create", wording, wording, changes, at, by, quoted=text)
        return story.comments[-1]

    @command
    def edit_comment(
        self, story_id: int, comment_id: int, text: str, *, at: int, by: int
    ) -> Activity:
        """Change the text of a comment on a story."""
        story = self.story(story_id)
        change = _edited("comment", _part(story, "comment", comment_id), at, text=text)
        changes = [change, *self._note_change(story, at)]
        return self._log(story, "comment_update", "edited this comment", "edited", changes, at, by)

    @command
    def delete_comment(self, story_id: int, comment_id: int, *, at: int, by: int) -> Activity:
        """Delete a comment from a story."""
        return self._delete_part("comment", story_id, comment_id, at, by)

    @command
    def add_task(self, story_id: int, description: str, *, at: int, by: int) -> Task:
        """Add a task at the end of a story's list."""
        story, number = self.story(story_id), self._next_id("task")
        task = Task(number, story_id, description, False, len(story.tasks) + 1, at, at)
        keys = ("id", "story_id", "description", "complete", "position")
        changes, wording = self._added("task", story, task, keys, at), "added task:"
        self._log(story, "task_create", wording, wording, changes, at, by, quoted=description)
        return task

    @command
    def update_task(
        self, story_id: int, task_id: int, *, at: int, by: int, **values: object
    ) -> Activity:
        """Change a task's `description` or whether it is `complete`."""
        story = self.story(story_id)
        task = _part(story, "task", task_id)
        change = _edited("task", task, at, **values)
        wording = "rewrote task:"
        if "complete" in values:
            wording = "completed task:" if task.complete else "uncompleted task:"
        kind, changes = "task_update", [*self._note_change(story, at), change]
        return self._log(story, kind, wording, wording, changes, at, by, quoted=task.description)

    def complete_task(self, story_id: int, task_id: int, **options: object) -> Activity:
        """Complete a task."""
        return self.update_task(story_id, task_id, complete=True, **options)

    @command
    def delete_task(self, story_id: int, task_id: int, *, at: int, by: int) -> Activity:
        """Delete a task; the ones below move up, without logged changes."""
        activity = self._delete_part("task", story_id, task_id, at, by)
        for position, task in enumerate(self.stories[story_id].tasks, start=1):
            task.position = position
        return activity

    @command
    def add_blocker(self, story_id: int, description: str, *, at: int, by: int) -> Blocker:
        """Add a blocker."""
        story, number = self.story(story_id), self._next_id("blocker")
        blocker = Blocker(number, story_id, by, description, False, at, at)
        keys = ("id", "story_id", "person_id", "description", "resolved")
        changes, wording = self._added("blocker", story, blocker, keys, at), "added blocker:"
        self._log(story, "blocker_create", wording, wording, changes, at, by, quoted=description)
        return blocker

    @command
    def update_blocker(
        self, story_id: int, blocker_id: int, *, at: int, by: int, **values: object
    ) -> Activity:
        """Change a blocker's `description` or whether it is `resolved`."""
        story = self.story(story_id)
        blocker = _part(story, "blocker", blocker_id)
        change = _edited("blocker", blocker, at, **values)
        wording = "edited blocker:"
        if "resolved" in values:
            wording = "resolved blocker:" if blocker.resolved else "unresolved blocker:"
        kind, changes = "blocker_update", [change, *self._note_change(story, at)]
        quoted = blocker.description
        return self._log(story, kind, wording, wording, changes, at, by, quoted=quoted)

    def resolve_blocker(self, story_id: int, blocker_id: int, **options: object) -> Activity:
        """Resolve a blocker."""
        return self.update_blocker(story_id, blocker_id, resolved=True, **options)

    @command
    def delete_blocker(self, story_id: int, blocker_id: int, *, at: int, by: int) -> Activity:
        """Delete a blocker."""
        return self._delete_part("blocker", story_id, blocker_id, at, by)

    @command
    def add_review(
        self,
        story_id: int,
        review_type_id: int,
        reviewer_id: int | None = None,
        *,
        at: int,
        by: int,
    ) -> Review:
        """Request a review of a story."""
        story = self.story(story_id)
        project = self.projects[story.project_id]
        if review_type_id not in {each.id for each in project.review_types}:
            raise CommandError(f"project {project.id} has no review type {review_type_id}")
        number = self._next_id("review")
        review = Review(number, story_id, review_type_id, reviewer_id, "unstarted", at, at)
        keys = ("id", "story_id", "review_type_id", "reviewer_id", "status")
        changes = self._added("review", story, review, keys, at)
        wording = f"added a review to this {story.story_type}"
        self._log(story, "review_create", wording, "added", changes, at, by)
        return review

    @command
    def update_review(
        self, story_id: int, review_id: int, *, at: int, by: int, **values: object
    ) -> Activity:
        """Change a review's `status` or `reviewer_id`."""
        story = self.story(story_id)
        if values.get("status", "unstarted") not in REVIEW_STATUSES:
            raise CommandError(f"no review status {values['status']}")
        change = _edited("review", _part(story, "review", review_id), at, **values)
        wording = f"updated a review of this {story.story_type}"
        changes = [change, *self._note_change(story, at)]
        return self._log(story, "review_update", wording, "updated", changes, at, by)

    @command
    def delete_review(self, story_id: int, review_id: int, *, at: int, by: int) -> Activity:
        """Delete a review from a story."""
        return self._delete_part("review", story_id, review_id, at, by)

    # ------------------------------------------------------------------ shared by the commands

    def _added(
        self, kind: str, story: Story, part: Part, keys: Sequence[str], at: int
    ) -> list[Change]:
        getattr(story, _PARTS[kind]).append(part)
        change = Change(kind, "create", part.id, None, created_values(part, keys))
        return [change, *self._note_change(story, at)]

    def _delete_part(self, kind: str, story_id: int, part_id: int, at: int, by: int) -> Activity:
        story = self.story(story_id)
        part = _part(story, kind, part_id)
        getattr(story, _PARTS[kind]).remove(part)
        changes = [Change(kind, "delete", part_id, None, None), *self._note_change(story, at)]
        wording = f"deleted a {kind} from this {story.story_type}"
        return self._log(story, f"{kind}_delete", wording, "deleted", changes, at, by)

    def _note_change(self, host: Story | Epic, at: int, **values: object) -> list[Change]:
        """Set the `updated_at` of a story or epic, and return the change, if any."""
        original, new = changed_values(host, values)
        note_update(host, original, new, at)
        kind, number = host.reference[0]
        return [Change(kind, "update", number, original, new)] if new else []


def _part(story: Story, kind: str, part_id: int) -> Part:
    for part in getattr(story, _PARTS[kind]):
        if part.id == part_id:
            return part
    raise CommandError(f"story {story.id} has no {kind} {part_id}")


def _edited(kind: str, part: Part, at: int, **values: object) -> Change:
    """Change values of a part, and return the change to log."""
    if unknown := values.keys() - _EDITABLE[kind]:
        raise CommandError(f"a {kind} has no {', '.join(sorted(unknown))}")
    original, new = changed_values(part, values)
    if not new:
        raise CommandError(f"nothing changes on {kind} {part.id}")
    note_update(part, original, new, at)
    return Change(kind, "update", part.id, original, new)
