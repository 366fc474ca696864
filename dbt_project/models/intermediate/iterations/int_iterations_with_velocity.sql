-- A table: otherwise every model that counts scope or plans would compute velocities.
{{ config(materialized='table') }}

with

iterations as (

    select * from {{ ref('int_iterations_with_stories') }}

),

settings as (

    select * from {{ ref('int_projects') }}

),

project_versions as (

    select * from {{ ref('int_project_versions') }}

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

-- An iteration of strength 0 counts among the last N, but is in no sum.
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
        -- Limited to nine decimal places first, so that a double of 9.999999999999999
        -- gives 10.
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
with_plans as (

    select
        iterations.*,
        settings.time_zone,
        settings.iteration_length_weeks as project_length_weeks,
        settings.as_of,
        velocities.velocity_per_week,
        velocities.weekly_points_deviation,
        velocities.velocity,
        velocities.velocity_source,
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

-- An iteration can start before its project was created; the first version applies
-- then. Versions have no gaps or overlaps, so exactly one matches.
final as (

    select
        with_plans.iteration_key,
        with_plans.project_id,
        with_plans.iteration_number,
        with_plans.time_zone,
        with_plans.velocity_per_week,
        with_plans.weekly_points_deviation,
        with_plans.velocity,
        with_plans.velocity_source,
        with_plans.planned_velocity,
        with_plans.planned_velocity * {{ as_double('with_plans.length_weeks') }}
        * {{ as_double('coalesce(with_plans.team_strength, 1)') }}
        / nullif(with_plans.project_length_weeks, 0) as planned_points,
        with_plans.velocity_volatility,
        with_plans.is_done,
        coalesce(project_versions.is_automatic_planning, true) as is_automatic_planning,
        with_plans.starts_at,
        with_plans.finishes_at,
        {{ earliest('with_plans.finishes_at', 'with_plans.as_of') }} as stops_at,
        case
            when with_plans.is_done then with_plans.finishes_at
            else {{ as_instant("'9999-12-31'") }}
        end as counted_until
    from with_plans
    left join project_versions
        on
            with_plans.project_id = project_versions.project_id
            and (
                with_plans.starts_at >= project_versions.valid_from
                or project_versions.version_number = 1
            )
            and (
                with_plans.starts_at < project_versions.valid_to
                or project_versions.is_last
            )

)

select * from final
