with

stories as (

    select * from {{ ref('int_stories_living') }}

),

tasks as (

    select * from {{ ref('int_story_parts') }}
    where part_kind = 'task'

),

statuses as (

    select * from {{ ref('int_story_children_with_status') }}
    where part_kind = 'task'

),

tasks_at_as_of as (

    select
        tasks.part_id as task_id,
        tasks.story_id,
        stories.project_id,
        tasks.part_text as task_description,
        tasks.part_position as task_position,
        coalesce(
            statuses.status_before_next_change = 'true',
            tasks.part_status = 'true',
            false
        ) as is_complete,
        statuses.last_status,
        statuses.last_changed_at,
        {{ local_date('tasks.created_at', 'stories.time_zone') }} as created_date,
        tasks.created_at,
        tasks.updated_at,
        stories.as_of
    from tasks
    inner join stories
        on tasks.story_id = stories.story_id
    left join statuses
        on tasks.part_id = statuses.part_id
    where
        (tasks.created_at is null or tasks.created_at <= stories.as_of)
        and (tasks.deleted_at is null or tasks.deleted_at > stories.as_of)

),

final as (

    select
        task_id,
        story_id,
        project_id,
        {{ free_text('task_description') }} as task_description,
        task_position,
        is_complete,
        created_date,
        created_at,
        case when is_complete and last_status = 'true' then last_changed_at end
            as completed_at,
        updated_at
    from tasks_at_as_of

)

select * from final
