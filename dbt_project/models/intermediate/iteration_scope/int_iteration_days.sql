with

iterations as (

    select * from {{ ref('int_iterations_with_room') }}
    where stops_at > starts_at

),

calendar_days as (

    select * from {{ ref('int_calendar_days') }}

),

with_dates as (

    select
        *,
        {{ local_date('starts_at', 'time_zone') }} as start_date,
        {{ local_date('finishes_at', 'time_zone') }} as finish_date
    from iterations

),

-- A day ends at the next local midnight, or with the iteration or at as_of.
days as (

    select
        with_dates.iteration_key,
        with_dates.project_id,
        {{ days_between('with_dates.start_date', 'calendar_days.calendar_date') }} + 1
            as day_number,
        {{ days_between('with_dates.start_date', 'with_dates.finish_date') }}
            as day_count,
        calendar_days.calendar_date as burn_date,
        least(
            {{ local_midnight(
                'calendar_days.calendar_date + 1', 'with_dates.time_zone'
            ) }},
            with_dates.stops_at
        ) as ends_at,
        {{ local_midnight('calendar_days.calendar_date', 'with_dates.time_zone') }}
        < with_dates.stops_at as has_begun
    from with_dates
    inner join calendar_days
        on
            with_dates.start_date <= calendar_days.calendar_date
            and with_dates.finish_date >= calendar_days.calendar_date

),

final as (

    select * from days
    where has_begun

)

select * from final
