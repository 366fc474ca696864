"""Versions of stories and projects over time, replayed from the demo's event log."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

ATTRIBUTES = ("project_id", "name", "story_type", "estimate", "label_ids", "owner_ids")
SETTINGS = {
    "name": "project_name",
    "time_zone": "time_zone",
    "week_start_day": "week_start_day",
    "iteration_length": "iteration_length_weeks",
    "velocity_averaged_over": "velocity_averaged_over",
    "initial_velocity": "initial_velocity",
    "point_scale": "point_scale",
    "bugs_and_chores_are_estimatable": "estimates_bugs_and_chores",
    "automatic_planning": "is_automatic_planning",
    "public": "is_public",
}


@dataclass(frozen=True)
class Version:
    """The values during `[since, until)`."""

    values: dict
    since: int
    until: int


def story_versions(workspace, as_of):
    """The versions of every story ever created: {story_id: [Version]}."""
    reports = defaultdict(list)
    for activity in sorted(workspace.activities, key=lambda each: each.occurred_at):
        for change in activity.changes:
            if change.kind == "story" and change.new:
                reports[change.id].append((activity.occurred_at, change.new))
    result = {}
    for story in [*workspace.stories.values(), *workspace.deleted_stories.values()]:
        end = as_of if story.deleted_at is None else min(as_of, story.deleted_at)
        values, instants = {}, {}
        for at, reported in reports[story.id]:
            if at > as_of or (story.deleted_at is not None and at > story.deleted_at):
                break
            reported = {key: _plain(reported[key]) for key in ATTRIBUTES if key in reported}
            values = dict.fromkeys(ATTRIBUTES) | values | reported
            instants[at] = values
        result[story.id] = _tiled(instants, end)
    return result


def _plain(value):
    if isinstance(value, list | tuple):
        return tuple(sorted(value)) or None
    return value


def _tiled(instants, end):
    """The versions between the instants at which values changed."""
    lasting = []
    for at, values in sorted(instants.items()):
        if not lasting or lasting[-1][1] != values:
            lasting.append((at, values))
    ends = [*(at for at, _ in lasting[1:]), end]
    return [Version(values, at, until) for (at, values), until in zip(lasting, ends, strict=False)]


def at_instant(versions, instant):
    """The values at an instant; before the first version, the values of the first version."""
    earlier = [version for version in versions if version.since <= instant]
    return (earlier[-1] if earlier else versions[0]).values


def before_instant(versions, instant):
    """The values just before an instant; before the first version, those of the first version."""
    earlier = [version for version in versions if version.since < instant]
    return (earlier[-1] if earlier else versions[0]).values


def points(values):
    """Exact points; None if unestimated."""
    return None if values["estimate"] is None else Fraction(str(values["estimate"]))


def story_history(workspace, as_of):
    """Rows of `dim_story_history` by key."""
    epics = {epic.label_id: epic.name for epic in workspace.epics.values()}
    rows = {}
    for story_id, versions in story_versions(workspace, as_of).items():
        for number, version in enumerate(versions, start=1):
            values = version.values
            labels = values["label_ids"] or ()
            rows[f"{story_id}-{number}"] = {
                "story_id": story_id,
                "project_id": values["project_id"],
                "story_name": values["name"],
                "story_type": values["story_type"],
                "label_names": _joined(workspace.label_names[each] for each in labels),
                "epic_names": _joined(epics[each] for each in labels if each in epics),
                "owner_names": _joined(
                    workspace.people[each].name for each in values["owner_ids"] or ()
                ),
                "estimate": points(values),
                "is_current": number == len(versions),
                "is_inferred": False,
                "valid_from": version.since,
                "valid_to": version.until,
            }
    return rows


def _joined(names):
    return ", ".join(sorted(names)) or None


def project_history(workspace, as_of):
    """Rows of `dim_project_history` by key, going back from the current settings."""
    rows = {}
    for project in workspace.projects.values():
        changes = [
            (activity.occurred_at, change)
            for activity in workspace.activities
            for change in activity.changes
            if change.kind == "project" and change.id == project.id
        ]
        settings = {name: getattr(project, name) for name in SETTINGS}
        instants = {}
        for at, change in sorted(changes, key=lambda each: -each[0]):
            instants.setdefault(at, dict(settings))
            settings |= {key: change.original[key] for key in SETTINGS if key in change.original}
        instants[project.created_at] = settings
        versions = _tiled(instants, as_of)
        for number, version in enumerate(versions, start=1):
            rows[f"{project.id}-{number}"] = {
                "project_id": project.id,
                **{SETTINGS[name]: value for name, value in version.values.items()},
                "is_current": number == len(versions),
                "valid_from": version.since,
                "valid_to": version.until,
            }
    return rows
