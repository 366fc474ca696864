with

source as (

    select * from {{ source('pivotal_tracker', 'memberships') }}

),

renamed as (

    select
        -- ids
        id as membership_id,
        project_id,
        person_id,

        -- text
        role as membership_role,
        {{ json_text('person', 'name') }} as person_name,
        {{ json_text('person', 'initials') }} as initials,
        {{ json_text('person', 'username') }} as username,
        {{ json_text('person', 'email') }} as email,
        project_color,

        -- booleans
        favorite as is_favorite,
        wants_comment_notification_emails,
        will_receive_mention_notifications_or_emails,

        -- instants
        last_viewed_at,
        created_at,
        updated_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
