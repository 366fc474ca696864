{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('notifications') }}

),

renamed as (

    select
        -- ids
        id as notification_id,
        {{ typed_text(json_text('project', 'id'), 'bigint') }} as project_id,
        {{ typed_text(json_text('story', 'id'), 'bigint') }} as story_id,
        {{ typed_text(json_text('epic', 'id'), 'bigint') }} as epic_id,
        comment_id,
        {{ typed_text(json_text('performer', 'id'), 'bigint') }} as performed_by_id,

        -- text
        notification_type,
        action as notification_action,
        message as notification_message,
        context as notification_context,

        -- numbers
        new_attachment_count,

        -- instants
        {{ repaired('created_at', 'instant', repairs) }} as created_at,
        {{ repaired('updated_at', 'instant', repairs) }} as updated_at,
        {{ repaired('read_at', 'instant', repairs) }} as read_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
