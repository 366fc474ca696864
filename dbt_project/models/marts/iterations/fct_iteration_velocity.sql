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
        velocities.velocity_source,
        velocities.planned_velocity,
        velocities.velocity_volatility,
        {% for measure in ['committed', 'carried_in', 'added', 'removed', 'spilled'] %}
        case when scopes.is_scope_known then scopes.{{ measure }}_story_count end
            as {{ measure }}_story_count,
        case when scopes.is_scope_known then scopes.{{ measure }}_points end
            as {{ measure }}_points,
        {% endfor %}
        scopes.committed_points_accepted,
        case
            when iterations.is_done and scopes.is_scope_known
                then scopes.accepted_points_as_closed
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
        velocity_source,
        planned_velocity,
        velocity_volatility,
        history_known_story_count,
        rejectable_story_count,
        history_known_rejectable_story_count,
        rejected_story_count,
        {{ as_double('rejected_story_count') }}
        / nullif(history_known_rejectable_story_count, 0) as rejection_rate,
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
