{{ config(enabled=is_built('plans')) }}
with

plans as (

    select * from {{ ref('int_plans') }}
    where target_kind = 'release'

),

releases as (

    select * from {{ ref('int_releases_with_places') }}

),

final as (

    select
        plans.target_id as release_id,
        plans.project_id,
        releases.release_name,
        releases.current_state,
        case
            when plans.story_count > 0 or releases.membership_source != 'label'
                then releases.membership_source
            else 'none'
        end as membership_source,
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
        plans.projected_late_days,
        plans.is_projected_late,
        plans.early_projected_date,
        plans.projected_date,
        plans.late_projected_date,
        plans.deadline_date,
        plans.first_started_at,
        plans.last_accepted_at,
        releases.accepted_at
    from plans
    inner join releases
        on plans.target_id = releases.release_id

)

select * from final
