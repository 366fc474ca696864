"""A workspace in which every rule of `dq_finding` is violated once.

As of June 2024. Project 1 has weekly iterations from 6 May. A story is given by its id and what is
odd about it; the rest is as in an ordinary story.
"""

from __future__ import annotations

from collections import defaultdict

EXCLUDED = "{excluded_project_ids: 4, excluded_story_ids: [132]}"  # dbt variables
MEMBER, LEFT, TWIN_A, TWIN_B = 11, 12, 13, 14

EXPECTED = {
    "accepted_before_created": {"101"},
    "accepted_before_started": {"102"},
    "accepted_outside_iterations": {"103"},
    "accepted_unestimated": {"104"},
    "accepted_without_instant": {"106"},
    "accepted_without_start": {"107"},
    "accepted_without_team": {"1-3"},
    "activity_kind_unknown": {"1-story_dance_activity"},
    "backward_move": {"108"},
    "blocker_open_on_accepted": {"109"},
    "changed_after_acceptance": {"110", "111"},
    "clock_tie": {"112"},
    "dates_only": {"2"},
    "epic_name_duplicated": {"51"},
    "epic_without_label": {"53"},
    "epic_without_stories": {"52"},
    "estimate_changed_after_acceptance": {"110"},
    "excluded": {"project 4", "story 132"},
    "history_missing": {"113", "201"},
    "history_partial": {"114"},
    "ids_made": {"2"},
    "iteration_gap": {"3-1"},
    "iteration_overlap": {"3-3"},
    "label_name_duplicated": {"61"},
    "label_not_listed": {"64"},
    "label_without_stories": {"63"},
    "nothing_accepted": {"1-2", "3-1", "3-2", "3-3"},
    "orphan_story": {"117"},
    "orphan_transition": {"118"},
    "owner_not_a_member": {"119"},
    "person_name_duplicated": {"13"},
    "person_unknown": {"12"},
    "points_off_scale": {"120"},
    "project_without_iterations": {"2"},
    "rejected_chore": {"105"},
    "release_accepted_too_early": {"71"},
    "release_name_duplicated": {"72"},
    "release_past_deadline": {"72"},
    "row_refused": {"r1"},
    "row_repeated": {"story_owners 131-11"},
    "row_unusable": {"story_owners of 131"},
    "stale_in_progress": {"121"},
    "start_skipped": {"122"},
    "started_unestimated": {"123"},
    "started_without_owner": {"124"},
    "story_name_duplicated": {"125"},
    "task_open_on_accepted": {"127"},
    "time_zone_missing": {"2", "99"},
    "transition_gap": {"128"},
    "unaccepted_after_close": {"129"},
    "updated_before_created": {"116"},
    "value_impossible": {"stories 115"},
    "version_hole": {"1-3"},
}


def odd_records() -> dict[str, list[dict[str, object]]]:
    """Records by raw table."""
    workspace = _Workspace()
    _stories(workspace)
    _plans(workspace)
    return {**workspace.records, **_surroundings()}


class _Workspace:
    def __init__(self) -> None:
        self.records = defaultdict(list)
        self._version = 100

    def story(self, number, *path, **changes):
        """Add a story with its state changes: ("started", "05-07"), ..."""
        state = path[-1][0] if path else "unstarted"
        story = {
            "id": number, "project_id": 1, "name": f"Story {number}", "story_type": "feature",
            "current_state": state, "estimate": 1, "owner_ids": [MEMBER], "created_at": at("05-06"),
            "updated_at": at("05-31"),
        }  # fmt: skip
        if state == "accepted":
            story["accepted_at"] = at(path[-1][1])
        self.records["stories"].append({**story, **changes})
        for state, day in path:
            self.transition(number, state, day)

    def transition(self, number, state, day):
        self._version += 1
        self.records["story_transitions"].append({
            "project_id": 1, "project_version": self._version, "story_id": number,
            "state": state, "performed_by_id": MEMBER, "occurred_at": at(day),
        })  # fmt: skip

    def activity(self, version, kind, day, story_id, original, new):
        change = {
            "kind": "story", "change_type": "update", "id": story_id, "original_values": original,
            "new_values": new,
        }  # fmt: skip
        self.records["activity"].append({
            "guid": f"1_{version}", "project_id": 1, "project_version": version,
            "kind": f"{kind}_activity", "performed_by_id": MEMBER,
            "performed_by": {"id": MEMBER, "name": "Ada", "initials": "AL"},
            "changes": [change], "primary_resources": [{"kind": "story", "id": story_id}],
            "occurred_at": at(day),
        })  # fmt: skip


def _stories(workspace):
    story, done = workspace.story, (("started", "05-07"), ("accepted", "05-08"))
    story(100, *done)  # an ordinary one
    story(101, *done, created_at=at("05-09"))
    story(102, ("started", "05-08"), ("accepted", "05-09"), accepted_at=at("05-07"))
    story(103, ("started", "04-01"), ("accepted", "04-02"), created_at=at("03-01"))
    story(104, *done, estimate=None)
    chore = {"story_type": "chore", "estimate": None}
    story(105, ("started", "05-07"), ("rejected", "05-07 01"), *done[1:], **chore)
    story(106, *done, accepted_at=None)
    story(107, ("accepted", "05-08"))
    story(108, ("started", "05-27"), ("unstarted", "05-28"), ("started", "05-29"))
    story(109, *done, blockers=[{"id": 1, "story_id": 109, "resolved": False}])
    story(110, *done)
    story(111, *done)
    workspace.activity(1, "story_update", "05-09", 110, {"estimate": 2}, {"estimate": 1})
    workspace.activity(2, "story_update", "05-09", 111, {"name": "a"}, {"name": "Story 111"})
    story(112, ("started", "05-07"), ("finished", "05-07"), ("accepted", "05-08"))
    story(113, current_state="accepted", accepted_at=at("05-08"))
    story(114, ("started", "05-30"), current_state="finished")
    story(115, updated_at=at("07-01"))
    story(116, created_at=at("05-31 12"))
    story(117, project_id=99)
    workspace.transition(118, "started", "05-07")
    story(119, owner_ids=[LEFT])
    story(120, estimate=5)
    story(121, ("started", "04-20"), created_at=at("04-19"), updated_at=at("04-20"))
    story(122, ("finished", "05-07"), ("accepted", "05-20"))
    story(123, ("started", "05-30"), estimate=None)
    story(124, ("started", "05-30"), owner_ids=[])
    story(125, name="Twins")
    story(126, name="twins")
    story(127, *done, tasks=[{"id": 1, "story_id": 127, "complete": False}])
    story(128, ("started", "05-28"), current_state="delivered")
    finished, delivered = {"current_state": "finished"}, {"current_state": "delivered"}
    workspace.activity(4, "story_update", "05-29", 128, finished, delivered)
    workspace.activity(5, "story_dance", "05-30", 100, {}, {})
    story(129, *done, ("rejected", "05-15"))
    story(130, labels=[label(61), label(62), label(64)])
    story(131, labels=[label(65)], owner_ids=[MEMBER, MEMBER, None])
    story(132)
    story(401, project_id=4)
    release = {"story_type": "release", "estimate": None, "owner_ids": []}
    story(71, ("accepted", "05-20"), labels=[label(67)], **release)
    story(72, **release, name="Launch", deadline=at("05-10"))
    story(73, **release, name="launch", deadline=at("12-10"))
    story(201, project_id=2, current_state="accepted", accepted_at=at("05-08"), owner_ids=[])
    story(-7, project_id=2, owner_ids=[], estimate=None)


def _plans(workspace):
    records = workspace.records
    records["releases"] = [
        {"id": 71, "project_id": 1, "current_state": "accepted", "story_ids": [100, 119]},
        {"id": 72, "project_id": 1, "current_state": "unstarted", "story_ids": [120]},
    ]
    names = {61: "ui", 62: "UI", 63: "unused", 65: "epic a", 66: "epic b", 67: "of a release"}
    records["labels"] = [{**label(each), "name": name} for each, name in names.items()]
    records["epics"] = [
        {"id": number, "project_id": 1, "name": name, "label_id": label_id}
        for number, name, label_id in [(51, "Epic", 65), (52, "epic", 66), (53, "Lost", None)]
    ]
    records["iterations"] = [
        iteration(1, 1, "05-06", "05-13"),
        iteration(1, 2, "05-13", "05-20"),
        iteration(1, 3, "05-20", "05-27", team_strength=0),
        iteration(1, 4, "05-27", "06-03"),
        iteration(3, 1, "05-06", "05-13"),
        iteration(3, 2, "05-14", "05-21"),
        iteration(3, 3, "05-20", "05-27"),
    ]


def _surroundings():
    settings = {
        "iteration_length": 1, "velocity_averaged_over": 3, "initial_velocity": 10,
        "point_scale": "0,1,2,3", "bugs_and_chores_are_estimatable": False,
        "time_zone": {"olson_name": "UTC"},
    }  # fmt: skip
    return {
        "projects": [
            {"id": 1, "name": "Shop", "version": 5, **settings},
            {"id": 2, "name": "Archive", **settings, "time_zone": None},
            {"id": 3, "name": "Calendar", **settings},
            {"id": 4, "name": "Left out", **settings},
        ],
        "memberships": [
            {"id": each, "project_id": 1, "person_id": each, "role": "member",
             "person": {"id": each, "name": name}}
            for each, name in ((MEMBER, "Ada"), (TWIN_A, "Kit"), (TWIN_B, "kit"))
        ],
        "rejected_rows": [{"rejection_id": "r1", "file": "a.csv", "line": 3, "reason": "no id"}],
        "extracts": [{"extract_id": "1", "source_kind": "api", "as_of": at("06-01")}],
    }  # fmt: skip


def at(day: str) -> str:
    """An instant in 2024: `05-07` or, with an hour, `05-07 01`."""
    date, _, hour = day.partition(" ")
    return f"2024-{date}T{hour or '00'}:00:00Z"


def label(number: int) -> dict[str, object]:
    return {"id": number, "project_id": 1, "name": f"label {number}"}


def iteration(project_id, number, start, finish, team_strength=1):
    return {
        "project_id": project_id, "number": number, "length": 1, "team_strength": team_strength,
        "start": at(start), "finish": at(finish),
    }  # fmt: skip
