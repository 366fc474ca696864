{{ config(enabled=is_built('history')) }}
with

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

activity_changes as (

    select * from {{ ref('int_activity_changes') }}

),

final as (

    select
        activity_changes.activity_id,
        activity_changes.project_id,
        activity_changes.resource_id,
        activity_changes.change_type,
        activity_changes.resource_kind,
        activity_changes.from_state,
        activity_changes.to_state,
        activity_changes.change_index,
        activity_changes.from_estimate,
        activity_changes.to_estimate,
        activity_changes.is_state_change,
        activity_changes.is_estimate_change,
        activity_changes.occurred_at
    from activity_changes
    inner join projects_as_of
        on activity_changes.project_id = projects_as_of.project_id
    where activity_changes.occurred_at <= projects_as_of.as_of

)

select * from final
