with

activity_changes as (

    select * from {{ ref('int_activity_changes') }}

),

deletions as (

    select
        resource_id as story_id,
        project_id,
        resource_name as story_name,
        story_type,
        occurred_at as deleted_at,
        row_number() over (
            partition by resource_id
            order by occurred_at, project_version
        ) as deletion_number
    from activity_changes
    where
        resource_kind = 'story'
        and change_type = 'delete'
        and resource_id is not null

),

final as (

    select
        story_id,
        project_id,
        story_name,
        story_type,
        deleted_at
    from deletions
    where deletion_number = 1

)

select * from final
