"""Commands on labels, and the lookup of labels by name."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.activities import Activity, Change
from simulator.core import CommandError, WorkspaceCore, command
from simulator.counts import NO_COUNTS, Counts, counts_moved
from simulator.entities import Label, Project, Story


class LabelCommands(WorkspaceCore):
    """Commands on a project's labels. As in Tracker, names are in lower case."""

    @command
    def create_label(self, project_id: int, name: str, *, at: int, by: int) -> Label:
        """Create a label without stories."""
        project = self.project(project_id)
        if _plain(name) in project.label_ids_by_name:
            raise CommandError(f"project {project_id} has a label {_plain(name)!r} already")
        return self._create_label(project, _plain(name), at, by)

    @command
    def rename_label(
        self, project_id: int, label_id: int, name: str, *, at: int, by: int
    ) -> Activity:
        """Rename a label; its stories are not changed."""
        project = self.project(project_id)
        label, name = self._label(project, label_id), _plain(name)
        if name in project.label_ids_by_name:
            raise CommandError(f"project {project_id} has a label {name!r} already")
        del project.label_ids_by_name[label.name]
        original = {"name": label.name, "updated_at": label.updated_at}
        label.name, label.updated_at = name, at
        project.label_ids_by_name[name] = label_id
        self.label_names[label_id] = name
        change = Change("label", "update", label_id, original, {"name": name, "updated_at": at})
        wording = "renamed label to:"
        return self._log(label, "label_update", wording, "edited", [change], at, by, quoted=name)

    @command
    def delete_label(self, project_id: int, label_id: int, *, at: int, by: int) -> Activity:
        """Delete a label and remove it from its stories in the same activity."""
        project = self.project(project_id)
        label = self._deletable_label(project, label_id)
        changes = []
        for story in self._stories_with(project, label_id):
            kept = [each for each in story.label_ids if each != label_id]
            changes.append(self._relabel(story, kept, at))
        changes.append(Change("label", "delete", label_id, None, None))
        self._drop_label(project, label)
        kind, wording = "label_delete", "deleted label:"
        return self._log(label, kind, wording, "deleted", changes, at, by, quoted=label.name)

    @command
    def merge_label(
        self, project_id: int, label_id: int, into_label_id: int, *, at: int, by: int
    ) -> Activity:
        """Replace a label by another one on every story, then delete it."""
        project = self.project(project_id)
        label = self._deletable_label(project, label_id)
        target = self._label(project, into_label_id)
        if label is target:
            raise CommandError("a label is merged into another one")
        changes: list[Change] = []
        before: dict[int, Counts] = {}
        for story in self._stories_with(project, label_id):
            if into_label_id not in story.label_ids:
                before.setdefault(into_label_id, target.counts)
                status = (story.current_state, story.points)
                target.counts = counts_moved(target.counts, None, status)
            replaced = [into_label_id if each == label_id else each for each in story.label_ids]
            changes.append(self._relabel(story, list(dict.fromkeys(replaced)), at))
        changes = self._count_changes(project, before) + changes
        changes.append(Change("label", "delete", label_id, None, None))
        self._drop_label(project, label)
        kind, wording = "label_merge", f'merged label "{label.name}" into'
        return self._log(target, kind, wording, "merged", changes, at, by, quoted=target.name)

    # ------------------------------------------------------------------ shared by the commands

    def _label_ids(self, project: Project, names: Iterable[str], *, at: int, by: int) -> list[int]:
        """Return the ids of labels by name; missing labels are created, in separate versions."""
        ids = []
        for name in dict.fromkeys(_plain(each) for each in names):
            label_id = project.label_ids_by_name.get(name)
            if label_id is None:
                label_id = self._create_label(project, name, at, by).id
            ids.append(label_id)
        return ids

    def _create_label(self, project: Project, name: str, at: int, by: int) -> Label:
        if not name:
            raise CommandError("Please enter a name for the label.")
        label = Label(self._next_id("label"), project.id, name, at, at, NO_COUNTS)
        project.labels[label.id] = label
        project.label_ids_by_name[name] = label.id
        self.label_names[label.id] = name
        values = {"id": label.id, "project_id": project.id, "name": name}
        values |= {"created_at": at, "updated_at": at, "counts": NO_COUNTS}
        change = Change("label", "create", label.id, None, values)
        kind, wording = "label_create", "created labels:"
        self._log(label, kind, wording, "created", [change], at, by, quoted=name)
        return label

    def _label(self, project: Project, label_id: int) -> Label:
        if label_id not in project.labels:
            raise CommandError(f"project {project.id} has no label {label_id}")
        return project.labels[label_id]

    def _deletable_label(self, project: Project, label_id: int) -> Label:
        label = self._label(project, label_id)
        if any(self.epics[epic_id].label_id == label_id for epic_id in project.epics):
            raise CommandError(f"label {label_id} belongs to an epic")
        return label

    def _drop_label(self, project: Project, label: Label) -> None:
        del project.labels[label.id]
        del project.label_ids_by_name[label.name]

    def _stories_with(self, project: Project, label_id: int) -> list[Story]:
        stories = (self.stories[story_id] for story_id in project.story_ids)
        return [story for story in stories if label_id in story.label_ids]

    def _relabel(self, story: Story, label_ids: list[int], at: int) -> Change:
        original: dict[str, object] = {
            "label_ids": story.label_ids,
            "updated_at": story.updated_at,
            "labels": self._names_of_labels(story),
        }
        story.label_ids, story.updated_at = label_ids, at
        new: dict[str, object] = {"label_ids": label_ids, "updated_at": at}
        new["labels"] = self._names_of_labels(story)
        return Change("story", "update", story.id, original, new)

    def _names_of_labels(self, story: Story) -> list[str]:
        return [self.label_names[label_id] for label_id in story.label_ids]

    def _count_changes(self, project: Project, before: dict[int, Counts]) -> list[Change]:
        """Return one change for each label whose counts were changed by a command."""
        return [
            Change("label", "update", label_id, counts, project.labels[label_id].counts)
            for label_id, counts in before.items()
            if counts != project.labels[label_id].counts
        ]


def _plain(name: str) -> str:
    return name.strip().lower()
