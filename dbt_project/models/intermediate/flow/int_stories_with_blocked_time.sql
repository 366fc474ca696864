with

blocked_intervals as (

    select * from {{ ref('int_story_blocked_intervals') }}

),

started_intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where
        story_state = 'started'
        and not is_inferred

),

-- Neither kind of interval blocked_stretches its own kind: no second counts twice.
blocked_stretches as (

    select
        started_intervals.story_id,
        {{ latest('started_intervals.entered_at', 'blocked_intervals.blocked_at') }}
            as began_at,
        {{ earliest('started_intervals.left_at', 'blocked_intervals.unblocked_at') }}
            as ended_at
    from started_intervals
    inner join blocked_intervals
        on
            started_intervals.story_id = blocked_intervals.story_id
            and started_intervals.entered_at < blocked_intervals.unblocked_at
            and started_intervals.left_at > blocked_intervals.blocked_at

),

blocked_time as (

    select
        story_id,
        sum({{ seconds_between('began_at', 'ended_at') }})
            as blocked_seconds
    from blocked_stretches
    group by story_id

),

blockers as (

    select
        story_id,
        count(*) as blocker_count,
        count(case when is_resolved and resolved_at is null then 1 end)
            as undated_blocker_count
    from {{ ref('fct_blocker') }}
    group by story_id

),

final as (

    select
        blockers.story_id,
        blockers.blocker_count,
        blockers.undated_blocker_count,
        cast(coalesce(blocked_time.blocked_seconds, 0) as bigint) as blocked_seconds
    from blockers
    left join blocked_time
        on blockers.story_id = blocked_time.story_id

)

select * from final
