-- Which forecasts missed, and by how much?
{{ config(enabled=is_built('plans')) }}
select
    project_id,
    cut_date,
    queued_story_count,
    forecast_date,
    actual_date,
    actual_date - forecast_date as late_days
from {{ ref('fct_forecast_backtest') }}
where
    question = 'when'
    and percentile = 85
    and not is_held
order by
    project_id,
    cut_date
