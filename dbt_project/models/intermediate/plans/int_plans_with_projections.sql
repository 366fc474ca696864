-- A table: forecasts and the marts of plans read it, and it is small.
{{ config(materialized='table') }}

with

plans as (

    select * from {{ ref('int_plans_with_progress') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

paces as (

    select * from {{ ref('int_projects_with_iterations') }}

),

with_paces as (

    select
        plans.*,
        case
            when plans.remaining_story_count > 0 and plans.gap_reason is null
                then nullif(plans.queued_points, 0)
        end as points_ahead,
        paces.current_velocity_per_week as velocity_per_week,
        paces.current_volatility as velocity_volatility,
        paces.current_velocity_per_week * (1 + paces.current_volatility)
            as fast_velocity_per_week,
        paces.current_velocity_per_week * (1 - paces.current_volatility)
            as slow_velocity_per_week,
        {{ local_date('project_settings.as_of', 'project_settings.time_zone') }}
            as as_of_date,
        {{ local_date('plans.deadline_at', 'project_settings.time_zone') }}
            as deadline_date
    from plans
    inner join project_settings
        on plans.project_id = project_settings.project_id
    left join paces
        on plans.project_id = paces.project_id

),

with_days as (

    select
        *,
        {{ days_of_work('points_ahead', 'fast_velocity_per_week') }} as fast_days,
        {{ days_of_work('points_ahead', 'velocity_per_week') }} as usual_days,
        {{ days_of_work('points_ahead', 'slow_velocity_per_week') }} as slow_days
    from with_paces

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
        {% for measure in [
            'story_count', 'accepted_story_count', 'remaining_story_count',
            'unscheduled_story_count', 'unstarted_story_count',
            'in_progress_story_count', 'unestimated_story_count', 'queued_story_count',
            'total_points', 'accepted_points', 'remaining_points', 'queued_points'
        ] %}
        {{ measure }},
        {% endfor %}
        {{ as_double('accepted_story_count') }} / nullif(story_count, 0)
            as accepted_story_share,
        {{ as_double('accepted_points') }} / nullif({{ as_double('total_points') }}, 0)
            as accepted_points_share,
        velocity_per_week,
        velocity_volatility,
        {{ days_between('deadline_date', 'projected_date') }} as projected_late_days,
        projected_date > deadline_date as is_projected_late,
        gap_reason as queue_gap_reason,
        case
            when remaining_story_count = 0 then null
            when gap_reason is not null then gap_reason
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
