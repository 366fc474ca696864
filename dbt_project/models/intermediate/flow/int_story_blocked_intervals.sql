with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

-- A blocker resolved at an unknown instant blocked nobody knows how long.
blockers as (

    select
        blockers.story_id,
        blockers.created_at as blocked_at,
        case
            when blockers.is_resolved then blockers.resolved_at
            else coalesce(blockers.unblocked_at, projects_as_of.as_of)
        end as unblocked_at
    from {{ ref('fct_blocker') }} as blockers
    inner join projects_as_of
        on blockers.project_id = projects_as_of.project_id

),

with_reach as (

    select
        *,
        max(unblocked_at) over (
            partition by story_id
            order by blocked_at, unblocked_at
            rows between unbounded preceding and 1 preceding
        ) as blocked_until
    from blockers
    where blocked_at < unblocked_at

),

-- One that begins while an earlier one still blocks belongs to the same interval.
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

final as (

    select
        story_id,
        interval_number,
        min(blocked_at) as blocked_at,
        max(unblocked_at) as unblocked_at
    from numbered
    group by
        story_id,
        interval_number

)

select * from final
