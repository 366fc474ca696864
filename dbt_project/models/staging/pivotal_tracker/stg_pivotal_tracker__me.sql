with

source as (

    select * from {{ source('pivotal_tracker', 'me') }}

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
        {{ json_text('time_zone', 'olson_name') }} as time_zone,

        -- lists
        projects,
        accounts,

        -- booleans
        has_google_identity,
        receives_in_app_notifications,

        -- instants
        created_at,
        updated_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
