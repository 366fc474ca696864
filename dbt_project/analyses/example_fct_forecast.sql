-- By when are we 85 % sure to be done?
{{ config(enabled=is_built('plans')) }}
select
    target_kind,
    target_id,
    queued_story_count,
    forecast_date,
    in_time_share
from {{ ref('fct_forecast') }}
where
    question = 'when'
    and percentile = 85
    and target_kind != 'project'
order by
    forecast_date,
    target_id
