with

source as (

    select * from {{ source('pivotal_tracker', 'notifications') }}

),

renamed as (

    select
        -- ids
        id as notification_id,
        cast({{ json_text('project', 'id') }} as bigint) as project_id,
        cast({{ json_text('story', 'id') }} as bigint) as story_id,
        cast({{ json_text('epic', 'id') }} as bigint) as epic_id,
        comment_id,
        cast({{ json_text('performer', 'id') }} as bigint) as performed_by_id,

        -- text
        notification_type,
        action as notification_action,
        message as notification_message,
        context as notification_context,

        -- numbers
        new_attachment_count,

        -- instants
        created_at,
        updated_at,
        read_at,

        -- row
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

)

select * from renamed
