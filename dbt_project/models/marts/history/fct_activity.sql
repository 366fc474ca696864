{{ config(enabled=is_built('history')) }}
with

projects as (

    select * from {{ ref('int_projects') }}

),

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}

),

activity_changes as (

    select * from {{ ref('int_activity_changes') }}

),

changes_by_activity as (

    select
        activity_id,
        count(*) as change_count,
        coalesce(max(cast(is_state_change as integer)), 0) = 1 as is_state_change
    from activity_changes
    group by activity_id

),

final as (

    select
        activities.activity_id,
        activities.project_id,
        activities.performed_by_id,
        activities.primary_resource_id,
        case
            when activities.primary_resource_kind = 'story'
                then activities.primary_resource_id
        end as story_id,
        activities.activity_kind,
        activities.primary_resource_kind,
        activities.highlight,
        activities.record_source,
        activities.project_version,
        coalesce(changes_by_activity.change_count, 0) as change_count,
        activities.confidence,
        coalesce(changes_by_activity.is_state_change, false) as is_state_change,
        activities.is_date_only,
        {{ local_date(
            'activities.occurred_at', 'projects.time_zone'
        ) }} as occurred_date,
        activities.occurred_at
    from activities
    left join changes_by_activity
        on activities.activity_id = changes_by_activity.activity_id
    inner join projects
        on activities.project_id = projects.project_id
    where activities.occurred_at <= projects.as_of

)

select * from final
