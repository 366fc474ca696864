"""Find out from a project's activities what has changed (without HTTP).

An activity states what it changed in `changes` and `primary_resources` (docs/tracker-api.md,
Activities). Indirect changes that are not stated (label counts, iterations, roll-ups) become lists
to read again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from ingest.api.http.errors import one_line
from ingest.records import Record, instant_or_none

# Fields of a story that do not affect iterations and roll-ups.
_WITHOUT_EFFECT_ON_PLAN = frozenset({
    "name", "description", "owner_ids", "owned_by_id", "requested_by_id", "follower_ids",
    "story_priority", "external_id", "integration_id", "labels", "label_ids", "updated_at",
})  # fmt: skip
# Kinds of parts of stories and epics, and the column of `stories` with their list.
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
    """The changes in a project's activities after a version.

    Attributes:
        project_id: the project.
        since: the version up to which the warehouse is complete.
        versions: the versions of all activities that were read, including older ones.
        story_ids: stories that were created or changed, or whose parts were.
        deleted_ids: stories that were deleted.
        plan_ids: stories with changes that affect iterations.
        accepted_at: the acceptance times of stories, before and after their changes.
        label_ids: labels that were renamed, merged or deleted, which changes their stories.
        part_ids: column of `stories` -> changed parts of unknown stories.
        review_type_ids: review types that changed; reviews contain their names.
        iterations_from: the first iteration that was changed directly; None if there is none.
        are_all_iterations_moved: whether a setting changed that affects all iterations.
        lists: raw tables whose list must be read again.
        state_changed_ids: stories whose state changed.
        earliest_at: the time of the first change.
        unclear: the kind of an activity that does not say what it changed; None if there is none.
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
        """Whether all versions after `since` were read, up to `version` and the newest one."""
        newest = max(self.versions, default=0)
        wanted = range(self.since + 1, max(version, newest) + 1)
        return all(each in self.versions for each in wanted)

    @property
    def newest(self) -> int:
        """The newest version that was read."""
        return max(self.versions, default=self.since)

    def moved_away(self) -> dict[int, int]:
        """Story id -> the project that the story was last moved to."""
        return {
            story_id: project_id
            for story_id, (_, project_id) in self._moves.items()
            if project_id != self.project_id
        }

    def add(self, activity: Record) -> None:
        """Add an activity, shaped for its raw table. Activities up to `since` have no effect."""
        version = int(activity["project_version"])
        is_known = version in self.versions or version <= self.since
        self.versions.add(version)
        if is_known:
            return
        occurred_at = instant_or_none(activity.get("occurred_at"))
        self.earliest_at = min(filter(None, (self.earliest_at, occurred_at)), default=None)
        changes, primary = _objects(activity, "changes"), _objects(activity, "primary_resources")
        has_owner = False
        for each in primary:
            kind, number = each.get("kind"), _id(each.get("id"))
            has_owner |= kind in ("story", "epic")
            if kind == "story" and number is not None:
                self.story_ids.add(number)
            elif kind == "epic":
                self.lists.add("epics")
        clear = [self._add_change(change, version, has_owner) for change in changes]
        if not (all(clear) and (clear or has_owner)):
            self.unclear = self.unclear or one_line(activity.get("kind"))

    def _add_change(self, change: Record, version: int, has_owner: bool) -> bool:
        """Add one changed resource; False if it is not clear what else changes with it."""
        kind, number = change.get("kind"), _id(change.get("id"))
        if not isinstance(kind, str) or (number is None and change.get("id") is not None):
            return False
        original, new = _values(change, "original_values"), _values(change, "new_values")
        if kind == "story" and number is not None:
            self._add_story(number, change, original, new, version)
        elif kind in _PARTS:
            return self._add_part(kind, number, {**original, **new}, has_owner)
        elif kind == "label":
            self._add_label(number, change, new)
        elif kind == "epic":
            self.lists |= {"epics", "labels"}
        elif kind in _MEMBERSHIPS:
            self.lists.add("memberships")
        elif kind in _ITERATIONS:
            self._add_iteration(change.get("number", number))
        elif kind == "project":
            if new.keys() - {"updated_at", "version"}:
                self.are_all_iterations_moved = True
        elif kind == "review_type":
            if number is not None and change.get("change_type") != "create":
                self.review_type_ids.add(number)
        else:
            return has_owner  # an unknown part of a story or an epic
        return True

    def _add_story(
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
        if change_type != "update" or new.keys() - _WITHOUT_EFFECT_ON_PLAN:
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

    def _add_part(self, kind: str, number: int | None, values: Record, has_owner: bool) -> bool:
        story_id, column = _id(values.get("story_id")), _PARTS[kind]
        if story_id is not None:
            self.story_ids.add(story_id)
        elif values.get("epic_id") is not None:
            self.lists.add("epics")
        elif column and number is not None and (kind == "blocker" or not has_owner):
            # Accepting a story resolves the blockers of other stories that refer to it.
            self.part_ids[column].add(number)
        else:
            return has_owner
        return True

    def _add_label(self, label_id: int | None, change: Record, new: Record) -> None:
        self.lists |= {"labels", "epics"}
        is_new = change.get("change_type") == "create"
        is_redefined = change.get("change_type") == "delete" or new.keys() - _COUNTS_ONLY
        if label_id is not None and not is_new and is_redefined:
            self.label_ids.add(label_id)

    def _add_iteration(self, number: object) -> None:
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
