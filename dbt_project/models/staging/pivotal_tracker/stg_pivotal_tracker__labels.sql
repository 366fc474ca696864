{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('labels') }}

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
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
