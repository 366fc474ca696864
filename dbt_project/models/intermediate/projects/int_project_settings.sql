with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

-- What a project of an archive does not say is as Tracker sets up a new project, but
-- for its initial velocity: that would be a figure which nobody measured.
final as (

    select
        projects.project_id,
        coalesce(projects.time_zone, 'UTC') as time_zone,
        coalesce(projects.week_start_day, 'Monday') as week_start_day,
        coalesce(projects.iteration_length_weeks, 1) as iteration_length_weeks,
        coalesce(projects.velocity_averaged_over, 3) as velocity_averaged_over,
        projects.initial_velocity,
        projects_as_of.as_of
    from projects
    inner join projects_as_of
        on projects.project_id = projects_as_of.project_id

)

select * from final
