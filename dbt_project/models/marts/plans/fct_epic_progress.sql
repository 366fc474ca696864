{{ config(enabled=is_built('plans')) }}
with

plans as (

    select * from {{ ref('int_plans') }}
    where target_kind = 'epic'

),

epics as (

    select * from {{ ref('int_epics') }}

),

final as (

    select
        plans.target_id as epic_id,
        plans.project_id,
        epics.epic_name,
        plans.gap_reason,
        plans.story_count,
        plans.accepted_story_count,
        plans.remaining_story_count,
        plans.unscheduled_story_count,
        plans.unstarted_story_count,
        plans.in_progress_story_count,
        plans.unknown_story_count,
        plans.unestimated_story_count,
        plans.queued_story_count,
        {{ as_decimal('plans.total_points') }} as total_points,
        {{ as_decimal('plans.accepted_points') }} as accepted_points,
        {{ as_decimal('plans.remaining_points') }} as remaining_points,
        {{ as_decimal('plans.queued_points') }} as queued_points,
        plans.accepted_story_share,
        plans.accepted_points_share,
        plans.velocity_per_week,
        plans.velocity_volatility,
        plans.early_projected_date,
        plans.projected_date,
        plans.late_projected_date,
        plans.first_started_at,
        plans.last_accepted_at
    from plans
    inner join epics
        on plans.target_id = epics.epic_id

)

select * from final
