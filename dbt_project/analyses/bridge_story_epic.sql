-- How much of each epic is accepted?
select
    epics.epic_name,
    count(*) as story_count,
    count(*) filter (where stories.is_accepted) as accepted_story_count
from {{ ref('bridge_story_epic') }} as pairs
inner join {{ ref('dim_epic') }} as epics
    on pairs.epic_id = epics.epic_id
inner join {{ ref('dim_story') }} as stories
    on pairs.story_id = stories.story_id
where not pairs.is_deleted
group by epics.epic_name
order by story_count desc
