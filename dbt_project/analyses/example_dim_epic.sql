-- Which epics are open, and how far are they?
{{ config(enabled=is_built('plans')) }}
select
    project_name,
    epic_name,
    story_count,
    accepted_story_count * 1.0 / nullif(story_count, 0) as accepted_share,
    url
from {{ ref('dim_epic') }}
where not is_complete
order by project_name, epic_name
