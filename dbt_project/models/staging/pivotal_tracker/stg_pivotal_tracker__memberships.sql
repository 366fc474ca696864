{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('memberships') }}

),

renamed as (

    select
        -- ids
        id as membership_id,
        project_id,
        person_id,

        -- text
        role as membership_role,
        project_color,

        -- booleans
        favorite as is_favorite,
        wants_comment_notification_emails,
        will_receive_mention_notifications_or_emails,

        -- instants
        {{ repaired('last_viewed_at', 'instant', repairs) }} as last_viewed_at,
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
