with

stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        cycle_time_seconds is not null
        and not is_deleted

),

blocked_time as (

    select * from {{ ref('int_stories_with_blocked_time') }}

),

with_parts as (

    select
        stories.*,
        coalesce(blocked_time.blocker_count, 0) as blocker_count,
        coalesce(blocked_time.undated_blocker_count, 0) as undated_blocker_count,
        coalesce(blocked_time.blocked_seconds, 0) as blocked_seconds,
        stories.started_seconds - coalesce(blocked_time.blocked_seconds, 0)
            as active_seconds
    from stories
    left join blocked_time
        on stories.story_id = blocked_time.story_id

),

final as (

    select
        story_id,
        project_id,
        iteration_key,
        story_type,
        current_state,
        estimate,
        active_seconds,
        finished_seconds + delivered_seconds + rejected_seconds + blocked_seconds
            as waiting_seconds,
        finished_seconds,
        delivered_seconds,
        rejected_seconds,
        blocked_seconds,
        {{ as_double('active_seconds') }} / nullif(cycle_time_seconds, 0)
            as flow_efficiency,
        blocker_count,
        undated_blocker_count,
        is_accepted,
        accepted_at
    from with_parts

)

select * from final
