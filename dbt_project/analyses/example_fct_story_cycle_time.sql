-- How long do features of three points take?
{{ config(enabled=is_built('flow')) }}
select
    project_id,
    count(*) as story_count,
    {{ median('cycle_time_seconds') }} / 86400.0 as median_days,
    avg(cycle_time_seconds) / 86400.0 as average_days,
    max(cycle_time_seconds) / 86400.0 as longest_days
from {{ ref('fct_story_cycle_time') }}
where
    is_accepted
    and not is_deleted
    and story_type = 'feature'
    and estimate = 3
    and cycle_time_seconds is not null
group by project_id
order by project_id
