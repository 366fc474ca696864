"""Which lists of the API are read, in which order, and which fields are asked for.

`fields=` brings everything that belongs to a story or epic along with it, so that no request per
record is needed. Each list names its fields from the fullest set to smaller ones: a host that does
not know a field may refuse the request, and then the next set is asked for.

Not asked for, because they change without the record's own change and would be stale until the next
full load: a story's or epic's neighbours (`before_id`, `after_id`; the order of what is planned is
in `iterations.story_ids`), and the roll-ups of release stories (they are in `releases`, which is
read whole each time).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PAGE_SIZE = 500  # Tracker's maximum for stories; hosts with a lower one lower it
_ITERATIONS_PAGE_SIZE = 10  # Tracker's default; a maximum is not known

# Logs: what happens is added to them, also while they are read, and stays as it is.
GROWING_TABLES = frozenset({"activity", "my_activity", "story_transitions"})

_COMMENTS = "comments(:default,file_attachments,google_attachments)"
_ITERATION = "number,project_id,length,team_strength,start,finish"
_ITERATION_SUMS = "velocity,points,accepted_points,effective_points"

PROJECT_FIELDS = (
    ":default,current_velocity,current_volatility,current_standard_deviation,"
    "iteration_override_numbers",
    ":default",
)

STORY_FIELDS = (
    f":default,{_COMMENTS},tasks(:default),owners(:default),reviews(:default,review_type),"
    "blockers(:default),transitions(:default),labels(:default),follower_ids,pull_requests,branches",
    # What exporters asked of Tracker itself, for years.
    f":default,{_COMMENTS},tasks(:default),owners(:default),reviews(:default),"
    "blockers(:default),transitions(:default),labels(:default)",
    ":default,comments,tasks,transitions",
)


@dataclass(frozen=True)
class TrackerList:
    """One list of the API that fills one raw table.

    Attributes:
        table: the raw table.
        path: below the base URL; `{project_id}` when each project has its own.
        page_size: records asked for at once; None for lists that come whole.
        fields: sets for `fields=`, the fullest first.
        cautious_page_size: how many are asked for when a host refuses that many; None when hosts
            are known to lower the limit instead.
        option: the attribute of `ApiOptions` that switches it on; None when it is always read.
            What is optional may be refused without the project being skipped.
        is_required: without it a project counts as not read.
    """

    table: str
    path: str
    page_size: int | None = None
    fields: tuple[str, ...] = ()
    cautious_page_size: int | None = None
    option: str | None = None
    is_required: bool = False

    @property
    def is_per_project(self) -> bool:
        """Whether each project has its own."""
        return "{project_id}" in self.path


@dataclass(frozen=True)
class ApiOptions:
    """What is read beyond the usual.

    Attributes:
        history_days: Tracker's own end-of-day history, one request a project.
        cycle_time_details: Tracker's own cycle times, one request an iteration.
        iteration_analytics: Tracker's own analytics, with each iteration.
    """

    history_days: bool = False
    cycle_time_details: bool = False
    iteration_analytics: bool = False


_LISTS = (
    TrackerList("me", "/me"),
    TrackerList("accounts", "/accounts", fields=(":default,project_ids", ":default")),
    TrackerList("memberships", "/projects/{project_id}/memberships"),
    TrackerList("labels", "/projects/{project_id}/labels", fields=(":default,counts", ":default")),
    TrackerList(
        "epics",
        "/projects/{project_id}/epics",
        fields=(
            f":default,label_id,{_COMMENTS},past_done_story_estimates,past_done_stories_count,"
            "past_done_stories_no_point_count,completed_at,projected_completion",
            f":default,label_id,{_COMMENTS}",
            ":default",
        ),
    ),
    TrackerList(
        "stories",
        "/projects/{project_id}/stories",
        PAGE_SIZE,
        STORY_FIELDS,
        is_required=True,
    ),
    TrackerList(
        "releases",
        "/projects/{project_id}/releases",
        PAGE_SIZE,
        (
            ":default,story_ids,projected_completion,"
            "points_accepted,points_total,counts_accepted,counts_total",
            ":default,story_ids",
        ),
    ),
    # Without a scope the list holds done, current and backlog iterations: one list, in which
    # nothing falls between the chairs when an iteration ends while it is read.
    TrackerList(
        "iterations",
        "/projects/{project_id}/iterations",
        PAGE_SIZE,
        (f"{_ITERATION},{_ITERATION_SUMS},story_ids", f":default,{_ITERATION_SUMS}"),
        _ITERATIONS_PAGE_SIZE,
    ),
    TrackerList("activity", "/projects/{project_id}/activity", PAGE_SIZE),
    TrackerList("my_activity", "/my/activity", PAGE_SIZE),
    TrackerList("story_transitions", "/projects/{project_id}/story_transitions", PAGE_SIZE),
    TrackerList("notifications", "/my/notifications"),
    TrackerList("history_days", "/projects/{project_id}/history/days", option="history_days"),
    TrackerList(
        "cycle_time_details",
        "/projects/{project_id}/iterations/{number}/analytics/cycle_time_details",
        option="cycle_time_details",
    ),
)

_ITERATION_ANALYTICS = (
    f"{_ITERATION},{_ITERATION_SUMS},story_ids,analytics",
    f":default,{_ITERATION_SUMS},analytics",
)


def chosen_lists(options: ApiOptions) -> list[TrackerList]:
    """The lists to read, in order, after the list of projects."""
    return [
        _with_analytics(each)
        if each.table == "iterations" and options.iteration_analytics
        else each
        for each in _LISTS
        if each.option is None or getattr(options, each.option)
    ]


def _with_analytics(iterations: TrackerList) -> TrackerList:
    return replace(iterations, fields=(*_ITERATION_ANALYTICS, *iterations.fields))
