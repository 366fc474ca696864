-- What came into the iteration late, and what was left over?
{{ config(enabled=is_built('iterations')) }}
select
    scope.iteration_key,
    stories.story_name,
    scope.points_at_entry,
    scope.exit_kind,
    scope.entered_at
from {{ ref('fct_iteration_scope') }} as scope
inner join {{ ref('dim_story') }} as stories
    on scope.story_id = stories.story_id
inner join {{ ref('dim_iteration') }} as iterations
    on scope.iteration_key = iterations.iteration_key
inner join {{ ref('dim_project') }} as projects
    on iterations.project_id = projects.project_id
where
    scope.entry_kind = 'added'
    and iterations.iteration_number = projects.current_iteration_number - 1
order by
    scope.iteration_key,
    scope.entered_at
