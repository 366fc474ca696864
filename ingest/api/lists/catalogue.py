"""The lists of the API that are read, in order, with the requested fields.

With `fields=`, a story or an epic includes all its parts, so that no request per record is needed.
Each list has several sets of fields, from the largest to the smallest: a host that does not know a
field may reject the request, and then the next set is requested.

Some fields are not requested, because they can change without an update of their record, and would
then be outdated until the next full load: `before_id` and `after_id` (`iterations.story_ids` has
the planned order), and the roll-ups of release stories (`releases` has them, and is always read
completely).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

PAGE_SIZE = 500  # Tracker's maximum for stories; other hosts may use a lower limit
_ITERATIONS_PAGE_SIZE = 10  # Tracker's default; a maximum is not known

# Logs, to which records are added while they are read; existing records never change.
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
    # The fields that public export tools requested from Tracker for years.
    f":default,{_COMMENTS},tasks(:default),owners(:default),reviews(:default),"
    "blockers(:default),transitions(:default),labels(:default)",
    ":default,comments,tasks,transitions",
)


@dataclass(frozen=True)
class TrackerList:
    """One list of the API that fills one raw table.

    Attributes:
        table: the raw table.
        path: the path below the base URL, with `{project_id}` if each project has its own list.
        page_size: records per page; None for lists without pages.
        fields: sets for `fields=`, the largest first.
        cautious_page_size: the page size for hosts that reject `page_size`; None if hosts are
            known to lower the limit instead.
        option: the attribute of `ApiOptions` that enables it; None if it is always read. If an
            optional list is refused, its project is not skipped.
        is_required: whether its project is skipped if the host does not have it.
        is_list: whether the response is a list, rather than one object.
    """

    table: str
    path: str
    page_size: int | None = None
    fields: tuple[str, ...] = ()
    cautious_page_size: int | None = None
    option: str | None = None
    is_required: bool = False
    is_list: bool = True

    @property
    def is_per_project(self) -> bool:
        """Whether each project has its own list."""
        return "{project_id}" in self.path


@dataclass(frozen=True)
class ApiOptions:
    """What to read.

    Attributes:
        history_days: also Tracker's own daily history; one request per project.
        cycle_time_details: also Tracker's own cycle times; one request per iteration.
        iteration_analytics: also Tracker's own analytics of each iteration.
        project_ids: the projects; None for all that the token can see.
        is_full: whether to read everything, and not only changes.
        is_selected: whether a table will be read; called while reading.
    """

    history_days: bool = False
    cycle_time_details: bool = False
    iteration_analytics: bool = False
    project_ids: list[int] | None = None
    is_full: bool = False
    is_selected: Callable[[str], bool] = lambda table: True


_LISTS = (
    TrackerList("me", "/me", is_list=False),
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
    # Without a scope, the list contains done, current and backlog iterations, so that no story is
    # missed if an iteration ends while the list is read.
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
    TrackerList(
        "history_days",
        "/projects/{project_id}/history/days",
        option="history_days",
        is_list=False,
    ),
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
