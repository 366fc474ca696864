"""The commands of a random history. Each selects its targets by small numbers.

A command selects among the current objects of its own history. So a history runs in the same way
with or without others, and most of its steps remain meaningful when one step is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator import CommandError, Workspace
from simulator.entities import STATES, STORY_TYPES, Project, Story

TIME_ZONES = (
    "Europe/Berlin",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Beirut",  # its clocks change at midnight
    "America/Santiago",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Chatham",
    "UTC",
)
WEEK_STARTS = ("Monday", "Sunday", "Wednesday", "Saturday")
POINT_SCALES = ("0,1,2,3", "1,2,4,8", "0,1,2,3,5,8", "0,0.5,1,2")
LABELS = ("red", "green", "blue", "grün ✅")
ROLES = ("owner", "member", "viewer", "inactive", "inactive")
PATH = ("unscheduled", "unstarted", "started", "finished", "delivered", "accepted")
IN_PROGRESS = ("started", "finished", "delivered", "rejected")


@dataclass
class Scene:
    """The people and projects of one history in its workspace.

    Attributes:
        number: the index of the history in the workspace.
        at: the instant of the current step.
    """

    workspace: Workspace
    number: int
    person_ids: list[int] = field(default_factory=list)
    project_ids: list[int] = field(default_factory=list)
    at: int = 0

    @property
    def projects(self) -> list[Project]:
        return [self.workspace.projects[each] for each in self.project_ids]

    def person(self, n: int) -> int:
        return pick([self.workspace.me_id, *self.person_ids], n)

    def project(self, n: int) -> Project:
        return pick(self.projects, n)

    def stories(self, is_wanted: Callable[[Story], bool] = lambda story: True) -> list[Story]:
        every = [
            self.workspace.stories[story_id]
            for project in self.projects
            for story_id in sorted(project.story_ids)
        ]
        return [story for story in every if is_wanted(story)]

    def story(self, n: int, *states: str) -> Story:
        return pick(self.stories(lambda each: not states or each.current_state in states), n)

    def do(self, method: str, *arguments, by: int = 0, **options) -> object:
        """Run a command at this step's instant, by one of the history's people."""
        return getattr(self.workspace, method)(
            *arguments, at=self.at, by=self.person(by), **options
        )


def pick(items: list, n: int):
    if not items:
        raise CommandError("there is nothing that it could act on")
    return items[n % len(items)]


def points(project: Project, n: int) -> float | None:
    scale = [float(each) for each in project.point_scale.split(",")]
    return pick([*scale, None], n)


# ---------------------------------------------------------------------- stories


def create(scene, a, b, c):
    project = scene.project(a)
    story_type = pick(["feature", "feature", *STORY_TYPES], b)
    estimate = points(project, c) if story_type == "feature" else None
    if project.bugs_and_chores_are_estimatable and story_type in ("bug", "chore"):
        estimate = points(project, b)
    state = pick(["unscheduled", "unstarted", "unstarted", "started", *STATES], c)
    return scene.do(
        "create_story",
        project.id,
        f"Story {a}-{b}-{c}",
        story_type,
        current_state=state,
        estimate=estimate,
        labels=[LABELS[b % 4]] if a % 3 == 0 else [],
        owner_ids=[scene.person(b)] if c % 3 == 0 else [],
        requested_by_id=scene.person(c),
        by=b,
    )


def import_accepted(scene, a, b, c):
    """An acceptance before all others, which moves the start of iteration 1."""
    accepted_at = scene.at - (a % 20) * 43_200
    return scene.do(
        "create_story",
        scene.project(b).id,
        f"Imported {a}",
        "chore",
        current_state="accepted",
        accepted_at=accepted_at,
        by=c,
    )


def change_state(scene, a, b, c):
    scene.do("change_state", scene.story(a).id, pick(STATES, b), by=c)


def advance(scene, a, b, c):
    """Move to the next state, after estimating if necessary."""
    story = scene.story(a, *PATH[:-1], "rejected", "planned")
    if story.needs_estimate:
        project = scene.workspace.projects[story.project_id]
        scene.do("estimate_story", story.id, points(project, b) or 1, by=c)
    path = [each for each in PATH if story.story_type in ("feature", "bug") or each in "accepted"]
    if story.story_type == "chore":
        path = ["unscheduled", "unstarted", "started", "accepted"]
    at = path.index(story.current_state) if story.current_state in path else 1
    scene.do("change_state", story.id, path[min(at + 1, len(path) - 1)], by=c)


def accept_at_once(scene, a, b, c):
    """Go from any state to accepted within one second."""
    story = scene.story(a, "unscheduled", "unstarted", "started", "finished", "rejected")
    for state in ("started", "finished", "delivered", "accepted")[b % 3 :]:
        if story.current_state != state:
            scene.do("change_state", story.id, state, by=c)


def unaccept(scene, a, b, c):
    story = scene.story(a, "accepted")
    scene.do("change_state", story.id, pick(["rejected", "unstarted", "started", *STATES], b), by=c)


def accept_again(scene, a, b, c):
    """Accept, un-accept and accept again, all in one second."""
    story = scene.story(a, "accepted")
    scene.do("change_state", story.id, pick(["rejected", "delivered", "started"], b), by=c)
    scene.do("change_state", story.id, "accepted", by=b)


def restart(scene, a, b, c):
    story = scene.story(a, "started", "rejected")
    scene.do("change_state", story.id, "unstarted", by=b)
    scene.do("change_state", story.id, "started", by=c)


def reject(scene, a, b, c):
    scene.do("change_state", scene.story(a, "delivered").id, "rejected", comment=f"No {b}", by=c)


def estimate(scene, a, b, c, *states):
    story = scene.story(a, *states)
    project = scene.workspace.projects[story.project_id]
    scene.do("estimate_story", story.id, points(project, b), by=c)


def estimate_accepted(scene, a, b, c):
    estimate(scene, a, b, c, "accepted")


def change_type(scene, a, b, c):
    scene.do("update_story", scene.story(a).id, story_type=pick(STORY_TYPES, b), by=c)


def edit(scene, a, b, c):
    values = pick(
        [
            {"name": f"Renamed {c}"},
            {"description": "" if c % 2 else f"Text {c}\nwith lines"},
            {"requested_by_id": scene.person(c)},
            {"story_priority": pick(["none", "p0", "p3"], c)},
            {"external_id": None if c % 2 else f"X-{c}"},
            {"deadline": None if c % 3 == 0 else scene.at + 86_400 * (c % 9 - 4)},
        ],
        b,
    )
    story = scene.story(a)
    if "deadline" in values:
        story = pick(scene.stories(lambda each: each.story_type == "release"), a)
    scene.do("update_story", story.id, by=c, **values)


def drag(scene, a, b, c):
    panel = pick(["active", "active", "icebox"], b)
    scene.do("move_story", scene.story(a).id, panel=panel, index=c % 7, by=b)


# ---------------------------------------------------------------------- deletions and moves


def delete(scene, a, b, c):
    scene.do("delete_story", scene.story(a).id, by=b)


def delete_several(scene, a, b, c):
    project = scene.project(a)
    ids = sorted(project.story_ids)
    pick(ids, 0)
    first = b % len(ids)
    scene.do("delete_stories", ids[first : first + 2 + c % 4], by=b)


def change_and_delete(scene, a, b, c):
    """Change a story in the same second in which it is deleted."""
    story = scene.story(a)
    scene.do("change_state", story.id, pick(STATES, b), by=b)
    scene.do("delete_story", story.id, by=c)


def create_and_delete(scene, a, b, c):
    """Create a story that never appears in a list."""
    story = create(scene, a, b, c)
    scene.do("delete_story", story.id, by=c)


def move_away(scene, a, b, c):
    scene.do("move_to_project", scene.story(a).id, scene.project(b).id, by=c)


def move_release(scene, a, b, c):
    """Move a release, which also has a row of its own, to another project."""
    story = pick(scene.stories(lambda each: each.story_type == "release"), a)
    scene.do("move_to_project", story.id, scene.project(b).id, by=c)


def move_away_and_back(scene, a, b, c):
    story = scene.story(a)
    home = story.project_id
    scene.do("move_to_project", story.id, scene.project(b).id, by=c)
    if c % 2:
        change_or_nothing(scene, story, pick(STATES, c))
    scene.do("move_to_project", story.id, home, by=b)


def move_and_delete(scene, a, b, c):
    story = scene.story(a)
    scene.do("move_to_project", story.id, scene.project(b).id, by=c)
    scene.do("delete_story", story.id, by=c)


def change_or_nothing(scene, story, state):
    if story.current_state != state:
        scene.do("change_state", story.id, state)


# ---------------------------------------------------------------------- owners, labels, epics


def add_owner(scene, a, b, c):
    scene.do("add_owner", scene.story(a).id, scene.person(b), by=c)


def remove_owner(scene, a, b, c):
    story = pick(scene.stories(lambda each: each.owner_ids), a)
    scene.do("remove_owner", story.id, pick(story.owner_ids, b), by=c)


def reorder_owners(scene, a, b, c):
    """Give a story another first owner."""
    story = pick(scene.stories(lambda each: each.owner_ids), a)
    owner_ids = story.owner_ids[::-1]
    if len(owner_ids) == 1:
        owner_ids = list(dict.fromkeys([scene.person(b), *owner_ids]))
    scene.do("update_story", story.id, owner_ids=owner_ids, by=c)


def remove_all_owners(scene, a, b, c):
    story = pick(scene.stories(lambda each: each.owner_ids), a)
    scene.do("update_story", story.id, owner_ids=[], by=c)


def label(scene, a, b, c):
    scene.do("add_label", scene.story(a).id, pick([*LABELS, f"label {b}"], b), by=c)


def unlabel(scene, a, b, c):
    story = pick(scene.stories(lambda each: each.label_ids), a)
    name = scene.workspace.label_names[pick(story.label_ids, b)]
    scene.do("remove_label", story.id, name, by=c)


def create_label(scene, a, b, c):
    scene.do("create_label", scene.project(a).id, pick(LABELS, b), by=c)


def rename_label(scene, a, b, c):
    project = scene.project(a)
    name = pick([*LABELS, f"renamed {c}"], c)
    scene.do("rename_label", project.id, pick(sorted(project.labels), b), name, by=c)


def delete_label(scene, a, b, c):
    project = scene.project(a)
    scene.do("delete_label", project.id, pick(sorted(project.labels), b), by=c)


def merge_label(scene, a, b, c):
    project = scene.project(a)
    ids = sorted(project.labels)
    scene.do("merge_label", project.id, pick(ids, b), pick(ids, c), by=c)


def create_epic(scene, a, b, c):
    scene.do("create_epic", scene.project(a).id, f"Epic {b}", label=pick([*LABELS, None], c), by=b)


def _epic_id(scene, n):
    return pick([each for project in scene.projects for each in sorted(project.epics)], n)


def edit_epic(scene, a, b, c):
    values = {"name": f"Epic, renamed {b}"} if c % 2 else {"description": f"About {b}"}
    scene.do("update_epic", _epic_id(scene, a), by=c, **values)


def delete_epic(scene, a, b, c):
    scene.do("delete_epic", _epic_id(scene, a), by=c)


def comment_epic(scene, a, b, c):
    scene.do("add_epic_comment", _epic_id(scene, a), f"On the epic {b}", by=c)


# ---------------------------------------------------------------------- parts of stories


def add_comment(scene, a, b, c):
    scene.do("add_comment", scene.story(a).id, f"Comment {b}", by=c)


def _part(scene, parts, a, b):
    story = pick(scene.stories(lambda each: getattr(each, parts)), a)
    return story.id, pick(getattr(story, parts), b)


def edit_comment(scene, a, b, c):
    story_id, part = _part(scene, "comments", a, b)
    scene.do("edit_comment", story_id, part.id, f"Edited {c}", by=c)


def delete_comment(scene, a, b, c):
    story_id, part = _part(scene, "comments", a, b)
    scene.do("delete_comment", story_id, part.id, by=c)


def add_task(scene, a, b, c):
    scene.do("add_task", scene.story(a).id, f"Task {b}", by=c)


def edit_task(scene, a, b, c):
    story_id, part = _part(scene, "tasks", a, b)
    values = {"complete": not part.complete} if c % 3 else {"description": f"Task, edited {c}"}
    scene.do("update_task", story_id, part.id, by=c, **values)


def delete_task(scene, a, b, c):
    story_id, part = _part(scene, "tasks", a, b)
    scene.do("delete_task", story_id, part.id, by=c)


def add_blocker(scene, a, b, c):
    scene.do("add_blocker", scene.story(a).id, f"Blocker {b}", by=c)


def edit_blocker(scene, a, b, c):
    story_id, part = _part(scene, "blockers", a, b)
    values = {"resolved": not part.resolved} if c % 3 else {"description": f"Blocker, edited {c}"}
    scene.do("update_blocker", story_id, part.id, by=c, **values)


def delete_blocker(scene, a, b, c):
    story_id, part = _part(scene, "blockers", a, b)
    scene.do("delete_blocker", story_id, part.id, by=c)


def add_review(scene, a, b, c):
    story = scene.story(a)
    review_types = scene.workspace.projects[story.project_id].review_types
    reviewer = None if c % 4 == 0 else scene.person(c)
    scene.do("add_review", story.id, pick(review_types, b).id, reviewer, by=b)


def edit_review(scene, a, b, c):
    story_id, part = _part(scene, "reviews", a, b)
    values = {"status": pick(["in_review", "pass", "revise", "unstarted"], c)}
    if c % 5 == 0:
        values = {"reviewer_id": scene.person(b)}
    scene.do("update_review", story_id, part.id, by=c, **values)


def delete_review(scene, a, b, c):
    story_id, part = _part(scene, "reviews", a, b)
    scene.do("delete_review", story_id, part.id, by=c)


# ---------------------------------------------------------------------- projects


def override(scene, a, b, c):
    project = scene.project(a)
    current = scene.workspace.calendar(project.id, scene.at).current.number
    length, strength = pick([None, 1, 2, 3], b), pick([0, 0, 0.5, 1, 2], c)
    scene.do(
        "set_iteration_override",
        project.id,
        1 + (a + b) % current,
        length=length,
        team_strength=strength,
        by=c,
    )


def settings(scene, a, b, c):
    project = scene.project(a)
    values = pick(
        [
            {"name": f"Project, renamed {c}"},
            {"iteration_length": 1 + c % 2},
            {"week_start_day": pick(WEEK_STARTS, c)},
            {"time_zone": pick(TIME_ZONES, c)},
            {"velocity_averaged_over": 1 + c % 4},
            {"initial_velocity": 1 + c % 15},
            {"point_scale": pick(POINT_SCALES, c)},
            {"automatic_planning": not project.automatic_planning},
            {"bugs_and_chores_are_estimatable": True},
            {"public": not project.public},
        ],
        b,
    )
    scene.do("update_project", project.id, by=c, **values)


def add_member(scene, a, b, c):
    project, role = scene.project(a), pick(ROLES[:3], c)
    scene.do("add_member", project.id, pick(scene.person_ids, b), role, by=c)


def change_role(scene, a, b, c):
    project = scene.project(a)
    members = [each for each in project.memberships if each in scene.person_ids]
    scene.do("change_role", project.id, pick(members, b), pick(ROLES, c), by=c)


# The first commands of every history, so that there are objects to act on.
BEGINNING = (
    *[create] * 8,
    *(add_member, add_owner, label, create_epic, add_comment, add_task, add_blocker, add_review),
)
# The weight of each command; those that are difficult for a sync are more frequent than in reality.
COMMANDS: dict[Callable, int] = {
    create: 14, import_accepted: 2, change_state: 6, advance: 16, accept_at_once: 5, unaccept: 5,
    accept_again: 2, restart: 3, reject: 3, estimate: 3, estimate_accepted: 4, change_type: 3,
    edit: 4, drag: 3, delete: 3, delete_several: 1, change_and_delete: 1, create_and_delete: 1,
    move_away: 4, move_release: 2, move_away_and_back: 3, move_and_delete: 1, add_owner: 4,
    remove_owner: 3, reorder_owners: 2, remove_all_owners: 1, label: 5, unlabel: 3, create_label: 1,
    rename_label: 2, delete_label: 2, merge_label: 3, create_epic: 3, edit_epic: 2, delete_epic: 2,
    comment_epic: 2, add_comment: 3, edit_comment: 4, delete_comment: 3, add_task: 2, edit_task: 4,
    delete_task: 2, add_blocker: 2, edit_blocker: 4, delete_blocker: 2, add_review: 2,
    edit_review: 4, delete_review: 2, override: 3, settings: 3, add_member: 2, change_role: 4,
}  # fmt: skip
BY_NAME = {each.__name__: each for each in COMMANDS}
