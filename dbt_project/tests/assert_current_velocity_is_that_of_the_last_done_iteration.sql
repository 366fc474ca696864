with

projects as (

    select * from {{ ref('dim_project') }}

),

last_done_numbers as (

    select
        project_id,
        max(iteration_number) as iteration_number
    from {{ ref('int_iterations') }}
    where is_done
    group by project_id

),

velocities as (

    select * from {{ ref('fct_iteration_velocity') }}

),

settings as (

    select * from {{ ref('int_projects') }}

)

select
    projects.project_id,
    projects.current_velocity,
    velocities.velocity
from projects
inner join settings
    on projects.project_id = settings.project_id
left join last_done_numbers
    on projects.project_id = last_done_numbers.project_id
left join velocities
    on
        last_done_numbers.project_id = velocities.project_id
        and last_done_numbers.iteration_number = velocities.iteration_number
where
    {{ differ(
        'projects.current_velocity',
        'coalesce(velocities.velocity, settings.initial_velocity)'
    ) }}
