with

source as (

    {{ raw_rows('story_transitions') }}

),

renamed as (

    select
        -- ids
        story_id,
        project_id,
        performed_by_id,

        -- text
        state as to_state,

        -- numbers
        project_version,
        confidence,

        -- booleans
        coalesce(is_date_only, false) as is_date_only,

        -- instants
        occurred_at,

        -- row
        source_file,
        source_line,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
