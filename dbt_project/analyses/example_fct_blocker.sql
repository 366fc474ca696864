-- What blocks us, and for how long?
select
    stories.story_name,
    stories.current_state,
    blockers.blocker_description,
    blockers.is_resolved,
    blockers.blocked_seconds / 86400.0 as blocked_days,
    blockers.created_at
from {{ ref('fct_blocker') }} as blockers
inner join {{ ref('dim_story') }} as stories
    on blockers.story_id = stories.story_id
where not stories.is_deleted
order by
    blockers.is_resolved asc,
    blockers.blocked_seconds desc
limit 20
