with

source as (

    select * from {{ source('pivotal_tracker', 'attachments') }}

),

renamed as (

    select
        -- ids
        attachment_id,
        project_id,
        story_id,
        comment_id,

        -- text
        file_name,
        path as path_in_archive,
        content_type,
        sha256,

        -- numbers
        bytes as size_bytes,

        -- instants
        created_at,

        -- row
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
