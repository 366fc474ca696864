-- Within how many days are 85 % of our features done?
{{ config(enabled=is_built('flow')) }}
select
    project_id,
    time_window,
    story_count,
    p85_days
from {{ ref('fct_cycle_time_percentile') }}
where
    measure = 'elapsed_cycle_time'
    and story_type = 'feature'
order by project_id, time_window
