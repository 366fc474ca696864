{{ config(enabled=is_built('iterations')) }}
with

iterations as (

    select * from {{ ref('int_iterations_with_velocity') }}
    where stops_at > starts_at

),

memberships as (

    select * from {{ ref('int_iteration_memberships') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

commitments as (

    select
        *,
        committed_story_count is not null as is_scope_known
    from {{ ref('fct_iteration_velocity') }}

),

with_dates as (

    select
        *,
        {{ local_date('starts_at', 'time_zone') }} as start_date,
        {{ local_date('stops_at', 'time_zone') }} as stop_date,
        {{ local_date('finishes_at', 'time_zone') }} as finish_date
    from iterations

),

calendar_days as (

    {{ day_series(
        'with_dates', 'start_date', 'stop_date', keep=[
            'iteration_key', 'project_id', 'time_zone', 'start_date', 'finish_date',
            'stops_at', 'counted_until'
        ]
    ) }}

),

-- A day ends at the next local midnight, or with the iteration or at as_of. What
-- occurred at as_of counts.
days as (

    select
        iteration_key,
        project_id,
        {{ days_between('start_date', 'calendar_date') }} + 1 as day_number,
        {{ days_between('start_date', 'finish_date') }} as day_count,
        calendar_date as burn_date,
        least({{ local_midnight('calendar_date + 1', 'time_zone') }}, stops_at)
            as ends_at,
        case
            when {{ local_midnight('calendar_date + 1', 'time_zone') }} < stops_at
                then {{ local_midnight('calendar_date + 1', 'time_zone') }}
            else counted_until
        end as counted_until
    from calendar_days
    where {{ local_midnight('calendar_date', 'time_zone') }} < stops_at

),

-- At the end of the day a story is in one state and in one version. A left join, so
-- that no planner matches versions with days first: they share nothing but instants.
totals as (

    select
        days.iteration_key,
        days.burn_date,
        count(*) as scope_story_count,
        sum(coalesce(versions.estimate, 0)) as scope_points,
        count(case when memberships.story_state = 'accepted' then 1 end)
            as accepted_story_count,
        sum(
            case
                when memberships.story_state = 'accepted'
                    then coalesce(versions.estimate, 0)
            end
        ) as accepted_points
    from days
    inner join memberships
        on
            days.iteration_key = memberships.iteration_key
            and days.counted_until > memberships.member_from
            and days.counted_until <= memberships.member_to
    left join versions
        on
            memberships.story_id = versions.story_id
            and (
                days.counted_until > versions.valid_from
                or versions.version_number = 1
            )
            and (days.counted_until <= versions.valid_to or versions.is_last)
    group by
        days.iteration_key,
        days.burn_date

),

with_zeros as (

    select
        days.*,
        case
            when commitments.is_scope_known then coalesce(totals.scope_story_count, 0)
        end as scope_story_count,
        case when commitments.is_scope_known then coalesce(totals.scope_points, 0) end
            as scope_points,
        {{ zero_if_read('totals.accepted_story_count', 'project_settings') }}
            as accepted_story_count,
        {{ zero_if_read('totals.accepted_points', 'project_settings') }}
            as accepted_points,
        commitments.committed_story_count,
        commitments.committed_points
    from days
    inner join project_settings
        on days.project_id = project_settings.project_id
    inner join commitments
        on days.iteration_key = commitments.iteration_key
    left join totals
        on
            days.iteration_key = totals.iteration_key
            and days.burn_date = totals.burn_date

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
