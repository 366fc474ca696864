-- Who owns what?
select
    people.person_name,
    count(*) as story_count,
    sum(stories.estimate) as points
from {{ ref('bridge_story_owner') }} as owners
inner join {{ ref('dim_person') }} as people
    on owners.person_id = people.person_id
inner join {{ ref('dim_story') }} as stories
    on owners.story_id = stories.story_id
where
    stories.is_in_progress
    and not stories.is_deleted
group by people.person_name
order by story_count desc, people.person_name asc
