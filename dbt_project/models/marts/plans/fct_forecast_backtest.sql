{{ config(enabled=is_built('plans')) }}
with

forecasts as (

    select * from {{ ref('int_forecasts') }}
    where is_backtest

),

actual_dates as (

    select * from {{ ref('int_backlogs_with_outcomes') }}

),

actual_counts as (

    select * from {{ ref('int_horizons_with_outcomes') }}

),

-- Decided on the day that was named, not before: early successes would else count while
-- failures still wait.
with_outcomes as (

    select
        forecasts.*,
        coalesce(
            forecasts.gap_reason is null
            and coalesce(forecasts.forecast_date, forecasts.horizon_date)
            <= forecasts.last_whole_date,
            false
        ) as is_decided,
        actual_counts.actual_story_count,
        actual_dates.actual_date
    from forecasts
    left join actual_dates
        on
            forecasts.project_id = actual_dates.project_id
            and forecasts.cut_date = actual_dates.cut_date
            and forecasts.question = 'when'
    left join actual_counts
        on
            forecasts.project_id = actual_counts.project_id
            and forecasts.cut_date = actual_counts.cut_date
            and forecasts.horizon_week_count = actual_counts.horizon_week_count
            and forecasts.question = 'how_many'

),

final as (

    select
        {{ as_text('project_id') }} || '-' || {{ as_text('cut_date') }}
        || '-' || question || '-p' || {{ as_text('percentile') }}
        || case
            when question = 'how_many'
                then '-' || {{ as_text('horizon_week_count') }} || 'w'
            else ''
        end as forecast_key,
        project_id,
        question,
        gap_reason,
        percentile,
        cast({{ var('forecast_seed') }} as bigint) as forecast_seed,
        trial_count,
        sampled_week_count,
        sampled_story_count,
        queued_story_count,
        horizon_week_count,
        forecast_week_count,
        forecast_story_count,
        actual_story_count,
        is_decided,
        case
            when is_decided and question = 'when'
                then coalesce(actual_date <= forecast_date, false)
            when is_decided
                then actual_story_count >= forecast_story_count
        end as is_held,
        cut_date,
        window_from_date,
        window_to_date,
        horizon_date,
        forecast_date,
        actual_date
    from with_outcomes

)

select * from final
