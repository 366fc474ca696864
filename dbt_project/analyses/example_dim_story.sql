-- What is in progress, and whose is it?
select
    project_name,
    current_state,
    owner_names,
    story_name,
    estimate,
    url
from {{ ref('dim_story') }}
where
    is_in_progress
    and not is_deleted
order by project_name, current_state, story_id
