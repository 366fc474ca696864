with

source as (

    select * from {{ source('pivotal_tracker', 'labels') }}

),

renamed as (

    select
        -- ids
        id as label_id,
        project_id,

        -- text
        name as label_name,

        -- lists
        counts as tracker_counts,

        -- instants
        created_at,
        updated_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
