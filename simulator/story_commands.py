"""Commands on stories: create, update, change state, move, delete."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.activities import Activity, Change
from simulator.core import CommandError, command
from simulator.counts import Counts
from simulator.entities import IN_PROGRESS, Number, Project, Story
from simulator.priorities import first_idle_index, insert_story, neighbours, panel_of, remove_story
from simulator.story_edits import StoryEdits
from simulator.story_rules import (
    check,
    check_change,
    check_estimate,
    describe_change,
    implied_values,
    normal_values,
    set_values,
)


class StoryCommands(StoryEdits):
    """Commands on stories. Each logs one activity, preceded by one per label that it creates."""

    @command
    def create_story(
        self,
        project_id: int,
        name: str,
        story_type: str = "feature",
        *,
        current_state: str = "unscheduled",
        at: int,
        by: int,
        index: int | None = None,
        labels: Iterable[str] = (),
        **values: object,
    ) -> Story:
        """Create a story; `values` as in `update_story`, `index` is the position in its section.

        An explicit `accepted_at` (with the state accepted) may be before the creation, as for
        imported stories.
        """
        project = self.project(project_id)
        values["labels"] = list(labels)
        story = self._drafted(project, name, story_type, current_state, values, at, by)
        story.label_ids = self._label_ids(project, labels, at=at, by=by)
        story.id = self._next_id("story")
        story.reference = (("story", story.id),)
        self.stories[story.id] = story
        if index is None and current_state == "unscheduled":
            index = 0
        elif current_state in IN_PROGRESS:
            index = first_idle_index(project, self.stories)
        insert_story(project, story, index)
        before: dict[int, Counts] = {}
        self._update_counts(project, story, None, [], before, at)
        changes = self._count_changes(project, before)
        created = self._creation_values(project, story)
        changes.append(Change("story", "create", story.id, None, created))
        self._log(story, "story_create", f"added this {story_type}", "added", changes, at, by)
        return story

    @command
    def update_story(
        self,
        story_id: int,
        *,
        at: int,
        by: int,
        comment: str | None = None,
        **values: object,
    ) -> Activity:
        """Change values of a story; with `comment`, the same activity also adds a comment.

        Values: name, description, story_type, story_priority, current_state, estimate, deadline,
        requested_by_id, external_id, owner_ids, labels (names), follower_ids; `None` clears.

        Raises:
            CommandError: if Tracker would refuse the change, or nothing would change.
        """
        story = self.story(story_id)
        project = self.projects[story.project_id]
        values = implied_values(project, story, normal_values(values, self.people), at)
        check_change(project, story, values)
        if "labels" in values:
            values["label_ids"] = self._label_ids(project, values.pop("labels"), at=at, by=by)
        before: dict[int, Counts] = {}
        original, new = self._edit(project, story, values, before, at, by)
        if not new:
            raise CommandError(f"nothing changes on story {story_id}")
        changes = self._count_changes(project, before)
        if comment is not None:
            changes.append(self._new_comment(story, comment, at, by))
        changes.append(Change("story", "update", story_id, original, new))
        return self._log(story, "story_update", *describe_change(story, new), changes, at, by)

    def change_state(self, story_id: int, state: str, **options: object) -> Activity:
        """Change the state of a story; `comment=` adds the reason of a rejection."""
        return self.update_story(story_id, current_state=state, **options)

    def estimate_story(self, story_id: int, points: Number | None, **options: object) -> Activity:
        """Set or remove a story's estimate."""
        return self.update_story(story_id, estimate=points, **options)

    def add_owner(self, story_id: int, person_id: int, **options: object) -> Activity:
        """Add an owner to a story."""
        owners = self.story(story_id).owner_ids
        return self.update_story(story_id, owner_ids=[*owners, person_id], **options)

    def remove_owner(self, story_id: int, person_id: int, **options: object) -> Activity:
        """Remove an owner from a story."""
        owners = [each for each in self.story(story_id).owner_ids if each != person_id]
        return self.update_story(story_id, owner_ids=owners, **options)

    def add_label(self, story_id: int, name: str, **options: object) -> Activity:
        """Add a label to a story; a new label is created first, in a separate version."""
        names = self._names_of_labels(self.story(story_id))
        return self.update_story(story_id, labels=[*names, name], **options)

    def remove_label(self, story_id: int, name: str, **options: object) -> Activity:
        """Remove a label from a story."""
        names = [each for each in self._names_of_labels(self.story(story_id)) if each != name]
        return self.update_story(story_id, labels=names, **options)

    @command
    def move_story(
        self,
        story_id: int,
        *,
        at: int,
        by: int,
        panel: str | None = None,
        index: int | None = None,
    ) -> Activity:
        """Move a story to a position in the backlog (`active`) or in the `icebox`.

        `index` counts from 0 (the top) in that section without the story itself. Moving between the
        two changes the state: unscheduled in the icebox, unstarted in the backlog.
        """
        story = self.story(story_id)
        project = self.projects[story.project_id]
        source = panel_of(story.current_state)
        panel = panel or source
        if source == "accepted" or panel not in {"active", "icebox"}:
            raise CommandError(f"story {story_id} cannot be dragged from {source} to {panel}")
        values: dict[str, object] = {}
        if panel != source:
            values["current_state"] = "unscheduled" if panel == "icebox" else "unstarted"
        before: dict[int, Counts] = {}
        index = 0 if index is None else index
        original, new = self._edit(project, story, values, before, at, by, index=index)
        if not new:
            raise CommandError(f"nothing changes on story {story_id}")
        changes = self._count_changes(project, before)
        changes.append(Change("story", "update", story_id, original, new))
        wording = self._wording_of_move(project, story)
        return self._log(story, "story_move", wording, "moved", changes, at, by)

    @command
    def delete_stories(self, story_ids: list[int], *, at: int, by: int) -> Activity:
        """Delete several stories of a project in one activity."""
        stories = [self.story(story_id) for story_id in story_ids]
        if not stories or len({story.project_id for story in stories}) > 1:
            raise CommandError("stories are deleted together within one project")
        if len(set(story_ids)) < len(story_ids):
            raise CommandError("a story is deleted once")
        project = self.projects[stories[0].project_id]
        before: dict[int, Counts] = {}
        wording = f"deleted this {stories[0].story_type}"
        if len(stories) > 1:
            wording = f"deleted {len(stories)} stories"
        for story in stories:
            remove_story(project, story)
            self._leave(project, story, before, at)
            story.deleted_at = at
        changes = self._count_changes(project, before)
        changes += [Change("story", "delete", story_id, None, None) for story_id in story_ids]
        primary = tuple(("story", story_id) for story_id in reversed(story_ids))
        activity = self._log(
            project, "story_delete", wording, "deleted", changes, at, by, primary=primary
        )
        for story_id in story_ids:
            self.deleted_stories[story_id] = self.stories.pop(story_id)
        return activity

    def delete_story(self, story_id: int, **options: object) -> Activity:
        """Delete one story."""
        return self.delete_stories([story_id], **options)

    @command
    def move_to_project(self, story_id: int, project_id: int, *, at: int, by: int) -> Activity:
        """Move a story to another project: one activity in the old one, then one in the new.

        Id, state, estimate and acceptance are kept; labels are matched by name or created.
        """
        story = self.story(story_id)
        old, new = self.projects[story.project_id], self.project(project_id)
        if old is new:
            raise CommandError(f"story {story_id} is in project {project_id} already")
        names = self._names_of_labels(story)
        was = {"project_id": old.id, "updated_at": story.updated_at}
        was |= {"label_ids": list(story.label_ids), "labels": names} if names else {}
        before: dict[int, Counts] = {}
        remove_story(old, story)
        self._leave(old, story, before, at)
        changes = self._count_changes(old, before)
        into = {"project_id": new.id, "updated_at": at}
        story.label_ids, story.project_id, story.updated_at = [], new.id, at
        left = {**into, "label_ids": [], "labels": []} if names else into
        changes.append(Change("story", "update", story_id, was, left))
        wording = f"moved this {story.story_type} out of this project"
        kind, primary = "story_move_from_project", story.reference
        self._log(old, kind, wording, "moved", changes, at, by, primary=primary)
        return self._add_moved(new, story, names, was, into, at, by)

    def _add_moved(
        self,
        project: Project,
        story: Story,
        names: list[str],
        was: dict[str, object],
        into: dict[str, object],
        at: int,
        by: int,
    ) -> Activity:
        """Add a story from another project, and log it in this one."""
        story.label_ids = self._label_ids(project, names, at=at, by=by)
        insert_story(project, story)
        before: dict[int, Counts] = {}
        self._update_counts(project, story, None, [], before, at)
        changes = self._count_changes(project, before)
        if names:
            into = {**into, "label_ids": list(story.label_ids), "labels": names}
        changes.append(Change("story", "update", story.id, dict(was), into))
        wording = f"moved this {story.story_type} into this project"
        return self._log(story, "story_move_into_project", wording, "moved", changes, at, by)

    def _drafted(
        self,
        project: Project,
        name: str,
        story_type: str,
        state: str,
        values: dict[str, object],
        at: int,
        by: int,
    ) -> Story:
        """Create and check a story without adding it to the tables."""
        values = normal_values(values, self.people)
        values.pop("labels")
        accepted_at = values.pop("accepted_at", None)
        if state == "accepted":
            accepted_at = at if accepted_at is None else accepted_at
        elif accepted_at is not None:
            raise CommandError("only accepted stories have accepted_at")
        if (accepted_at or 0) > at:
            raise CommandError("a story cannot be accepted in the future")
        story = Story(0, project.id, name, story_type, state, by, at, at, accepted_at=accepted_at)
        set_values(story, values)
        check(project, story)
        check_estimate(project, story_type, values.get("estimate"))
        return story

    def _creation_values(self, project: Project, story: Story) -> dict[str, object]:
        """Return the values of the create activity, without empty ones."""
        before_id, after_id = neighbours(project, story)
        values = {key: getattr(story, key) for key in ("id", "project_id", "name", "description")}
        for key in ("story_type", "current_state", "estimate", "accepted_at", "deadline"):
            values[key] = getattr(story, key)
        values["requested_by_id"] = story.requested_by_id
        for key in ("owner_ids", "label_ids", "follower_ids"):
            values[key] = list(getattr(story, key))
        values |= {"created_at": story.created_at, "updated_at": story.updated_at}
        values |= {"before_id": before_id, "after_id": after_id, "blocked_story_ids": []}
        values |= {"story_priority": story.story_priority}
        values["labels"] = self._names_of_labels(story)
        return {key: value for key, value in values.items() if value is not None and value != ""}

    def _wording_of_move(self, project: Project, story: Story) -> str:
        before_id, after_id = neighbours(project, story)
        other = before_id if before_id is not None else after_id
        if other is None:
            return "moved this story"
        word = "before" if before_id is not None else "after"
        return f"moved this story {word} '{self.stories[other].name}'"
