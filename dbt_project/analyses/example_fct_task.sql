-- Which started stories have open tasks?
select
    stories.story_name,
    stories.current_state,
    stories.owner_names,
    story_tasks.task_description
from {{ ref('fct_task') }} as story_tasks
inner join {{ ref('dim_story') }} as stories
    on story_tasks.story_id = stories.story_id
where
    stories.is_in_progress
    and not stories.is_deleted
    and not story_tasks.is_complete
order by stories.story_id, story_tasks.task_position
