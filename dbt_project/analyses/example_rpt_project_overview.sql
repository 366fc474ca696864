-- How fast is each project, and what is in which state?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    current_velocity,
    velocity_volatility,
    unscheduled_story_count as icebox_count,
    unstarted_story_count + planned_story_count as backlog_count,
    started_story_count + finished_story_count + delivered_story_count
    + rejected_story_count as in_progress_count,
    accepted_story_count,
    p85_lead_time_days
from {{ ref('rpt_project_overview') }}
order by project_name
