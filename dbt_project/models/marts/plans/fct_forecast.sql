{{ config(enabled=is_built('plans')) }}
with

forecasts as (

    select * from {{ ref('int_forecasts') }}
    where not is_backtest

),

final as (

    select
        target_kind || '-' || {{ as_text('target_id') }} || '-' || question
        || '-p' || {{ as_text('percentile') }}
        || case
            when target_kind = 'project' and question = 'how_many'
                then '-' || {{ as_text('horizon_week_count') }} || 'w'
            else ''
        end as forecast_key,
        project_id,
        target_id,
        target_kind,
        question,
        gap_reason,
        percentile,
        sampled_week_count,
        sampled_story_count,
        remaining_story_count,
        queued_story_count,
        horizon_week_count,
        forecast_day_count,
        forecast_story_count,
        in_time_share,
        cut_date,
        window_from_date,
        window_to_date,
        horizon_date,
        forecast_date
    from forecasts

)

select * from final
