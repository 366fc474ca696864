-- Which stories in progress have open tasks?
select
    stories.story_name,
    stories.owner_names,
    count(*) as open_task_count
from {{ ref('fct_task') }} as steps
inner join {{ ref('dim_story') }} as stories
    on steps.story_id = stories.story_id
where
    not steps.is_complete
    and stories.is_in_progress
group by
    stories.story_id,
    stories.story_name,
    stories.owner_names
order by open_task_count desc
