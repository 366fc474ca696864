with

iterations as (

    select * from {{ ref('int_iterations') }}

),

velocities as (

    select * from {{ ref('int_iterations_with_velocity') }}

),

current_iterations as (

    select
        project_id,
        max(iteration_number) as current_iteration_number
    from iterations
    where is_current
    group by project_id

),

done_iterations as (

    select
        iterations.project_id,
        iterations.iteration_key,
        velocities.velocity,
        velocities.velocity_source,
        velocities.velocity_per_week,
        velocities.velocity_volatility,
        row_number() over (
            partition by iterations.project_id
            order by iterations.iteration_number desc
        ) as recency
    from iterations
    inner join velocities
        on iterations.iteration_key = velocities.iteration_key
    where iterations.is_done

),

settings as (

    select * from {{ ref('int_projects') }}

),

final as (

    select
        settings.project_id,
        done_iterations.iteration_key as last_done_iteration_key,
        current_iterations.current_iteration_number,
        coalesce(done_iterations.velocity, settings.initial_velocity)
            as current_velocity,
        case
            when done_iterations.velocity is not null
                then done_iterations.velocity_source
            when settings.initial_velocity is not null then 'initial'
        end as velocity_source,
        done_iterations.velocity_per_week as current_velocity_per_week,
        done_iterations.velocity_volatility as current_volatility
    from settings
    left join current_iterations
        on settings.project_id = current_iterations.project_id
    left join done_iterations
        on
            settings.project_id = done_iterations.project_id
            and done_iterations.recency = 1

)

select * from final
