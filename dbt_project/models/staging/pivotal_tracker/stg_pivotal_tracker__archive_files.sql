{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('archive_files') }}

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

        -- lists
        projects_read,

        -- booleans
        is_whole,

        -- instants
        {{ repaired('as_of', 'instant', repairs) }} as as_of,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
