-- A table: forecasts and the marts of plans read it, and it is small.
{{ config(materialized='table') }}

{%- set counts = [
    'story_count', 'accepted_story_count', 'remaining_story_count',
    'unscheduled_story_count', 'unstarted_story_count', 'in_progress_story_count',
    'unknown_story_count', 'unestimated_story_count'
] %}

with

plan_stories as (

    select * from {{ ref('int_plan_stories') }}

),

cycle_times as (

    select * from {{ ref('int_stories_with_cycle_times') }}

),

stories_in_order as (

    select * from {{ ref('int_stories_in_backlog_order') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

velocities as (

    select * from {{ ref('int_projects_with_iterations') }}

),

targets as (

    select
        'epic' as target_kind,
        epic_id as target_id,
        project_id,
        {{ as_instant('null') }} as deadline_at
    from {{ ref('int_epics') }}

    union all

    select
        'release' as target_kind,
        release_id as target_id,
        project_id,
        deadline_at
    from {{ ref('int_releases_with_places') }}

    union all

    select
        'project' as target_kind,
        project_id as target_id,
        project_id,
        {{ as_instant('null') }} as deadline_at
    from project_settings

),

-- The open stories of each project, without the icebox, and whether their order is
-- known.
backlogs as (

    select
        stories.project_id,
        count(*) as story_count,
        count(stories_in_order.story_id) as placed_story_count,
        coalesce(sum(stories.estimate), 0) as points
    from {{ ref('int_stories') }} as stories
    left join stories_in_order
        on
            stories.story_id = stories_in_order.story_id
            and stories_in_order.is_waiting
    where
        not stories.is_deleted
        and coalesce(stories.story_type, '') != 'release'
        and stories.current_state not in ('accepted', 'unscheduled')
    group by stories.project_id

),

stories_by_target as (

    select
        plan_stories.target_kind,
        plan_stories.target_id,
        count(*) as story_count,
        count(case when plan_stories.is_accepted then 1 end) as accepted_story_count,
        count(case when not plan_stories.is_accepted then 1 end)
            as remaining_story_count,
        count(case when plan_stories.is_accepted is null then 1 end)
            as unknown_story_count,
        count(case when plan_stories.current_state = 'unscheduled' then 1 end)
            as unscheduled_story_count,
        count(
            case when plan_stories.current_state in ('unstarted', 'planned') then 1 end
        ) as unstarted_story_count,
        count(
            case
                when plan_stories.current_state in {{ in_progress_states() }}
                    then 1
            end
        ) as in_progress_story_count,
        count(
            case
                when not plan_stories.is_accepted and plan_stories.estimate is null
                    then 1
            end
        ) as unestimated_story_count,
        sum(plan_stories.estimate) as total_points,
        sum(case when plan_stories.is_accepted then plan_stories.estimate end)
            as accepted_points,
        sum(case when not plan_stories.is_accepted then plan_stories.estimate end)
            as remaining_points,
        coalesce(max(stories_in_order.queued_story_count), 0) as placed_story_count,
        coalesce(max(stories_in_order.queued_points), 0) as placed_points,
        count(
            case
                when not plan_stories.is_accepted and stories_in_order.story_id is null
                    then 1
            end
        ) as unplaced_story_count,
        coalesce(
            sum(
                case
                    when plan_stories.current_state = 'unscheduled'
                        then plan_stories.estimate
                end
            ), 0
        ) as unscheduled_points,
        min(cycle_times.first_in_progress_at) as first_started_at,
        max(plan_stories.accepted_at) as last_accepted_at
    from plan_stories
    left join cycle_times
        on plan_stories.story_id = cycle_times.story_id
    left join stories_in_order
        on
            plan_stories.story_id = stories_in_order.story_id
            and stories_in_order.is_waiting
    group by
        plan_stories.target_kind,
        plan_stories.target_id

),

-- The queue down to its last story. A story without a position comes after the whole
-- backlog, and the icebox comes last.
with_queues as (

    select
        targets.target_kind,
        targets.target_id,
        targets.project_id,
        {% for count in counts %}
        {{ zero_if_read(
            'stories_by_target.' ~ count, 'project_settings'
        ) }} as {{ count }},
        {% endfor %}
        {% for points in ['total_points', 'accepted_points', 'remaining_points'] %}
        {{ zero_if_read(
            'stories_by_target.' ~ points, 'project_settings'
        ) }} as {{ points }},
        {% endfor %}
        case
            when stories_by_target.unplaced_story_count > 0
                then
                    coalesce(backlogs.story_count, 0)
                    + stories_by_target.unscheduled_story_count
            else {{ zero_if_read(
                'stories_by_target.placed_story_count', 'project_settings'
            ) }}
        end as queued_story_count,
        case
            when stories_by_target.unplaced_story_count > 0
                then
                    coalesce(backlogs.points, 0) + stories_by_target.unscheduled_points
            else {{ zero_if_read(
                'stories_by_target.placed_points', 'project_settings'
            ) }}
        end as queued_points,
        case
            when
                targets.target_kind != 'project'
                and stories_by_target.unplaced_story_count > 0
                and coalesce(backlogs.placed_story_count, 0) = 0
                then 'nothing planned'
        end as queue_gap_reason,
        velocities.current_velocity_per_week as velocity_per_week,
        velocities.current_volatility as velocity_volatility,
        {{ local_date('project_settings.as_of', 'project_settings.time_zone') }}
            as as_of_date,
        {{ local_date('targets.deadline_at', 'project_settings.time_zone') }}
            as deadline_date,
        stories_by_target.first_started_at,
        stories_by_target.last_accepted_at
    from targets
    inner join project_settings
        on targets.project_id = project_settings.project_id
    left join velocities
        on targets.project_id = velocities.project_id
    left join backlogs
        on targets.project_id = backlogs.project_id
    left join stories_by_target
        on
            targets.target_kind = stories_by_target.target_kind
            and targets.target_id = stories_by_target.target_id

),

with_points_ahead as (

    select
        *,
        case
            when remaining_story_count > 0 and queue_gap_reason is null
                then nullif(queued_points, 0)
        end as points_ahead,
        velocity_per_week * (1 + velocity_volatility) as fast_velocity_per_week,
        velocity_per_week * (1 - velocity_volatility) as slow_velocity_per_week
    from with_queues

),

with_days as (

    select
        *,
        {{ days_of_work('points_ahead', 'fast_velocity_per_week') }} as fast_days,
        {{ days_of_work('points_ahead', 'velocity_per_week') }} as usual_days,
        {{ days_of_work('points_ahead', 'slow_velocity_per_week') }} as slow_days
    from with_points_ahead

),

with_dates as (

    select
        *,
        {{ days_later('as_of_date', 'fast_days') }} as early_projected_date,
        {{ days_later('as_of_date', 'usual_days') }} as projected_date,
        {{ days_later('as_of_date', 'slow_days') }} as late_projected_date
    from with_days

),

final as (

    select
        target_kind,
        target_id,
        project_id,
        {% for count in counts %}
        {{ count }},
        {% endfor %}
        queued_story_count,
        total_points,
        accepted_points,
        remaining_points,
        queued_points,
        {{ as_double('accepted_story_count') }} / nullif(story_count, 0)
            as accepted_story_share,
        {{ as_double('accepted_points') }} / nullif({{ as_double('total_points') }}, 0)
            as accepted_points_share,
        velocity_per_week,
        velocity_volatility,
        {{ days_between('deadline_date', 'projected_date') }} as projected_late_days,
        projected_date > deadline_date as is_projected_late,
        queue_gap_reason,
        case
            when story_count is null then 'stories not read'
            when story_count = 0 then 'no stories'
            when remaining_story_count = 0 and unknown_story_count > 0
                then 'unknown states'
            when remaining_story_count = 0 then null
            when queue_gap_reason is not null then queue_gap_reason
            when queued_points = 0 then 'no points in the queue'
            when coalesce(velocity_per_week, 0) = 0 then 'no velocity'
            when projected_date is null then 'beyond the horizon'
        end as gap_reason,
        as_of_date,
        early_projected_date,
        projected_date,
        late_projected_date,
        deadline_date,
        first_started_at,
        last_accepted_at
    from with_dates

)

select * from final
