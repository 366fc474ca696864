-- What blocks us, and for how long?
select
    stories.story_name,
    blockers.blocker_description,
    blockers.blocked_seconds / 86400.0 as blocked_days,
    blockers.created_at
from {{ ref('fct_blocker') }} as blockers
inner join {{ ref('dim_story') }} as stories
    on blockers.story_id = stories.story_id
where not blockers.is_resolved
order by blockers.created_at
