with

versions as (

    select * from {{ ref('int_story_versions') }}

),

version_names as (

    select * from {{ ref('int_story_versions_with_names') }}

),

final as (

    select
        versions.story_id || '-' || versions.version_number as story_version_key,
        versions.story_id,
        versions.project_id,
        versions.story_name,
        versions.story_type,
        version_names.label_names,
        version_names.epic_names,
        version_names.owner_names,
        versions.version_number,
        versions.estimate,
        versions.is_last as is_current,
        versions.is_inferred,
        versions.valid_from,
        versions.valid_to
    from versions
    left join version_names
        on
            versions.story_id = version_names.story_id
            and versions.version_number = version_names.version_number

)

select * from final
