with

iterations as (

    select * from {{ ref('int_iterations_with_stories') }}

),

settings as (

    select * from {{ ref('int_project_settings') }}

),

done_iterations as (

    select
        iterations.*,
        settings.velocity_averaged_over,
        settings.initial_velocity,
        settings.iteration_length_weeks as project_length_weeks,
        row_number() over (
            partition by iterations.project_id
            order by iterations.iteration_number
        ) as done_number
    from iterations
    inner join settings
        on iterations.project_id = settings.project_id
    where iterations.is_done

),

-- An iteration of strength 0 holds its place among the last N, but counts in no sum.
averaged_iterations as (

    select
        project_id,
        done_number,
        length_weeks,
        {{ as_double('accepted_points') }}
        / {{ as_double('coalesce(team_strength, 1)') }} as full_strength_points
    from done_iterations
    where coalesce(team_strength, 1) != 0

),

-- One row per iteration and each of its last N done ones (N is 1 to 4).
windowed as (

    select
        done_iterations.iteration_key,
        sum(averaged_iterations.full_strength_points)
        / nullif(sum(averaged_iterations.length_weeks), 0) as velocity_per_week,
        count(averaged_iterations.done_number) as averaged_iteration_count,
        stddev_pop(
            averaged_iterations.full_strength_points
            / nullif(averaged_iterations.length_weeks, 0)
        ) as weekly_points_deviation,
        avg(
            averaged_iterations.full_strength_points
            / nullif(averaged_iterations.length_weeks, 0)
        ) as weekly_points_mean
    from done_iterations
    left join averaged_iterations
        on
            done_iterations.project_id = averaged_iterations.project_id
            and done_iterations.done_number >= averaged_iterations.done_number
            and done_iterations.done_number - done_iterations.velocity_averaged_over
            < averaged_iterations.done_number
    group by done_iterations.iteration_key

),

velocities as (

    select
        done_iterations.iteration_key,
        windowed.velocity_per_week,
        windowed.weekly_points_deviation,
        -- Cut to nine places first, so that 9.999999999999999 of a double is 10.
        case
            when coalesce(windowed.velocity_per_week, 0) = 0
                then done_iterations.initial_velocity
            else cast(floor(cast(
                windowed.velocity_per_week * done_iterations.project_length_weeks
                as {{ engine_type('decimal(28, 9)') }}
            )) as bigint)
        end as velocity,
        case
            when windowed.velocity_per_week > 0 then 'computed'
            when done_iterations.initial_velocity is not null then 'initial'
        end as velocity_source,
        case
            when windowed.averaged_iteration_count >= 2
                then
                    windowed.weekly_points_deviation
                    / nullif(windowed.weekly_points_mean, 0)
        end as velocity_volatility
    from done_iterations
    inner join windowed
        on done_iterations.iteration_key = windowed.iteration_key

),

-- An iteration is planned with the velocity of the one before it.
final as (

    select
        iterations.iteration_key,
        velocities.velocity_per_week,
        velocities.weekly_points_deviation,
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
