-- Which stories were estimated again after work had begun?
{{ config(enabled=is_built('history') and is_built('flow')) }}
select
    stories.story_id,
    stories.story_name,
    min(versions.estimate) as smallest_estimate,
    max(versions.estimate) as largest_estimate
from {{ ref('dim_story_history') }} as versions
inner join {{ ref('dim_story') }} as stories
    on versions.story_id = stories.story_id
inner join {{ ref('fct_story_cycle_time') }} as cycle_times
    on versions.story_id = cycle_times.story_id
where versions.valid_to > cycle_times.first_started_at
group by
    stories.story_id,
    stories.story_name
having min(versions.estimate) < max(versions.estimate)
order by
    largest_estimate desc,
    stories.story_id asc
