with

days as (

    select * from {{ ref('int_iteration_days') }}

),

totals as (

    select * from {{ ref('int_iteration_days_with_totals') }}

),

commitments as (

    select * from {{ ref('int_iterations_with_scope') }}

),

with_zeros as (

    select
        days.*,
        case
            when commitments.is_scope_known then coalesce(totals.scope_story_count, 0)
        end as scope_story_count,
        case when commitments.is_scope_known then coalesce(totals.scope_points, 0) end
            as scope_points,
        coalesce(totals.accepted_story_count, 0) as accepted_story_count,
        coalesce(totals.accepted_points, 0) as accepted_points,
        case when commitments.is_scope_known then commitments.committed_story_count end
            as committed_story_count,
        case when commitments.is_scope_known then commitments.committed_points end
            as committed_points
    from days
    left join totals
        on
            days.iteration_key = totals.iteration_key
            and days.burn_date = totals.burn_date
    left join commitments
        on days.iteration_key = commitments.iteration_key

),

final as (

    select
        iteration_key || '-' || burn_date as iteration_burn_key,
        iteration_key,
        project_id,
        day_number,
        scope_story_count,
        accepted_story_count,
        scope_story_count - accepted_story_count as remaining_story_count,
        {{ as_double('committed_story_count') }} * (day_count - day_number)
        / nullif(day_count, 0) as ideal_remaining_story_count,
        {{ as_decimal('scope_points') }} as scope_points,
        {{ as_decimal('accepted_points') }} as accepted_points,
        {{ as_decimal('scope_points - accepted_points') }} as remaining_points,
        {{ as_double('committed_points') }} * (day_count - day_number)
        / nullif(day_count, 0) as ideal_remaining_points,
        burn_date,
        ends_at
    from with_zeros

)

select * from final
