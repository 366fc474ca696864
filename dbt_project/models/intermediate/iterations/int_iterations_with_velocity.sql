with

settings as (

    select * from {{ ref('int_project_settings') }}

),

done_iterations as (

    select * from {{ ref('int_iterations_with_stories') }}
    where is_done

),

with_settings as (

    select
        done_iterations.*,
        settings.velocity_averaged_over,
        settings.initial_velocity,
        settings.iteration_length_weeks as project_length_weeks,
        row_number() over (
            partition by done_iterations.project_id
            order by done_iterations.iteration_number
        ) as done_number
    from done_iterations
    inner join settings
        on done_iterations.project_id = settings.project_id

),

-- An iteration of strength 0 holds its place among the last N, but counts in no sum.
averaged_iterations as (

    select
        project_id,
        done_number,
        length_weeks,
        {{ as_double('accepted_points') }}
        / {{ as_double('coalesce(team_strength, 1)') }} as full_strength_points
    from with_settings
    where coalesce(team_strength, 1) != 0

),

-- One row per iteration and each of its last N done ones (N is 1 to 4).
windowed as (

    select
        with_settings.iteration_key,
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
    from with_settings
    left join averaged_iterations
        on
            with_settings.project_id = averaged_iterations.project_id
            and with_settings.done_number >= averaged_iterations.done_number
            and with_settings.done_number - with_settings.velocity_averaged_over
            < averaged_iterations.done_number
    group by with_settings.iteration_key

),

final as (

    select
        with_settings.iteration_key,
        windowed.velocity_per_week,
        windowed.weekly_points_deviation,
        -- Cut to nine places first, so that 9.999999999999999 of a double is 10.
        case
            when coalesce(windowed.velocity_per_week, 0) = 0
                then with_settings.initial_velocity
            else cast(floor(cast(
                windowed.velocity_per_week * with_settings.project_length_weeks
                as {{ engine_type('decimal(28, 9)') }}
            )) as bigint)
        end as velocity,
        case
            when windowed.velocity_per_week > 0 then 'computed'
            when with_settings.initial_velocity is not null then 'initial'
        end as velocity_source,
        case
            when windowed.averaged_iteration_count >= 2
                then
                    windowed.weekly_points_deviation
                    / nullif(windowed.weekly_points_mean, 0)
        end as velocity_volatility
    from with_settings
    inner join windowed
        on with_settings.iteration_key = windowed.iteration_key

)

select * from final
