with

stories as (

    select * from {{ ref('int_stories_living') }}

),

tasks as (

    select * from {{ ref('stg_pivotal_tracker__story_tasks') }}

),

statuses as (

    select * from {{ ref('int_story_children_with_status') }}
    where resource_kind = 'task'

),

tasks_at_as_of as (

    select
        tasks.task_id,
        tasks.story_id,
        stories.project_id,
        tasks.task_description,
        tasks.task_position,
        coalesce(
            statuses.status_before_next_change = 'true', tasks.is_complete, false
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
        on tasks.task_id = statuses.resource_id
    where
        tasks.created_at is null
        or tasks.created_at <= stories.as_of

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
