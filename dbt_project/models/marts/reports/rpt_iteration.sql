{{ config(enabled=is_built('reports')) }}
with

iterations as (

    select * from {{ ref('fct_iteration_velocity') }}

),

dates as (

    select * from {{ ref('dim_iteration') }}

),

final as (

    select
        iterations.iteration_key,
        iterations.project_id,
        dates.project_name,
        iterations.iteration_number,
        iterations.team_strength,
        iterations.planned_velocity,
        iterations.committed_points,
        iterations.accepted_points,
        iterations.accepted_points_as_closed,
        iterations.say_do_ratio,
        iterations.committed_story_count,
        iterations.carried_in_story_count,
        iterations.added_story_count,
        iterations.removed_story_count,
        iterations.spilled_story_count,
        iterations.accepted_story_count,
        iterations.accepted_feature_count,
        iterations.accepted_bug_count,
        iterations.accepted_chore_count,
        iterations.bug_created_count,
        iterations.rejectable_story_count,
        iterations.history_known_rejectable_story_count,
        iterations.rejected_story_count,
        iterations.rejection_rate,
        iterations.median_cycle_time_seconds,
        iterations.p85_cycle_time_seconds,
        iterations.velocity,
        iterations.velocity_source,
        iterations.velocity_volatility,
        iterations.is_done,
        iterations.is_current,
        dates.start_date,
        dates.last_date
    from iterations
    inner join dates
        on iterations.iteration_key = dates.iteration_key

)

select * from final
