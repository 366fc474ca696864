with

iterations as (

    select * from {{ ref('int_iterations_with_stories') }}

),

velocities as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

settings as (

    select * from {{ ref('int_project_settings') }}

),

final as (

    select
        iterations.iteration_key,
        velocities.velocity_per_week,
        velocities.velocity,
        velocities.velocity_source,
        coalesce(
            lag(velocities.velocity) over (
                partition by iterations.project_id
                order by iterations.iteration_number
            ),
            settings.initial_velocity
        ) as planned_velocity,
        velocities.velocity_volatility
    from iterations
    left join velocities
        on iterations.iteration_key = velocities.iteration_key
    left join settings
        on iterations.project_id = settings.project_id

)

select * from final
