with

iterations as (

    select * from {{ ref('stg_pivotal_tracker__iterations') }}

),

our_iterations as (

    select * from {{ ref('fct_iteration_velocity') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

planned_points as (

    select * from {{ ref('int_iterations_with_planned_points') }}

),

tracker_medians as (

    select * from {{ ref('int_iterations_with_tracker_medians') }}

),

-- A done iteration holds what was accepted in it, a later one what is planned.
final as (

    select
        iterations.project_id,
        cast(null as bigint) as entity_id,
        iterations.iteration_key as entity_key,
        iterations.load_id,
        iterations.record_source,
        {{ as_instant('null') }} as stated_at,
        iterations.tracker_velocity,
        iterations.tracker_points,
        iterations.tracker_accepted_points,
        iterations.tracker_effective_points,
        iterations.tracker_analytics,
        iterations.length_weeks,
        iterations.team_strength,
        project_settings.iteration_length_weeks,
        coalesce(our_iterations.planned_velocity, planned_points.current_velocity)
            as planned_velocity,
        case
            when our_iterations.is_done then our_iterations.accepted_points
            else planned_points.planned_points
        end as points,
        coalesce(our_iterations.accepted_points, 0) as accepted_points,
        our_iterations.accepted_story_count,
        our_iterations.bug_created_count,
        our_iterations.median_cycle_time_seconds,
        our_iterations.median_cycle_time_seconds
        - tracker_medians.median_cycle_time_seconds as median_explained_seconds,
        case
            when tracker_medians.created_in_progress_count > 0
                then 'some were created in progress: Tracker leaves that stay out'
        end as median_explanation,
        case
            when
                our_iterations.is_done
                and iterations.tracker_points != iterations.tracker_accepted_points
                then 'Tracker gave it before the iteration was done'
        end as points_explanation,
        iterations.tracker_accepted_points - iterations.tracker_points
            as points_explained,
        our_iterations.rejection_rate
    from iterations
    left join our_iterations
        on iterations.iteration_key = our_iterations.iteration_key
    left join planned_points
        on iterations.iteration_key = planned_points.iteration_key
    left join tracker_medians
        on iterations.iteration_key = tracker_medians.iteration_key
    left join project_settings
        on iterations.project_id = project_settings.project_id

)

select * from final
