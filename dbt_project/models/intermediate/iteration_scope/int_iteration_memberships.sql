-- A table: the scope and the daily burn read it.
{{ config(materialized='table') }}

with

iterations as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

-- An inferred first interval is not a recorded state: it counts in daily flow only. A
-- state that lasts at as_of has no end, even one that began at that very instant.
state_intervals as (

    select
        *,
        case when is_open then {{ as_instant("'9999-12-31'") }} else counted_until end
            as lasts_until
    from {{ ref('int_story_state_intervals') }}
    where not is_inferred

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

-- Consecutive versions in one project are one period: both numbers grow by one there.
numbered_versions as (

    select
        *,
        version_number - row_number() over (
            partition by story_id, project_id
            order by version_number
        ) as period_number
    from versions

),

project_periods as (

    select
        story_id,
        project_id,
        min(version_number) = 1 as is_first,
        min(valid_from) as valid_from,
        max(case when is_last then {{ as_instant("'9999-12-31'") }} else valid_to end)
            as valid_to
    from numbered_versions
    group by
        story_id,
        project_id,
        period_number

),

-- When the story is next taken up after an interval, or accepted outright.
with_next_work as (

    select
        story_id,
        interval_number,
        story_state,
        accepted_at,
        counted_from,
        lasts_until,
        min(case
            when story_state in {{ in_progress_states() }} or story_state = 'accepted'
                then counted_from
        end) over (
            partition by story_id
            order by interval_number
            rows between 1 following and unbounded following
        ) as next_worked_at,
        min(counted_from) over (partition by story_id) as first_known_at
    from state_intervals

),

-- A move between projects splits an interval in two. The periods in projects have no
-- gaps or overlaps, so each instant is in one of them; an import that was accepted
-- before its creation was in the first one.
intervals as (

    select
        with_next_work.story_id,
        project_periods.project_id,
        with_next_work.story_state,
        with_next_work.next_worked_at,
        with_next_work.first_known_at,
        stories.created_at,
        with_next_work.accepted_at,
        case
            when project_periods.is_first then with_next_work.counted_from
            else {{ latest(
                'with_next_work.counted_from', 'project_periods.valid_from'
            ) }}
        end as entered_at,
        {{ earliest('with_next_work.lasts_until', 'project_periods.valid_to') }}
            as left_at
    from with_next_work
    inner join stories
        on with_next_work.story_id = stories.story_id
    inner join project_periods
        on
            with_next_work.story_id = project_periods.story_id
            and with_next_work.counted_from < project_periods.valid_to
            and (
                with_next_work.lasts_until > project_periods.valid_from
                or project_periods.is_first
            )

),

-- The story's position now is the best evidence of the backlog's past order.
places as (

    select * from {{ ref('int_stories_in_backlog_order') }}

),

-- What was in progress or in the backlog when the iteration started. Intervals of a
-- story, and its versions, are half-open and do not overlap: one of each. Both are of
-- one project; saying so keeps DuckDB from joining all versions to all iterations.
starts as (

    select
        iterations.iteration_key,
        intervals.story_id,
        intervals.story_state,
        coalesce(versions.estimate, 0) as points,
        iterations.planned_points,
        intervals.next_worked_at,
        places.backlog_place
    from iterations
    inner join intervals
        on
            iterations.project_id = intervals.project_id
            and iterations.starts_at >= intervals.entered_at
            and iterations.starts_at < intervals.left_at
    inner join versions
        on
            intervals.story_id = versions.story_id
            and intervals.project_id = versions.project_id
            and iterations.starts_at >= versions.valid_from
            and (iterations.starts_at < versions.valid_to or versions.is_last)
    left join places
        on intervals.story_id = places.story_id
    where
        iterations.is_automatic_planning
        and (
            intervals.story_state in {{ in_progress_states() }}
            or intervals.story_state = 'unstarted'
        )

),

points_in_progress as (

    select
        iteration_key,
        sum(points) as points
    from starts
    where story_state in {{ in_progress_states() }}
    group by iteration_key

),

-- No source has the past order of a backlog. The stories that were started first count
-- as first, followed by the others in their current order.
ordered as (

    select
        starts.iteration_key,
        starts.story_id,
        starts.points,
        starts.planned_points,
        coalesce(points_in_progress.points, 0) as points_in_progress,
        sum(starts.points) over (
            partition by starts.iteration_key
            order by
                coalesce(starts.next_worked_at, {{ as_instant("'9999-12-31'") }}),
                coalesce(starts.backlog_place, 1000000000),
                starts.story_id
            rows between unbounded preceding and current row
        ) as points_so_far
    from starts
    left join points_in_progress
        on starts.iteration_key = points_in_progress.iteration_key
    where starts.story_state = 'unstarted'

),

with_points_above as (

    select
        iteration_key,
        story_id,
        points,
        planned_points,
        points_in_progress + points_so_far - points as points_above
    from ordered

),

-- As in Tracker, stories are included until velocity is reached. The last one may
-- exceed it, and one without points is included when it has just been reached.
plans as (

    select
        iteration_key,
        story_id
    from with_points_above
    where
        points_above < planned_points
        or (points_above = planned_points and points = 0)

),

-- In scope at an instant: in progress or planned then; accepted within the iteration;
-- or taken in by the plan at its start, and still in the backlog.
in_scope as (

    select
        iterations.iteration_key,
        iterations.starts_at,
        iterations.counted_until,
        intervals.*
    from iterations
    inner join intervals
        on
            iterations.project_id = intervals.project_id
            and iterations.counted_until > intervals.entered_at
            and iterations.starts_at < intervals.left_at
    where
        intervals.story_state in {{ in_progress_states() }}
        or intervals.story_state = 'planned'
        or (
            intervals.story_state = 'accepted'
            and intervals.accepted_at >= iterations.starts_at
            and intervals.accepted_at < iterations.counted_until
        )

    union all

    select
        iterations.iteration_key,
        iterations.starts_at,
        iterations.counted_until,
        intervals.*
    from plans
    inner join iterations
        on plans.iteration_key = iterations.iteration_key
    inner join intervals
        on
            plans.story_id = intervals.story_id
            and iterations.project_id = intervals.project_id
            and iterations.counted_until > intervals.entered_at
            and iterations.starts_at < intervals.left_at
    where intervals.story_state = 'unstarted'

),

memberships as (

    select
        iteration_key,
        story_id,
        story_state,
        coalesce(
            first_known_at > starts_at
            and (created_at is null or created_at < starts_at),
            false
        ) as is_start_unknown,
        accepted_at,
        {{ latest('entered_at', 'starts_at') }} as member_from,
        {{ earliest('left_at', 'counted_until') }} as member_to
    from in_scope

),

final as (

    select * from memberships
    where member_from < member_to

)

select * from final
