with

stories as (

    select * from {{ ref('int_stories') }}

),

transitions as (

    select * from {{ ref('int_story_transitions_completed') }}

),

final as (

    select
        transitions.story_id,
        stories.project_id,
        transitions.project_id as occurred_in_project_id,
        transitions.performed_by_id,
        transitions.told_from_state,
        lag(transitions.to_state) over (
            partition by transitions.story_id
            order by transitions.transition_number
        ) as previous_state,
        transitions.to_state,
        lead(transitions.to_state) over (
            partition by transitions.story_id
            order by transitions.transition_number
        ) as next_state,
        transitions.record_source,
        transitions.project_version,
        transitions.transition_number,
        transitions.is_creation,
        transitions.accepted_at,
        transitions.occurred_at,
        lead(transitions.occurred_at) over (
            partition by transitions.story_id
            order by transitions.transition_number
        ) as next_occurred_at
    from transitions
    inner join stories
        on transitions.story_id = stories.story_id
    where transitions.occurred_at <= stories.as_of

)

select * from final
