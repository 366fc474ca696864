-- Which stories were estimated again, and from what to what?
select
    stories.story_name,
    changes.from_estimate,
    changes.to_estimate,
    changes.occurred_at
from {{ ref('fct_activity_change') }} as changes
inner join {{ ref('dim_story') }} as stories
    on changes.resource_id = stories.story_id
where
    changes.resource_kind = 'story'
    and changes.is_estimate_change
    and changes.from_estimate is not null
order by changes.occurred_at desc
