"""The activity log: one activity per command (docs/tracker-api.md, Activities).

A workspace can have 1.5 million activities, so they are stored compactly: names and messages are
added when an activity is read. As in Tracker, old activities therefore show *current* names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simulator.counts import counts_record

if TYPE_CHECKING:
    from simulator.workspace import Workspace

STORY_URL = "https://www.pivotaltracker.com/story/show/"
EPIC_URL = "https://www.pivotaltracker.com/epic/show/"


class Change(NamedTuple):
    """One resource that a command changed.

    `original` and `new` are dictionaries of values, with timestamps in seconds. For a label whose
    counts changed they are the two tuples of counts. They are `None` if Tracker gives no values.
    """

    kind: str
    change_type: str
    id: int
    original: dict[str, object] | tuple | None
    new: dict[str, object] | tuple | None


@dataclass(slots=True)
class Activity:
    """One command in a project's log."""

    kind: str
    project_id: int
    project_version: int
    wording: str
    quoted: str | None
    highlight: str
    changes: tuple[Change, ...]
    primary: tuple[tuple[str, int], ...]
    performed_by_id: int
    occurred_at: int

    @property
    def guid(self) -> str:
        """Tracker's key of the activity."""
        return f"{self.project_id}_{self.project_version}"


def activity_record(
    activity: Activity, workspace: Workspace, moment: Callable[[int], object]
) -> dict[str, object]:
    """Return an activity as an API record; `moment` formats a timestamp."""
    person = workspace.people[activity.performed_by_id]
    quoted = "" if activity.quoted is None else f' "{activity.quoted}"'
    return {
        "kind": activity.kind,
        "guid": activity.guid,
        "project_version": activity.project_version,
        "message": f"{person.name} {activity.wording}{quoted}",
        "highlight": activity.highlight,
        "changes": [_change_record(change, workspace, moment) for change in activity.changes],
        "primary_resources": [
            {"kind": kind, ("number" if kind == "iteration" else "id"): number}
            | _naming(kind, number, workspace)
            | _linking(kind, number)
            for kind, number in activity.primary
        ],
        "secondary_resources": [],
        "project": {
            "kind": "project",
            "id": activity.project_id,
            "name": workspace.projects[activity.project_id].name,
        },
        "performed_by": {
            "kind": "person",
            "id": person.id,
            "name": person.name,
            "initials": person.initials,
        },
        "occurred_at": moment(activity.occurred_at),
    }


def _change_record(
    change: Change, workspace: Workspace, moment: Callable[[int], object]
) -> dict[str, object]:
    number_key = "number" if change.kind == "iteration" else "id"
    record: dict[str, object] = {
        "kind": change.kind,
        "change_type": change.change_type,
        number_key: change.id,
    }
    if change.original is not None:
        record["original_values"] = _values(change.original, moment)
    if change.new is not None:
        record["new_values"] = _values(change.new, moment)
    record.update(_naming(change.kind, change.id, workspace))
    return record


def _values(
    values: dict[str, object] | tuple, moment: Callable[[int], object]
) -> dict[str, object]:
    """Format the values of a change. Only here does the API send null for an empty value."""
    if isinstance(values, tuple):
        return {"counts": counts_record(values)}
    return {
        key: moment(value)
        if isinstance(value, int) and (key.endswith("_at") or key == "deadline")
        else counts_record(value)
        if isinstance(value, tuple)
        else value
        for key, value in values.items()
    }


def _naming(kind: str, number: int, workspace: Workspace) -> dict[str, object]:
    """Return the names that Tracker adds to a resource's id."""
    if kind == "story":
        story = workspace.stories.get(number) or workspace.deleted_stories[number]
        return {"name": story.name, "story_type": story.story_type}
    if kind == "label":
        return {"name": workspace.label_names[number]}
    if kind == "epic":
        return {"name": workspace.epic_names[number]}
    if kind == "project":
        return {"name": workspace.projects[number].name}
    return {}


def _linking(kind: str, number: int) -> dict[str, object]:
    if kind == "story":
        return {"url": f"{STORY_URL}{number}"}
    if kind == "epic":
        return {"url": f"{EPIC_URL}{number}"}
    return {}
