-- What is in progress, and whose is it?
select
    project_name,
    story_name,
    current_state,
    estimate,
    owner_names,
    open_blocker_count,
    updated_at
from {{ ref('dim_story') }}
where is_in_progress
order by updated_at
