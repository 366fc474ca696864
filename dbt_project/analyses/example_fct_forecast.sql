-- By when will it be done, with a probability of 85 %?
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
