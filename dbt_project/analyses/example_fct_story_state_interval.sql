-- Where do stories wait?
{{ config(enabled=is_built('flow')) }}
select
    story_state,
    count(*) as stay_count,
    {{ median('interval_seconds') }} / 3600.0 as median_hours,
    sum(interval_seconds) / 86400.0 as total_days
from {{ ref('fct_story_state_interval') }}
where
    is_in_progress
    and not is_open
group by story_state
order by total_days desc
