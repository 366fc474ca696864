with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

-- What a project of an archive does not say is as Tracker sets up a new project.
final as (

    select
        project_id,
        coalesce(time_zone, 'UTC') as time_zone,
        coalesce(week_start_day, 'Monday') as week_start_day,
        coalesce(iteration_length_weeks, 1) as iteration_length_weeks,
        coalesce(velocity_averaged_over, 3) as velocity_averaged_over,
        coalesce(initial_velocity, 10) as initial_velocity
    from projects

)

select * from final
