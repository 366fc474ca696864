-- Which stories were estimated again?
{{ config(enabled=is_built('history')) }}
select
    stories.story_id,
    stories.story_name,
    count(*) as estimate_change_count
from {{ ref('fct_activity_change') }} as changes
inner join {{ ref('dim_story') }} as stories
    on changes.resource_id = stories.story_id
where
    changes.resource_kind = 'story'
    and changes.is_estimate_change
    and changes.from_estimate is not null
group by stories.story_id, stories.story_name
order by estimate_change_count desc, stories.story_id asc
