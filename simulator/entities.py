"""The entities of a Tracker workspace.

They are plain classes with slots, because a large workspace has a hundred thousand stories.
Timestamps are seconds since the epoch (see `instants`); an absent value is `None` or an empty list,
which the API omits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simulator.activities import Activity

STATES = (
    "accepted",
    "started",
    "finished",
    "unstarted",
    "planned",
    "delivered",
    "unscheduled",
    "rejected",
)
IN_PROGRESS = frozenset({"started", "finished", "delivered", "rejected"})
STORY_TYPES = ("feature", "bug", "chore", "release")
STATES_OF_TYPE = {
    "feature": frozenset(STATES),
    "bug": frozenset(STATES),
    "chore": frozenset({"unscheduled", "unstarted", "planned", "started", "accepted"}),
    "release": frozenset({"unscheduled", "unstarted", "planned", "accepted"}),
}
PRIORITIES = ("none", "p0", "p1", "p2", "p3")
REVIEW_STATUSES = ("unstarted", "in_review", "pass", "revise")

Number = int | float
# The resources that an activity is about, as (kind, id).
Reference = tuple[tuple[str, int], ...]


class Transition(NamedTuple):
    """A state change, as in `story_transitions` (docs/tracker-api.md, Stories)."""

    state: str
    story_id: int
    project_id: int
    project_version: int
    occurred_at: int
    performed_by_id: int


class FlowChange(NamedTuple):
    """The effect of one command on a project's daily totals; `None` is outside the project."""

    occurred_at: int
    story_id: int
    from_state: str | None
    from_points: Number
    to_state: str | None
    to_points: Number


class Override(NamedTuple):
    """The overridden length (weeks) and team strength (1 = 100 %) of one iteration."""

    length: int | None
    team_strength: Number


@dataclass(slots=True)
class Person:
    """A person with a Tracker login."""

    id: int
    name: str
    email: str
    initials: str
    username: str


@dataclass(slots=True)
class Account:
    """The account that owns the projects."""

    id: int
    name: str
    plan: str
    owner_id: int
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Membership:
    """A person's membership in a project; the API does not list the role `inactive`."""

    id: int
    project_id: int
    person_id: int
    role: str
    color: str
    created_at: int
    updated_at: int

    @property
    def reference(self) -> Reference:
        """The primary resource of its activities."""
        return (("project_membership", self.id),)


@dataclass(slots=True)
class ReviewType:
    """A kind of review that a project offers."""

    id: int
    project_id: int
    name: str
    created_at: int
    hidden: bool = False


@dataclass(slots=True)
class Comment:
    """A comment on a story or on an epic."""

    id: int
    story_id: int | None
    epic_id: int | None
    person_id: int
    text: str
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Task:
    """A task of a story."""

    id: int
    story_id: int
    description: str
    complete: bool
    position: int
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Blocker:
    """A blocker of a story."""

    id: int
    story_id: int
    person_id: int
    description: str
    resolved: bool
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Review:
    """A review of a story."""

    id: int
    story_id: int
    review_type_id: int
    reviewer_id: int | None
    status: str
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Label:
    """A label of a project; `counts` has 24 numbers, see `counts.py`."""

    id: int
    project_id: int
    name: str
    created_at: int
    updated_at: int
    counts: tuple[Number, ...]

    @property
    def reference(self) -> Reference:
        """The primary resource of its activities."""
        return (("label", self.id),)


@dataclass(slots=True)
class Epic:
    """An epic: a description and comments around a label."""

    id: int
    project_id: int
    name: str
    description: str
    label_id: int
    created_at: int
    updated_at: int
    comments: list[Comment] = field(default_factory=list)

    @property
    def reference(self) -> Reference:
        """The primary resource of its activities."""
        return (("epic", self.id),)


@dataclass(slots=True)
class Story:
    """A feature, bug, chore or release (docs/tracker-api.md, Stories)."""

    id: int
    project_id: int
    name: str
    story_type: str
    current_state: str
    requested_by_id: int
    created_at: int
    updated_at: int
    description: str = ""
    estimate: Number | None = None
    accepted_at: int | None = None
    deadline: int | None = None
    story_priority: str = "none"
    external_id: str | None = None
    owner_ids: list[int] = field(default_factory=list)
    label_ids: list[int] = field(default_factory=list)
    follower_ids: list[int] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    flow: list[FlowChange] = field(default_factory=list)
    deleted_at: int | None = None
    # The primary resource of its activities, as one shared tuple.
    reference: Reference = ()

    @property
    def points(self) -> Number:
        """The estimate; 0 for an unestimated story."""
        return self.estimate or 0

    @property
    def needs_estimate(self) -> bool:
        """Whether Tracker refuses to start it because it is an unestimated feature."""
        return self.story_type == "feature" and self.estimate is None


@dataclass(slots=True)
class Project:
    """A project with its settings, lists and activity log."""

    id: int
    name: str
    account_id: int
    created_at: int
    updated_at: int
    description: str = ""
    iteration_length: int = 1
    week_start_day: str = "Monday"
    point_scale: str = "0,1,2,3"
    point_scale_is_custom: bool = False
    bugs_and_chores_are_estimatable: bool = False
    automatic_planning: bool = True
    enable_tasks: bool = True
    time_zone: str = "America/Los_Angeles"
    velocity_averaged_over: int = 3
    number_of_done_iterations_to_show: int = 4
    enable_incoming_emails: bool = True
    initial_velocity: int = 10
    public: bool = False
    atom_enabled: bool = False
    project_type: str = "private"
    enable_following: bool = True
    start_date: str | None = None

    version: int = 0
    # The priority list in three sections: `accepted` is sorted by (accepted_at, story id); `active`
    # and `icebox` are ordered by the users.
    accepted: list[tuple[int, int]] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    icebox: list[int] = field(default_factory=list)
    epics: list[int] = field(default_factory=list)
    labels: dict[int, Label] = field(default_factory=dict)
    label_ids_by_name: dict[str, int] = field(default_factory=dict)
    memberships: dict[int, Membership] = field(default_factory=dict)
    review_types: list[ReviewType] = field(default_factory=list)
    overrides: dict[int, Override] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    flow: list[FlowChange] = field(default_factory=list)

    @property
    def project_id(self) -> int:
        """Its own id, like the `project_id` of the other entities."""
        return self.id

    @property
    def reference(self) -> Reference:
        """The primary resource of its activities."""
        return (("project", self.id),)

    @property
    def story_ids(self) -> list[int]:
        """All stories in priority order: accepted (oldest first), backlog, icebox."""
        return [story_id for _, story_id in self.accepted] + self.active + self.icebox
