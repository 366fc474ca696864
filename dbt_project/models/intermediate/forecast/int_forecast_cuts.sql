{{ config(enabled=is_built('plans')) }}
with

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

complete_weeks as (

    select * from {{ ref('int_complete_weeks') }}

),

today as (

    select
        project_settings.project_id,
        {{ local_date('project_settings.as_of', 'project_settings.time_zone') }}
            as known_date
    from project_settings

),

with_last_whole_dates as (

    select
        project_id,
        known_date,
        known_date - 1 as last_whole_date
    from today

),

-- Every fourth week of the project's own count, so that a cut stays where it is: with a
-- full window before it, and at least four complete weeks after it to hold it against.
final as (

    select
        project_id,
        false as is_backtest,
        {{ var('forecast_trials') }} as trial_count,
        last_whole_date as cut_date,
        known_date,
        last_whole_date
    from with_last_whole_dates

    union all

    select
        complete_weeks.project_id,
        true as is_backtest,
        {{ var('forecast_backtest_trials') }} as trial_count,
        complete_weeks.week_end_date as cut_date,
        complete_weeks.week_end_date as known_date,
        with_last_whole_dates.last_whole_date
    from complete_weeks
    inner join with_last_whole_dates
        on complete_weeks.project_id = with_last_whole_dates.project_id
    where
        mod(complete_weeks.week_number, 4) = 0
        and complete_weeks.week_number >= {{ var('forecast_window_weeks') }}
        and complete_weeks.week_count - complete_weeks.week_number
        between 4 and {{ var('forecast_backtest_weeks') }}

)

select * from final
