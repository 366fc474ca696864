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

with_velocities as (

    select
        iterations.*,
        velocities.velocity_per_week,
        velocities.velocity,
        velocities.velocity_volatility,
        coalesce(
            lag(velocities.velocity) over (
                partition by iterations.project_id
                order by iterations.iteration_number
            ),
            settings.initial_velocity
        ) as planned_velocity
    from iterations
    left join velocities
        on iterations.iteration_key = velocities.iteration_key
    left join settings
        on iterations.project_id = settings.project_id

),

final as (

    select
        iteration_key,
        project_id,
        iteration_number,
        length_weeks,
        cast(team_strength as decimal(18, 4)) as team_strength,
        cast(accepted_points as decimal(18, 4)) as accepted_points,
        accepted_story_count,
        accepted_feature_count,
        accepted_bug_count,
        accepted_chore_count,
        velocity_per_week,
        velocity,
        planned_velocity,
        velocity_volatility,
        rejected_story_count,
        {{ as_double('rejected_story_count') }}
        / nullif(accepted_feature_count + accepted_bug_count, 0) as rejection_rate,
        bug_created_count,
        median_cycle_time_seconds,
        is_done,
        is_current,
        starts_at,
        finishes_at
    from with_velocities

)

select * from final
