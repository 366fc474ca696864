{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('extracts') }}

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
        {{ repaired('as_of', 'instant', repairs) }} as as_of,
        started_at,
        ended_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
