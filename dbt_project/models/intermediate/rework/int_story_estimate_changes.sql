with

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

-- A creation sets the first value; it changes none.
final as (

    select
        changes.activity_id || '-' || changes.change_index as estimate_change_key,
        changes.activity_id,
        changes.resource_id as story_id,
        stories.project_id,
        changes.project_id as occurred_in_project_id,
        changes.performed_by_id,
        stories.story_type,
        changes.project_version,
        changes.from_estimate,
        changes.to_estimate,
        stories.is_deleted,
        changes.occurred_at
    from {{ ref('int_activity_changes') }} as changes
    inner join stories
        on changes.resource_id = stories.story_id
    where
        changes.resource_kind = 'story'
        and changes.change_type = 'update'
        and changes.is_estimate_change
        and {{ differ('changes.from_estimate', 'changes.to_estimate') }}
        and changes.occurred_at <= stories.as_of
        and (stories.deleted_at is null or changes.occurred_at <= stories.deleted_at)

)

select * from final
