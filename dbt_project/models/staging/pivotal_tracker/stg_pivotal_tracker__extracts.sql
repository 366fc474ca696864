with

source as (

    select * from {{ source('pivotal_tracker', 'extracts') }}

),

renamed as (

    select
        -- ids
        extract_id,

        -- text
        source_kind,
        source_name,
        extract_mode,

        -- numbers
        requests_count,
        records_count,

        -- lists
        project_ids,
        records_by_table,
        skipped,

        -- instants
        as_of,
        started_at,
        ended_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
