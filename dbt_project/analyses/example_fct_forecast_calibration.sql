-- Were 85 % of the 85 % dates met?
{{ config(enabled=is_built('plans')) }}
select
    question,
    horizon_week_count,
    percentile,
    sum(decided_count) as decided_count,
    100.0 * sum(held_count) / nullif(sum(decided_count), 0) as held_percent
from {{ ref('fct_forecast_calibration') }}
group by
    question,
    horizon_week_count,
    percentile
order by
    question,
    horizon_week_count,
    percentile
