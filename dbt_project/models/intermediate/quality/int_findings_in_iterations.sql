with

iterations as (

    select
        *,
        lead(iteration_key) over (partition by project_id order by iteration_number)
            as next_iteration_key,
        lead(starts_at) over (partition by project_id order by iteration_number)
            as next_starts_at
    from {{ ref('int_iterations') }}

),

velocities as (

    select * from {{ ref('fct_iteration_velocity') }}

),

final as (

    {{ finding(
        'iteration_gap', 'iterations', 'iteration_key',
        "'next iteration_key ' || next_iteration_key", 'finishes_at < next_starts_at'
    ) }}

    union all

    {{ finding(
        'accepted_without_team', 'velocities', 'iteration_key',
        "'accepted_points ' || accepted_points",
        'team_strength = 0 and accepted_story_count > 0'
    ) }}

    union all

    {{ finding(
        'nothing_accepted', 'velocities', 'iteration_key',
        "'planned_velocity ' || planned_velocity",
        'is_done and team_strength > 0 and accepted_story_count = 0'
    ) }}

)

select * from final
