{{ config(enabled=is_built('flow')) }}
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

blockers as (

    select * from {{ ref('fct_blocker') }}

),

started_intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where
        story_state = 'started'
        and not is_inferred

),

projects as (

    select * from {{ ref('int_projects') }}

),

-- It is not known how long a blocker blocked that was resolved at an unknown instant.
dated_blockers as (

    select
        blockers.story_id,
        blockers.created_at as blocked_at,
        case
            when blockers.is_resolved then blockers.resolved_at
            else coalesce(blockers.unblocked_at, projects.as_of)
        end as unblocked_at
    from blockers
    inner join projects
        on blockers.project_id = projects.project_id

),

with_reach as (

    select
        *,
        max(unblocked_at) over (
            partition by story_id
            order by blocked_at, unblocked_at
            rows between unbounded preceding and 1 preceding
        ) as blocked_until
    from dated_blockers
    where blocked_at < unblocked_at

),

-- A blocker that begins while an earlier one still blocks belongs to the same interval.
numbered as (

    select
        *,
        sum(case when blocked_at <= blocked_until then 0 else 1 end) over (
            partition by story_id
            order by blocked_at, unblocked_at
            rows between unbounded preceding and current row
        ) as interval_number
    from with_reach

),

blocked_intervals as (

    select
        story_id,
        interval_number,
        min(blocked_at) as blocked_at,
        max(unblocked_at) as unblocked_at
    from numbered
    group by
        story_id,
        interval_number

),

-- Neither kind of interval overlaps its own kind: no second counts twice.
blocked_in_started as (

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
        cast(sum({{ seconds_between('began_at', 'ended_at') }}) as bigint)
            as blocked_seconds
    from blocked_in_started
    group by story_id

),

undated_blockers as (

    select
        story_id,
        count(*) as undated_blocker_count
    from blockers
    where
        is_resolved
        and resolved_at is null
    group by story_id

),

-- Without its list of blockers it is not known how long a story was blocked.
with_blocked_time as (

    select
        stories.*,
        known_counts.blocker_count,
        case
            when known_counts.blocker_count is not null
                then coalesce(undated_blockers.undated_blocker_count, 0)
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
    left join undated_blockers
        on stories.story_id = undated_blockers.story_id

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
