-- Which stories are already older than most finished stories were?
{{ config(enabled=is_built('flow')) }}
select
    project_id,
    story_id,
    story_name,
    current_state,
    owner_names,
    age_days,
    age_percentile,
    is_blocked
from {{ ref('fct_wip_aging') }}
where risk = 'high'
order by age_percentile desc, story_id asc
