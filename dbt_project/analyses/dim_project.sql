-- How is each project set up, and how far is it?
select
    project_name,
    time_zone,
    iteration_length_weeks,
    current_velocity,
    story_count,
    accepted_story_count,
    accepted_points
from {{ ref('dim_project') }}
order by project_name
