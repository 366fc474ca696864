{{ config(enabled=is_built('reports')) }}
with

progress as (

    select * from {{ ref('fct_release_progress') }}

),

releases as (

    select * from {{ ref('dim_release') }}
    where not is_deleted

),

final as (

    select
        releases.release_id,
        releases.project_id,
        releases.project_name,
        releases.release_name,
        releases.current_state,
        progress.gap_reason,
        progress.story_count,
        progress.accepted_story_count,
        progress.unestimated_story_count,
        progress.queued_story_count,
        progress.total_points,
        progress.accepted_points,
        progress.remaining_points,
        progress.queued_points,
        releases.is_late,
        progress.is_projected_late,
        progress.deadline_date,
        progress.projected_date,
        releases.tracker_projected_completion_at,
        releases.accepted_at
    from releases
    left join progress
        on releases.release_id = progress.release_id

)

select * from final
