{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('attachments') }}

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
        {{ repaired('created_at', 'instant', repairs) }} as created_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
