-- Which took longest, and in which state?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    story_name,
    cycle_time_seconds / 86400.0 as cycle_time_days,
    started_seconds / 86400.0 as started_days,
    delivered_seconds / 86400.0 as delivered_days,
    rejected_count
from {{ ref('rpt_cycle_time') }}
where cycle_time_seconds is not null
order by cycle_time_seconds desc
limit 20
