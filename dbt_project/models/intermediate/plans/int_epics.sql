with

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
        project_settings.as_of
    from epics
    inner join project_settings
        on epics.project_id = project_settings.project_id
    where
        epics.created_at is null
        or epics.created_at <= project_settings.as_of

)

select * from final
