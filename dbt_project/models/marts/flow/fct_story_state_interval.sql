{{ config(enabled=is_built('flow')) }}
with

intervals as (

    select * from {{ ref('int_story_state_intervals') }}

),

final as (

    select
        story_id || '-' || interval_number as story_state_interval_key,
        story_id,
        project_id,
        story_state,
        record_source,
        interval_number,
        visit_number,
        interval_seconds,
        story_state in {{ in_progress_states() }} as is_in_progress,
        is_open,
        is_inferred,
        entered_at,
        left_at
    from intervals

)

select * from final
