"""Small projects with a bit of everything, and random damage to their raw records.

A project has stories of each type and state with their history in transitions and activities, and
rows in all other tables. Damage is whatever the declared types allow: impossible timestamps and
numbers, unknown words, missing and repeated records, dangling ids, cycles. No two projects share an
id, so damage to one must not affect another.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

START = datetime(2024, 3, 4, tzinfo=UTC)
READ_AT = "2024-05-15T12:00:00Z"
PATHS = (
    ("unscheduled",),
    ("unscheduled", "unstarted"),
    ("unscheduled", "unstarted", "started"),
    ("unstarted", "started", "finished", "delivered", "accepted"),
    ("unstarted", "started", "finished", "delivered", "rejected", "started", "accepted"),
    ("unstarted", "started", "accepted", "unstarted"),
    ("unstarted", "started", "finished", "delivered", "accepted"),
    ("unstarted", "started", "finished", "accepted"),
)
TYPES = ("feature", "feature", "bug", "feature", "feature", "chore", "feature", "bug")
Records = dict[str, list[dict[str, object]]]


def project_records(project_id: int) -> Records:
    """The raw records of one well-formed project, by table."""
    project = _Project(project_id)
    for number, (path, kind) in enumerate(zip(PATHS, TYPES, strict=True), 1):
        project.story(number, path, kind)
    project.release(9)
    project.deletion(10)
    project.plans()
    project.surroundings()
    return dict(project.records)


def extract() -> dict[str, object]:
    """The record of the extract that read all projects."""
    return {
        "extract_id": "1", "source_kind": "api", "extract_mode": "full", "as_of": READ_AT,
        "started_at": READ_AT, "ended_at": READ_AT,
    }  # fmt: skip


class _Project:
    def __init__(self, project_id: int) -> None:
        self.id = project_id
        self.records: Records = defaultdict(list)
        self._version = 0
        self._hour = 0

    def part(self, number: int) -> int:
        """An id that is unique among projects."""
        return self.id * 1000 + number

    def _at(self) -> str:
        self._hour += 7
        return iso(START + timedelta(hours=self._hour))

    def _activity(self, kind, changes, primary, occurred_at) -> int:
        self._version += 1
        self.records["activity"].append({
            "guid": f"{self.id}_{self._version}", "project_id": self.id,
            "project_version": self._version, "kind": f"{kind}_activity",
            "performed_by_id": self.part(1),
            "performed_by": {"id": self.part(1), "name": "Ada", "initials": "AL"},
            "changes": changes, "primary_resources": [primary], "occurred_at": occurred_at,
        })  # fmt: skip
        return self._version

    def story(self, number, path, kind):
        story_id, created_at = self.part(100 + number), self._at()
        story = {
            "id": story_id, "project_id": self.id, "name": f"Story {number}", "story_type": kind,
            "estimate": 2 if kind == "feature" else None, "requested_by_id": self.part(2),
            "owner_ids": [self.part(1), self.part(2)], "labels": [self._label(1)],
            "created_at": created_at,
        }  # fmt: skip
        new = {**story, "current_state": path[0], "label_ids": [self.part(301)]}
        self._change(story_id, "create", {}, new, created_at)
        transitions = []
        for before, state in zip(path, path[1:], strict=False):
            at = self._at()
            version = self._change(
                story_id, "update", {"current_state": before}, {"current_state": state}, at
            )
            transitions.append({
                "project_id": self.id, "project_version": version, "story_id": story_id,
                "state": state, "performed_by_id": self.part(1), "occurred_at": at,
            })  # fmt: skip
        story |= {"current_state": path[-1], "updated_at": self._at()}
        if path[-1] == "accepted":
            story["accepted_at"] = transitions[-1]["occurred_at"]
        if number % 2:
            story["transitions"] = copy.deepcopy(transitions)
        story |= self._children(number)
        self.records["stories"].append(story)
        self.records["story_transitions"] += transitions
        self.records["cycle_time_details"].append({
            "story_id": story_id, "project_id": self.id, "iteration_number": 1,
            "total_cycle_time": 3600000, "started_time": 3600000, "started_count": 1,
        })  # fmt: skip

    def _children(self, number):
        times = {"created_at": self._at(), "updated_at": self._at()}
        child = {"id": self.part(400 + number), "person_id": self.part(1), **times}
        return {
            "comments": [{**child, "text": "Fine."}],
            "tasks": [{**child, "description": "Do it", "complete": True, "position": 1}],
            "blockers": [{**child, "description": "Wait", "resolved": False}],
            "reviews": [
                {**child, "review_type_id": 1, "reviewer_id": self.part(2), "status": "pass",
                 "review_type": {"id": 1, "name": "Code"}}
            ],
        }  # fmt: skip

    def _change(self, story_id, change_type, original, new, at):
        change = {
            "kind": "story", "change_type": change_type, "id": story_id, "name": "Story",
            "story_type": "feature", "original_values": original, "new_values": new,
        }  # fmt: skip
        primary = {"kind": "story", "id": story_id, "name": "Story", "story_type": "feature"}
        return self._activity(f"story_{change_type}", [change], primary, at)

    def release(self, number):
        release_id, at = self.part(100 + number), self._at()
        release = {
            "id": release_id, "project_id": self.id, "name": "Beta", "current_state": "unstarted",
            "deadline": "2024-06-01T12:00:00Z", "created_at": at, "updated_at": at,
        }  # fmt: skip
        self.records["stories"].append({**release, "story_type": "release"})
        self.records["releases"].append({
            **release, "story_ids": [self.part(101), self.part(102)], "points_total": 4,
            "counts_total": 2,
        })  # fmt: skip

    def deletion(self, number):
        story_id, at = self.part(100 + number), self._at()
        new = {"id": story_id, "name": "Gone", "story_type": "feature", "estimate": 1}
        self._change(story_id, "create", {}, {**new, "current_state": "unstarted"}, at)
        at = self._at()
        states = {"current_state": "unstarted"}, {"current_state": "started"}
        self._change(story_id, "update", *states, at)
        self._change(story_id, "delete", {}, {}, at)
        states = {"current_state": "started"}, {"current_state": "finished"}
        self._change(story_id, "update", *states, at)  # in the same second
        self._change(story_id, "update", {"estimate": 1}, {"estimate": 3}, self._at())

    def _label(self, number):
        return {"id": self.part(300 + number), "project_id": self.id, "name": f"label {number}"}

    def plans(self):
        at = self._at()
        for number in (1, 2, 3):
            self.records["labels"].append(
                {**self._label(number), "created_at": iso(START), "updated_at": at}
            )
        for number in (1, 2):
            self.records["epics"].append({
                "id": self.part(500 + number), "project_id": self.id, "name": f"Epic {number}",
                "label_id": self.part(300 + number), "label": self._label(number),
                "comments": [{"id": self.part(510 + number), "text": "Go", "created_at": at}],
                "created_at": iso(START), "updated_at": at,
            })  # fmt: skip
        for number in range(1, 13):
            start = START + timedelta(weeks=number - 1)
            self.records["iterations"].append({
                "project_id": self.id, "number": number, "length": 1, "team_strength": 1,
                "velocity": 10, "points": 4, "accepted_points": 4, "effective_points": 4,
                "story_ids": [self.part(100 + number)] if number < 9 else [],
                "analytics": {"stories_accepted": 1, "bugs_created": 0, "cycle_time": 3600000},
                "start": iso(start), "finish": iso(start + timedelta(weeks=1)),
            })  # fmt: skip
            self.records["history_days"].append({
                "project_id": self.id, "date": start.date().isoformat(), "points_accepted": 2,
                "counts_accepted": 1, "counts_started": 1,
            })  # fmt: skip

    def surroundings(self):
        at = self._at()
        self.records["projects"].append({
            "id": self.id, "name": "Shop", "version": self._version, "account_id": self.part(1),
            "iteration_length": 1, "week_start_day": "Monday", "point_scale": "0,1,2,3",
            "velocity_averaged_over": 3, "initial_velocity": 10,
            "bugs_and_chores_are_estimatable": False, "automatic_planning": True,
            "time_zone": {"olson_name": "UTC"}, "start_date": "2024-03-04",
            "start_time": iso(START), "current_velocity": 4, "current_iteration_number": 11,
            "created_at": iso(START), "updated_at": at,
        })  # fmt: skip
        shortened = {
            "kind": "project", "change_type": "update", "id": self.id,
            "original_values": {"iteration_length": 2, "time_zone": "UTC"},
            "new_values": {"iteration_length": 1, "time_zone": {"olson_name": "UTC"}},
        }  # fmt: skip
        project = {"kind": "project", "id": self.id, "name": "Shop"}
        self._activity("project_update", [shortened], project, at)
        comment = {
            "kind": "comment", "change_type": "create", "id": self.part(490),
            "original_values": {},
            "new_values": {
                "id": self.part(490), "story_id": self.part(101), "person_id": self.part(1),
                "text": "Known by its activity", "created_at": at,
            },
        }  # fmt: skip
        primary = {"kind": "story", "id": self.part(101), "name": "Story"}
        self._activity("comment_create", [comment], primary, at)
        for number, name in ((1, "Ada"), (2, "Kit")):
            person = {"id": self.part(number), "name": name, "initials": name[:2].upper()}
            self.records["memberships"].append({
                "id": self.part(10 + number), "project_id": self.id,
                "person_id": self.part(number), "role": "member", "person": person,
                "created_at": iso(START), "updated_at": at,
            })  # fmt: skip
        self.records["my_activity"] = copy.deepcopy(self.records["activity"][:2])


def iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Damage:
    """One change to the records of a project.

    Attributes:
        table: the raw table.
        row: the index of the row, modulo the number of rows.
        path: the place in the row: a field, then keys and indices in its JSON; empty for the row.
        kind: `set` a value; `drop` or `repeat` the row or element; `borrow` the value that another
            row has in the same place.
        value: the value to set.
        lender: the index of the row to borrow from.
    """

    table: str
    row: int
    path: tuple[int, ...]
    kind: str
    value: object = None
    lender: int = 0

    def apply(self, records: Records) -> None:
        rows = records.get(self.table)
        if not rows:
            return
        holder, key = rows, self.row % len(rows)
        trail = []
        for step in self.path:
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            keys = list(inner) if isinstance(inner, dict) else range(len(inner))
            holder, key = inner, keys[step % len(keys)]
            trail.append(key)
        if self.kind == "set" and trail:
            holder[key] = copy.deepcopy(self.value)
        elif self.kind == "drop":
            del holder[key]
        elif self.kind == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif self.kind == "borrow" and trail:
            other = rows[self.lender % len(rows)]
            for step in trail[:-1]:
                try:
                    other = other[step]
                except (KeyError, IndexError, TypeError):
                    return
            if isinstance(other, dict) and trail[-1] in other:
                holder[key] = copy.deepcopy(other[trail[-1]])


VALUES = (
    None, "", "x", "Mars/Olympus", 0, -1, 1, 0.5, 7, 10**9, 10**13, -(10**13), 2**63 - 1, 1e300,
    10**25, True, False, [], {}, [None], [None, 7], ["started"], [1, 1, None, "x", {}],
    {"id": None}, "12 points",
    "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
    "2099-01-01T00:00:00Z", "2024-04-01T00:00:00Z", "2024-03-04T00:00:00Z", READ_AT, "2024-02-30",
    "2024-05-16T11:00:00Z", "infinity", "accepted", "started", "unscheduled", "planned", "release",
    "story", "delete", "create", "Sunday", "Someday",
)  # fmt: skip


def damages(tables: list[str]) -> st.SearchStrategy[Damage]:
    """Random damage to a row of one of the tables."""
    rows = st.integers(0, 60)
    return st.builds(
        Damage,
        table=st.sampled_from(tables),
        row=rows,
        path=st.lists(st.integers(0, 30), max_size=5).map(tuple),
        kind=st.sampled_from(["set", "set", "set", "set", "drop", "repeat", "borrow", "borrow"]),
        value=st.sampled_from(VALUES),
        lender=rows,
    )


def odd_project(project_id: int, done: list[Damage]) -> Records:
    """The damaged records of a project."""
    records = project_records(project_id)
    for damage in done:
        damage.apply(records)
    return records
