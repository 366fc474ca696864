-- Which epics are not complete, and how much is missing?
select
    project_name,
    epic_name,
    story_count - accepted_story_count as open_story_count
from {{ ref('dim_epic') }}
where not is_complete
order by open_story_count desc
