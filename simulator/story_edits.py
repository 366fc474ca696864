"""The consequences of an edit of a story: position, label counts, daily flow, transitions."""

from __future__ import annotations

from simulator.activities import Change
from simulator.core import changed_values, created_values, note_update
from simulator.counts import Counts, counts_moved
from simulator.entities import IN_PROGRESS, Comment, Epic, FlowChange, Project, Story, Transition
from simulator.label_commands import LabelCommands
from simulator.priorities import (
    Neighbours,
    first_idle_index,
    insert_story,
    neighbours,
    panel_of,
    remove_story,
)
from simulator.story_rules import VALUE_ORDER, Status, status_of

_NO_FILES = (
    "file_attachment_ids",
    "google_attachment_ids",
    "attachment_ids",
    "file_attachments",
    "google_attachments",
)


class StoryEdits(LabelCommands):
    """The bookkeeping shared by all commands on stories."""

    def _edit(
        self,
        project: Project,
        story: Story,
        values: dict[str, object],
        before: dict[int, Counts],
        at: int,
        by: int,
        index: int | None = None,
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Set values; update position, label counts, flow and transitions. Returns the change."""
        status, old_labels = status_of(story), story.label_ids
        old_state, old_updated_at = story.current_state, story.updated_at
        ordered = {key: values[key] for key in VALUE_ORDER if key in values}
        moves = index is not None or any(
            ordered.get(key, getattr(story, key)) != getattr(story, key)
            for key in ("current_state", "accepted_at")
        )
        place = self._remove(project, story) if moves else None
        original, new = changed_values(story, ordered)
        if place is not None:
            self._insert(project, story, old_state, place[0], index)
        if new or moves:
            _note_first_owner(original, new)
            note_update(story, original, new, at)
            self._add_label_names(original, new)
        if place is not None:
            _note_neighbours(original, new, place[1], neighbours(project, story))
            if new.keys() <= {"updated_at"}:
                story.updated_at = old_updated_at
                return {}, {}
        if new.keys() & {"current_state", "estimate", "label_ids", "story_type"}:
            self._update_counts(project, story, status, old_labels, before, at)
        if story.current_state != old_state:
            self._transit(project, story, at, by)
        return original, new

    def _remove(self, project: Project, story: Story) -> tuple[int | None, Neighbours]:
        """Remove a story from the list. Returns its index and its neighbours."""
        around = neighbours(project, story)
        panel = panel_of(story.current_state)
        index = None if panel == "accepted" else getattr(project, panel).index(story.id)
        remove_story(project, story)
        return index, around

    def _new_comment(self, host: Story | Epic, text: str, at: int, by: int) -> Change:
        """Add a comment to a story or epic, and return the change to log."""
        number = self._next_id("comment")
        of_story = isinstance(host, Story)
        story_id, epic_id = (host.id, None) if of_story else (None, host.id)
        comment = Comment(number, story_id, epic_id, by, text, at, at)
        host.comments.append(comment)
        keys = ("id", "story_id" if of_story else "epic_id", "text", "person_id")
        values = created_values(comment, keys)
        values |= {key: [] for key in _NO_FILES}
        return Change("comment", "create", number, None, values)

    def _add_label_names(self, original: dict[str, object], new: dict[str, object]) -> None:
        """Add the names of changed labels to their ids, as Tracker does."""
        if "label_ids" in new:
            for values in (original, new):
                values["labels"] = [self.label_names[each] for each in values["label_ids"]]

    def _insert(
        self,
        project: Project,
        story: Story,
        old_state: str,
        old_index: int | None,
        index: int | None,
    ) -> None:
        """Reinsert a story that was taken out of the list: at an index, or according to its state.

        A started story moves up to the other stories in progress; any other story keeps its
        position in the backlog; a story that goes to the icebox is put at the top.
        """
        panel, old_panel = panel_of(story.current_state), panel_of(old_state)
        if index is None and panel == "icebox":
            index = 0
        elif index is None and panel == "active":
            index = old_index if panel == old_panel else len(project.active)
            if story.current_state in IN_PROGRESS:
                index = min(index, first_idle_index(project, self.stories))
        insert_story(project, story, index)

    def _update_counts(
        self,
        project: Project,
        story: Story,
        status: Status,
        old_labels: list[int],
        before: dict[int, Counts],
        at: int,
    ) -> None:
        """Update label counts and daily flow to a story's new state and points."""
        now = status_of(story)
        for label_id in dict.fromkeys([*old_labels, *story.label_ids]):
            out_of = status if label_id in old_labels else None
            into = now if label_id in story.label_ids else None
            if out_of != into:
                label = project.labels[label_id]
                before.setdefault(label_id, label.counts)
                label.counts = counts_moved(label.counts, out_of, into)
        if story.story_type != "release" and status != now:
            self._flow(project, story, status, now, at)

    def _leave(self, project: Project, story: Story, before: dict[int, Counts], at: int) -> None:
        """Remove a deleted or moved story from label counts and daily flow."""
        status = status_of(story)
        for label_id in story.label_ids:
            label = project.labels[label_id]
            before.setdefault(label_id, label.counts)
            label.counts = counts_moved(label.counts, status, None)
        if story.story_type != "release":
            self._flow(project, story, status, None, at)

    def _flow(self, project: Project, story: Story, old: Status, new: Status, at: int) -> None:
        change = FlowChange(at, story.id, *(old or (None, 0)), *(new or (None, 0)))
        project.flow.append(change)
        story.flow.append(change)

    def _transit(self, project: Project, story: Story, at: int, by: int) -> None:
        """Record a transition, with the version that the command is about to log."""
        row = Transition(story.current_state, story.id, project.id, project.version + 1, at, by)
        story.transitions.append(row)
        project.transitions.append(row)
        self.transitions.append(row)


def _note_first_owner(original: dict[str, object], new: dict[str, object]) -> None:
    """Report a change of the legacy field `owned_by_id`, the first owner."""
    if "owner_ids" in new:
        was, now = (values["owner_ids"][:1] for values in (original, new))
        if was != now:
            original["owned_by_id"] = was[0] if was else None
            new["owned_by_id"] = now[0] if now else None


def _note_neighbours(
    original: dict[str, object], new: dict[str, object], was: Neighbours, now: Neighbours
) -> None:
    """Report a change of a story's neighbours."""
    for position, key in enumerate(("before_id", "after_id")):
        if was[position] != now[position]:
            original[key], new[key] = was[position], now[position]
