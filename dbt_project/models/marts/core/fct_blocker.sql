with

stories as (

    select * from {{ ref('int_stories_living') }}

),

blockers as (

    select * from {{ ref('int_story_parts') }}
    where part_kind = 'blocker'

),

statuses as (

    select * from {{ ref('int_story_children_with_status') }}
    where part_kind = 'blocker'

),

blockers_at_as_of as (

    select
        blockers.part_id as blocker_id,
        blockers.story_id,
        stories.project_id,
        blockers.person_id,
        blockers.part_text as blocker_description,
        coalesce(
            statuses.status_before_next_change = 'true',
            blockers.part_status = 'true',
            false
        ) as is_resolved,
        statuses.last_status,
        statuses.last_changed_at,
        {{ local_date('blockers.created_at', 'stories.time_zone') }} as created_date,
        blockers.created_at,
        blockers.updated_at,
        stories.accepted_at as story_accepted_at,
        stories.as_of
    from blockers
    inner join stories
        on blockers.story_id = stories.story_id
    left join statuses
        on blockers.part_id = statuses.part_id
    where
        (blockers.created_at is null or blockers.created_at <= stories.as_of)
        and (blockers.deleted_at is null or blockers.deleted_at > stories.as_of)

),

with_resolution as (

    select
        *,
        case when is_resolved and last_status = 'true' then last_changed_at end
            as resolved_at
    from blockers_at_as_of

),

-- Nobody waits for a blocker of an accepted story, resolved or not.
with_end as (

    select
        *,
        case
            when is_resolved then resolved_at
            when created_at > story_accepted_at then created_at
            else story_accepted_at
        end as unblocked_at
    from with_resolution

),

final as (

    select
        blocker_id,
        story_id,
        project_id,
        person_id,
        {{ free_text('blocker_description') }} as blocker_description,
        case
            when is_resolved then {{ seconds_between('created_at', 'resolved_at') }}
            else {{ seconds_between('created_at', 'coalesce(unblocked_at, as_of)') }}
        end as blocked_seconds,
        is_resolved,
        created_date,
        created_at,
        resolved_at,
        unblocked_at,
        updated_at
    from with_end

)

select * from final
