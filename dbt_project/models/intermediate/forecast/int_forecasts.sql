{{ config(enabled=is_built('plans')) }}
-- A table: two marts and their tests read it, and it is small.
{{ config(materialized='table') }}

with

dates as (

    select * from {{ ref('int_forecasts_of_dates') }}

),

counts as (

    select * from {{ ref('int_forecasts_of_counts') }}

),

targets as (

    select * from {{ ref('int_forecast_targets') }}

),

windows as (

    select * from {{ ref('int_forecast_windows') }}

),

unioned as (

    select
        project_id,
        cut_date,
        target_kind,
        target_id,
        'when' as question,
        percentile,
        cast(null as bigint) as horizon_week_count,
        forecast_week_count,
        cast(null as bigint) as forecast_story_count,
        in_time_share,
        {{ days_later('cut_date', '7 * forecast_week_count') }} as forecast_date,
        cast(null as date) as horizon_date
    from dates

    union all

    select
        project_id,
        cut_date,
        target_kind,
        target_id,
        'how_many' as question,
        percentile,
        horizon_week_count,
        cast(null as bigint) as forecast_week_count,
        forecast_story_count,
        {{ as_double('null') }} as in_time_share,
        cast(null as date) as forecast_date,
        horizon_date
    from counts

),

final as (

    select
        unioned.project_id,
        unioned.cut_date,
        unioned.target_kind,
        unioned.target_id,
        unioned.question,
        unioned.percentile,
        case
            when windows.sampled_week_count < {{ fewest_weeks_for_a_forecast() }}
                then 'too few weeks'
            when windows.sampled_story_count < {{ fewest_stories_for_a_forecast() }}
                then 'too few accepted'
            when unioned.question = 'when' and targets.queue_gap_reason is not null
                then targets.queue_gap_reason
            when unioned.horizon_week_count < 1 then 'no week left'
            when
                unioned.forecast_week_count is null
                and unioned.forecast_story_count is null
                then 'beyond the horizon'
        end as gap_reason,
        windows.trial_count,
        windows.sampled_week_count,
        windows.sampled_story_count,
        targets.remaining_story_count,
        targets.queued_story_count,
        unioned.horizon_week_count,
        unioned.forecast_week_count,
        unioned.forecast_story_count,
        unioned.in_time_share,
        windows.is_backtest,
        windows.last_whole_date,
        windows.window_from_date,
        windows.window_to_date,
        unioned.forecast_date,
        unioned.horizon_date
    from unioned
    inner join windows
        on
            unioned.project_id = windows.project_id
            and unioned.cut_date = windows.cut_date
    left join targets
        on
            unioned.project_id = targets.project_id
            and unioned.cut_date = targets.cut_date
            and unioned.target_kind = targets.target_kind
            and unioned.target_id = targets.target_id

)

select * from final
