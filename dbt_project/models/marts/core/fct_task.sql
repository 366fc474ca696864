with

tasks as (

    select * from {{ ref('int_story_parts') }}
    where
        part_kind = 'task'
        and is_current

),

final as (

    select
        part_id as task_id,
        story_id,
        project_id,
        {{ free_text('part_text') }} as task_description,
        part_position as task_position,
        coalesce(part_status = 'true', false) as is_complete,
        created_date,
        created_at,
        case when part_status = 'true' then status_changed_at end as completed_at,
        updated_at
    from tasks

)

select * from final
