-- What was planned, and what came of it?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    iteration_number,
    committed_points,
    accepted_points,
    added_story_count,
    removed_story_count,
    rejection_rate
from {{ ref('rpt_iteration') }}
where is_current
order by project_name
