{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('me') }}

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
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,

        -- row
        {{ repairs_shown(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
