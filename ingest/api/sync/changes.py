"""What a project's activities tell of what has changed: pure functions, no HTTP.

An activity names what it changed in `changes` and `primary_resources` (docs/tracker-api.md,
Activities). What
follows from a change without being named there (label counts, iterations, roll-ups) is decided
here too, as lists that have to be read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.api.http.errors import one_line
from ingest.records import Record, instant_or_none

# Values of a story on which neither iterations nor roll-ups rest; any other may move them.
_BESIDE_THE_PLAN = frozenset(
    {
        "name",
        "description",
        "owner_ids",
        "owned_by_id",
        "requested_by_id",
        "follower_ids",
        "story_priority",
        "external_id",
        "integration_id",
        "labels",
        "label_ids",
        "updated_at",
    }
)
# What hangs on a story or an epic, and the column of `stories` that lists it.
_PARTS = {
    "comment": "comments",
    "task": "tasks",
    "blocker": "blockers",
    "review": "reviews",
    "blocking": "blockers",
    "follower": "",
    "reaction": "",
    "pull_request": "",
    "branch": "",
    "cicd_event": "",
    "file_attachment": "",
    "google_attachment": "",
}
_MEMBERSHIPS = frozenset({"project_membership", "membership", "person"})
_ITERATIONS = frozenset({"iteration", "iteration_override"})
_COUNTS_ONLY = frozenset({"counts", "updated_at"})


@dataclass
class Changes:
    """What the activities of one project after a version tell.

    Attributes:
        project_id: the project.
        since: the version up to which all is known.
        versions: those that have been read, also older ones.
        story_ids: stories that were created or changed, or on which something hangs that was.
        deleted_ids: stories that were deleted.
        plan_ids: stories of which something changed that iterations rest on.
        accepted_at: instants at which stories had been accepted, before and after their changes.
        label_ids: labels that were renamed, merged or deleted: with them change their stories.
        part_ids: column of `stories` -> what hangs on a story that the activity does not name.
        review_type_ids: review types that changed: the stories' reviews name them.
        iterations_from: the first iteration that a change names; None without one.
        are_all_iterations_moved: a setting changed on which all of them rest.
        lists: raw tables whose list has to be read again.
        state_changed_ids: stories that changed their state.
        earliest_at: when the first of the changes happened.
        unclear: the kind of an activity that does not say what it changed; None without one.
    """

    project_id: int
    since: int
    versions: set[int] = field(default_factory=set)
    story_ids: set[int] = field(default_factory=set)
    deleted_ids: set[int] = field(default_factory=set)
    plan_ids: set[int] = field(default_factory=set)
    accepted_at: set[datetime] = field(default_factory=set)
    label_ids: set[int] = field(default_factory=set)
    part_ids: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    review_type_ids: set[int] = field(default_factory=set)
    iterations_from: int | None = None
    are_all_iterations_moved: bool = False
    lists: set[str] = field(default_factory=set)
    state_changed_ids: set[int] = field(default_factory=set)
    earliest_at: datetime | None = None
    unclear: str | None = None
    _moves: dict[int, tuple[int, int]] = field(default_factory=dict)

    def are_complete(self, version: int) -> bool:
        """Whether every version after `since` is there, up to `version` and the newest seen."""
        newest = max(self.versions, default=0)
        wanted = range(self.since + 1, max(version, newest) + 1)
        return all(each in self.versions for each in wanted)

    @property
    def newest(self) -> int:
        """The version that the changes lead to."""
        return max(self.versions, default=self.since)

    def moved_away(self) -> dict[int, int]:
        """Story id -> the project that the story was moved to, by the last that is told here."""
        return {
            story_id: project_id
            for story_id, (_, project_id) in self._moves.items()
            if project_id != self.project_id
        }

    def note(self, activity: Record) -> None:
        """Take in one activity, shaped for its raw table; those up to `since` say nothing new."""
        version = int(activity["project_version"])
        is_known = version in self.versions or version <= self.since
        self.versions.add(version)
        if is_known:
            return
        self._note_instant(activity.get("occurred_at"))
        changes, primary = _objects(activity, "changes"), _objects(activity, "primary_resources")
        hosts = [(each.get("kind"), _id(each.get("id"))) for each in primary]
        self._note_primary(hosts)
        is_hosted = any(kind in ("story", "epic") for kind, _ in hosts)
        clear = [self._note_change(change, version, is_hosted) for change in changes]
        if not (all(clear) and (clear or is_hosted)):
            self.unclear = self.unclear or one_line(activity.get("kind"))

    def _note_instant(self, value: object) -> None:
        instant = instant_or_none(value)
        if instant and (self.earliest_at is None or instant < self.earliest_at):
            self.earliest_at = instant

    def _note_primary(self, hosts: Iterable[tuple[Any, Any]]) -> None:
        for kind, number in hosts:
            if kind == "story" and number is not None:
                self.story_ids.add(number)
            elif kind == "epic":
                self.lists.add("epics")

    def _note_change(self, change: Record, version: int, is_hosted: bool) -> bool:
        """Take in one changed resource; False when it is not clear what follows from it."""
        kind, number = change.get("kind"), _id(change.get("id"))
        if not isinstance(kind, str) or (number is None and change.get("id") is not None):
            return False
        original, new = _values(change, "original_values"), _values(change, "new_values")
        if kind == "story" and number is not None:
            self._note_story(number, change, original, new, version)
        elif kind in _PARTS:
            return self._note_part(kind, number, {**original, **new}, is_hosted)
        elif kind == "label":
            self._note_label(number, change, new)
        elif kind == "epic":
            self.lists |= {"epics", "labels"}
        elif kind in _MEMBERSHIPS:
            self.lists.add("memberships")
        elif kind in _ITERATIONS:
            self._note_iteration(change.get("number", number))
        elif kind == "project":
            if new.keys() - {"updated_at", "version"}:
                self.are_all_iterations_moved = True
        elif kind == "review_type":
            if number is not None and change.get("change_type") != "create":
                self.review_type_ids.add(number)
        else:
            return is_hosted  # something new that hangs on a story or an epic
        return True

    def _note_story(
        self, story_id: int, change: Record, original: Record, new: Record, version: int
    ) -> None:
        self.story_ids.add(story_id)
        self.accepted_at |= {
            instant
            for values in (original, new)
            if (instant := instant_or_none(values.get("accepted_at"))) is not None
        }
        change_type = change.get("change_type")
        if change_type == "delete":
            self.deleted_ids.add(story_id)
        if change_type != "update" or new.keys() - _BESIDE_THE_PLAN:
            self.plan_ids.add(story_id)
        if new.keys() & {"labels", "label_ids"}:
            self.lists |= {"labels", "epics"}
        if change.get("story_type") == "release" or "release" in (
            original.get("story_type"),
            new.get("story_type"),
        ):
            self.lists.add("releases")
        if "current_state" in new:
            self.state_changed_ids.add(story_id)
        if _id(new.get("project_id")) is not None and change_type == "update":
            known = self._moves.get(story_id)
            if known is None or known[0] <= version:
                self._moves[story_id] = (version, new["project_id"])

    def _note_part(self, kind: str, number: int | None, values: Record, is_hosted: bool) -> bool:
        story_id, column = _id(values.get("story_id")), _PARTS[kind]
        if story_id is not None:
            self.story_ids.add(story_id)
        elif values.get("epic_id") is not None:
            self.lists.add("epics")
        elif column and number is not None and (kind == "blocker" or not is_hosted):
            # Accepting a story resolves the blockers on others that name it.
            self.part_ids[column].add(number)
        else:
            return is_hosted
        return True

    def _note_label(self, label_id: int | None, change: Record, new: Record) -> None:
        self.lists |= {"labels", "epics"}
        is_new = change.get("change_type") == "create"
        is_redefined = change.get("change_type") == "delete" or new.keys() - _COUNTS_ONLY
        if label_id is not None and not is_new and is_redefined:
            self.label_ids.add(label_id)

    def _note_iteration(self, number: object) -> None:
        if not isinstance(number, int):
            self.are_all_iterations_moved = True
        elif self.iterations_from is None or number < self.iterations_from:
            self.iterations_from = number


def _id(value: object) -> int | None:
    return value if type(value) is int else None


def _objects(record: Record, name: str) -> list[Record]:
    listed = record.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _values(change: Record, name: str) -> Record:
    values = change.get(name)
    return values if isinstance(values, dict) else {}
