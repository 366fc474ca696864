-- How is each project set up, and how far along is it?
select
    project_name,
    time_zone,
    week_start_day,
    iteration_length_weeks,
    point_scale,
    current_iteration_number,
    current_velocity,
    accepted_story_count * 1.0 / nullif(story_count, 0) as accepted_share
from {{ ref('dim_project') }}
order by project_name
