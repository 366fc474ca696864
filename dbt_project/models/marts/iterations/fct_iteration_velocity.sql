with

iterations as (

    select * from {{ ref('int_iterations_with_stories') }}

),

velocities as (

    select * from {{ ref('int_iterations_with_planned_velocity') }}

),

scopes as (

    select * from {{ ref('int_iterations_with_scope') }}

),

with_velocities as (

    select
        iterations.*,
        velocities.velocity_per_week,
        velocities.velocity,
        velocities.planned_velocity,
        velocities.velocity_volatility,
        {% for measure in ['committed', 'carried_in', 'added', 'removed', 'spilled'] %}
        coalesce(scopes.{{ measure }}_story_count, 0) as {{ measure }}_story_count,
        coalesce(scopes.{{ measure }}_points, 0) as {{ measure }}_points,
        {% endfor %}
        coalesce(scopes.committed_points_accepted, 0) as committed_points_accepted,
        case
            when iterations.is_done
                then coalesce(scopes.accepted_points_as_closed, 0)
        end as accepted_points_as_closed
    from iterations
    left join velocities
        on iterations.iteration_key = velocities.iteration_key
    left join scopes
        on iterations.iteration_key = scopes.iteration_key

),

final as (

    select
        iteration_key,
        project_id,
        iteration_number,
        length_weeks,
        {{ as_decimal('team_strength') }} as team_strength,
        {{ as_decimal('accepted_points') }} as accepted_points,
        {{ as_decimal('accepted_points_as_closed') }} as accepted_points_as_closed,
        {{ as_decimal('accepted_points - accepted_points_as_closed') }}
            as restated_points,
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
        p85_cycle_time_seconds,
        {% for measure in ['committed', 'carried_in', 'added', 'removed', 'spilled'] %}
        {{ measure }}_story_count,
        {{ as_decimal(measure ~ '_points') }} as {{ measure }}_points,
        {% endfor %}
        {{ as_double('committed_points_accepted') }} / nullif(committed_points, 0)
            as say_do_ratio,
        is_done,
        is_current,
        starts_at,
        finishes_at
    from with_velocities

)

select * from final
