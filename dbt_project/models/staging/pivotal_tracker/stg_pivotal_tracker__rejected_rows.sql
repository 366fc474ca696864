{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('rejected_rows') }}

),

renamed as (

    select
        -- ids
        rejection_id,

        -- text
        file as file_path,
        request,
        table_name as raw_table_name,
        column_name,
        value as rejected_value,
        reason,

        -- numbers
        line as line_number,
        record_number,

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
