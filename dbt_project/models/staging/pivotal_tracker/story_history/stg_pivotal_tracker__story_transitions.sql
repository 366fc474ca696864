with

source as (

    select * from {{ source('pivotal_tracker', 'story_transitions') }}

),

renamed as (

    select
        -- ids
        story_id,
        project_id,
        performed_by_id,

        -- text
        state as to_state,

        -- numbers
        project_version,

        -- instants
        occurred_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
