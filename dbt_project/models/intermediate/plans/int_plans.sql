with

epics as (

    select * from {{ ref('int_epics') }}

),

releases as (

    select * from {{ ref('int_releases_with_places') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

final as (

    select
        'epic' as target_kind,
        epic_id as target_id,
        project_id,
        {{ as_instant('null') }} as deadline_at
    from epics

    union all

    select
        'release' as target_kind,
        release_id as target_id,
        project_id,
        deadline_at
    from releases

    union all

    select
        'project' as target_kind,
        project_id as target_id,
        project_id,
        {{ as_instant('null') }} as deadline_at
    from project_settings

)

select * from final
