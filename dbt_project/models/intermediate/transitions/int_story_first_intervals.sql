with

stories as (

    select * from {{ ref('int_stories') }}
    where is_history_known

),

first_transitions as (

    select * from {{ ref('int_story_transitions') }}
    where transition_number = 1

),

-- Its creation gives a story's initial state; else the first known transition tells
-- what it left; without any transition it is the current one. Else nothing is assumed.
with_initial_states as (

    select
        stories.story_id,
        stories.project_id,
        case
            when first_transitions.story_id is null then stories.current_state
            when
                first_transitions.is_creation
                and first_transitions.record_source != 'inferred'
                then first_transitions.to_state
            else first_transitions.told_from_state
        end as story_state,
        first_transitions.to_state as next_state,
        first_transitions.story_id is null and not stories.is_deleted as is_open,
        stories.created_at as entered_at,
        coalesce(first_transitions.occurred_at, stories.deleted_at, stories.as_of)
            as left_at
    from stories
    left join first_transitions
        on stories.story_id = first_transitions.story_id

),

final as (

    select * from with_initial_states
    where
        story_state is not null
        and entered_at < left_at

)

select * from final
