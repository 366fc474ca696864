with

source as (

    select * from {{ source('pivotal_tracker', 'rejected_rows') }}

),

renamed as (

    select
        -- ids
        rejection_id,

        -- text
        file as file_path,
        column_name,
        value as rejected_value,
        reason,

        -- numbers
        line as line_number,

        -- instants
        as_of,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
