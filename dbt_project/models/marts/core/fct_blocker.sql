with

stories as (

    select * from {{ ref('int_stories') }}

),

blockers as (

    select
        *,
        coalesce(part_status = 'true', false) as is_resolved
    from {{ ref('int_story_parts') }}
    where
        part_kind = 'blocker'
        and is_current

),

with_resolution as (

    select
        blockers.*,
        case when blockers.is_resolved then blockers.status_changed_at end
            as resolved_at,
        stories.accepted_at as story_accepted_at,
        stories.as_of
    from blockers
    inner join stories
        on blockers.story_id = stories.story_id

),

-- Blockers of an accepted story do not block, resolved or not.
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
        part_id as blocker_id,
        story_id,
        project_id,
        person_id,
        {{ free_text('part_text') }} as blocker_description,
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
