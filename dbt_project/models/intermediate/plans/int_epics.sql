with

projects as (

    select * from {{ ref('int_projects') }}

),

epics as (

    select * from {{ ref('stg_pivotal_tracker__epics') }}

),

-- A record can be older than the activity that deletes its epic.
deletions as (

    select
        resource_id as epic_id,
        min(occurred_at) as deleted_at
    from {{ ref('int_activity_changes') }}
    where resource_kind = 'epic' and change_type = 'delete'
    group by resource_id

),

final as (

    select
        epics.epic_id,
        epics.project_id,
        epics.label_id,
        epics.epic_name,
        epics.label_name,
        epics.url,
        projects.time_zone,
        epics.created_at,
        epics.updated_at,
        projects.as_of
    from epics
    inner join projects
        on epics.project_id = projects.project_id
    left join deletions
        on epics.epic_id = deletions.epic_id
    where
        (epics.created_at is null or epics.created_at <= projects.as_of)
        and (deletions.deleted_at is null or deletions.deleted_at > projects.as_of)

)

select * from final
