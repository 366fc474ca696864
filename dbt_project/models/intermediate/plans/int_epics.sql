with

projects as (

    select * from {{ ref('int_projects') }}

),

epics as (

    select * from {{ ref('stg_pivotal_tracker__epics') }}

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
    where
        epics.created_at is null
        or epics.created_at <= projects.as_of

)

select * from final
