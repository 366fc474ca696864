-- Is our velocity steady enough to promise a date?
{{ config(enabled=is_built('iterations')) }}
select
    projects.project_name,
    velocities.iteration_number,
    velocities.accepted_points,
    velocities.velocity,
    velocities.velocity_volatility,
    velocities.say_do_ratio
from {{ ref('fct_iteration_velocity') }} as velocities
inner join {{ ref('dim_project') }} as projects
    on velocities.project_id = projects.project_id
where velocities.iteration_number = projects.current_iteration_number - 1
order by velocities.velocity_volatility asc nulls last, projects.project_name asc
