with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

epics as (

    select * from {{ ref('stg_pivotal_tracker__epics') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

final as (

    select
        epics.epic_id,
        epics.project_id,
        epics.label_id,
        epics.epic_name,
        epics.label_name,
        epics.url,
        project_settings.time_zone,
        epics.created_at,
        epics.updated_at,
        projects_as_of.as_of
    from epics
    inner join projects_as_of
        on epics.project_id = projects_as_of.project_id
    left join project_settings
        on epics.project_id = project_settings.project_id
    where
        epics.created_at is null
        or epics.created_at <= projects_as_of.as_of

)

select * from final
