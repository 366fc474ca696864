-- A table: the models of the scope would each compute the velocities again.
{{ config(materialized='table') }}

with

iterations as (

    select * from {{ ref('int_iterations') }}
    where not is_future

),

velocities as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

settings as (

    select * from {{ ref('int_project_settings') }}

),

versions as (

    select * from {{ ref('int_project_versions') }}

),

-- An iteration can start before its project was created: the first version holds then.
-- Versions tile, so one matches.
final as (

    select
        iterations.iteration_key,
        iterations.project_id,
        settings.time_zone,
        velocities.planned_velocity * {{ as_double('iterations.length_weeks') }}
        * {{ as_double('coalesce(iterations.team_strength, 1)') }}
        / nullif(settings.iteration_length_weeks, 0) as planned_points,
        iterations.is_done,
        coalesce(versions.is_automatic_planning, true) as is_automatic_planning,
        iterations.starts_at,
        iterations.finishes_at,
        {{ earliest('iterations.finishes_at', 'settings.as_of') }} as stops_at
    from iterations
    inner join velocities
        on iterations.iteration_key = velocities.iteration_key
    left join settings
        on iterations.project_id = settings.project_id
    left join versions
        on
            iterations.project_id = versions.project_id
            and (
                iterations.starts_at >= versions.valid_from
                or versions.version_number = 1
            )
            and (iterations.starts_at < versions.valid_to or versions.is_last)

)

select * from final
