{{ config(enabled=is_built('reports')) }}
with

progress as (

    select * from {{ ref('fct_epic_progress') }}

),

epics as (

    select * from {{ ref('dim_epic') }}

),

final as (

    select
        epics.epic_id,
        epics.project_id,
        epics.project_name,
        epics.epic_name,
        epics.label_name,
        progress.gap_reason,
        progress.story_count,
        progress.accepted_story_count,
        progress.unscheduled_story_count,
        progress.unstarted_story_count,
        progress.in_progress_story_count,
        progress.unestimated_story_count,
        progress.queued_story_count,
        progress.total_points,
        progress.accepted_points,
        progress.remaining_points,
        progress.queued_points,
        epics.is_complete,
        progress.early_projected_date,
        progress.projected_date,
        progress.late_projected_date,
        progress.last_accepted_at
    from epics
    left join progress
        on epics.epic_id = progress.epic_id

)

select * from final
