{{ config(enabled=is_built('rework')) }}
with

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

activity_changes as (

    select * from {{ ref('int_activity_changes') }}

),

-- A creation sets the first estimate; it changes none.
estimate_changes as (

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
    from activity_changes as changes
    inner join stories
        on changes.resource_id = stories.story_id
    where
        changes.resource_kind = 'story'
        and changes.change_type = 'update'
        and changes.is_estimate_change
        and {{ differ('changes.from_estimate', 'changes.to_estimate') }}
        and changes.occurred_at <= stories.as_of
        and (stories.deleted_at is null or changes.occurred_at <= stories.deleted_at)

),

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

-- One command may estimate a story and start it: what it set itself is not before it.
earlier_transitions as (

    select
        estimate_changes.estimate_change_key,
        max(transitions.transition_number) as last_transition_number,
        max(
            case
                when transitions.to_state in {{ in_progress_states() }} then 1
                when transitions.to_state = 'accepted' then 1
                else 0
            end
        ) as start_count
    from estimate_changes
    inner join transitions
        on
            estimate_changes.story_id = transitions.story_id
            and estimate_changes.occurred_at >= transitions.occurred_at
    where
        estimate_changes.occurred_at > transitions.occurred_at
        or (
            estimate_changes.occurred_in_project_id = transitions.occurred_in_project_id
            and estimate_changes.project_version > transitions.project_version
        )
    group by estimate_changes.estimate_change_key

),

final as (

    select
        estimate_changes.estimate_change_key,
        estimate_changes.activity_id,
        estimate_changes.story_id,
        estimate_changes.project_id,
        estimate_changes.performed_by_id,
        estimate_changes.story_type,
        transitions.to_state as story_state,
        case
            when transitions.to_state = 'accepted' then 'after_accept'
            when earlier_transitions.start_count = 1 then 'after_start'
            else 'before_start'
        end as phase,
        estimate_changes.from_estimate,
        estimate_changes.to_estimate,
        {{ as_decimal(
            'estimate_changes.to_estimate - estimate_changes.from_estimate'
        ) }} as points_added,
        estimate_changes.is_deleted,
        {{ local_date('estimate_changes.occurred_at', 'project_settings.time_zone') }}
            as occurred_date,
        estimate_changes.occurred_at
    from estimate_changes
    inner join project_settings
        on estimate_changes.project_id = project_settings.project_id
    left join earlier_transitions
        on
            estimate_changes.estimate_change_key
            = earlier_transitions.estimate_change_key
    left join transitions
        on
            estimate_changes.story_id = transitions.story_id
            and earlier_transitions.last_transition_number
            = transitions.transition_number

)

select * from final
