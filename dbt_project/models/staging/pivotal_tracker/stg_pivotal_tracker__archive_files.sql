with

source as (

    select * from {{ source('pivotal_tracker', 'archive_files') }}

),

renamed as (

    select
        -- ids
        file as file_path,
        project_id,

        -- text
        file_kind,
        encoding,

        -- numbers
        rows_count,
        rejected_count,
        bytes as size_bytes,

        -- booleans
        is_whole,

        -- instants
        as_of,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
