-- Who owns what that is in progress?
select
    people.person_name,
    stories.story_name,
    stories.current_state
from {{ ref('bridge_story_owner') }} as pairs
inner join {{ ref('dim_person') }} as people
    on pairs.person_id = people.person_id
inner join {{ ref('dim_story') }} as stories
    on pairs.story_id = stories.story_id
where stories.is_in_progress
order by
    people.person_name,
    stories.story_name
