with

estimate_changes as (

    select * from {{ ref('int_story_estimate_changes') }}

),

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

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
