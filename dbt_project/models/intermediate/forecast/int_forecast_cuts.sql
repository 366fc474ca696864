{{ config(enabled=is_built('plans')) }}
with

complete_weeks as (

    select * from {{ ref('int_complete_weeks') }}

),

today as (

    select
        project_id,
        {{ local_date('as_of', 'time_zone') }} as known_date,
        {{ local_date('as_of', 'time_zone') }} - 1 as last_whole_date
    from {{ ref('int_projects') }}

),

-- Every second week, because errors of weeks in a row are nearly the same; every fourth
-- week is published. Cut dates stay fixed: weeks are counted from the first. Back tests
-- have half a year before them and at least four complete weeks after them.
final as (

    select
        project_id,
        true as is_current,
        false as is_backtest,
        last_whole_date as cut_date,
        known_date,
        last_whole_date
    from today

    union all

    select
        complete_weeks.project_id,
        false as is_current,
        mod(complete_weeks.week_number, 4) = 0
        and complete_weeks.week_number >= {{ full_window_weeks() }}
        and complete_weeks.week_count - complete_weeks.week_number
        between 4 and {{ var('forecast_backtest_weeks') }} as is_backtest,
        complete_weeks.week_end_date as cut_date,
        complete_weeks.week_end_date as known_date,
        today.last_whole_date
    from complete_weeks
    inner join today
        on complete_weeks.project_id = today.project_id
    -- The first back test learns from errors that reach as far back again.
    where
        mod(complete_weeks.week_number, 2) = 0
        and complete_weeks.week_number >= {{ min_weeks_for_forecast() }}
        and complete_weeks.week_count - complete_weeks.week_number
        between 1
        and 2 * {{ var('forecast_backtest_weeks') }} + {{ error_horizons() | max }}

)

select * from final
