with

stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        cycle_time_seconds is not null
        and not is_deleted

),

known_counts as (

    select * from {{ ref('dim_story') }}

),

blocked_time as (

    select * from {{ ref('int_stories_with_blocked_time') }}

),

-- Without its list of blockers nobody knows how long a story was blocked.
with_blocked_time as (

    select
        stories.*,
        known_counts.blocker_count,
        case
            when known_counts.blocker_count is not null
                then coalesce(blocked_time.undated_blocker_count, 0)
        end as undated_blocker_count,
        case
            when known_counts.blocker_count is not null
                then coalesce(blocked_time.blocked_seconds, 0)
        end as blocked_seconds
    from stories
    inner join known_counts
        on stories.story_id = known_counts.story_id
    left join blocked_time
        on stories.story_id = blocked_time.story_id

),

with_parts as (

    select
        *,
        started_seconds - blocked_seconds as active_seconds
    from with_blocked_time

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
