with

source as (

    {{ raw_rows('people') }}

),

renamed as (

    select
        -- ids
        id as person_id,

        -- text
        name as person_name,
        initials,
        username,
        email,

        -- row
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
