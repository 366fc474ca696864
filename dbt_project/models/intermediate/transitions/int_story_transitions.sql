with

stories as (

    select * from {{ ref('int_stories') }}

),

transitions as (

    select * from {{ ref('int_story_transitions_last_known') }}

),

with_neighbours as (

    select
        transitions.story_id,
        stories.project_id,
        transitions.project_id as occurred_in_project_id,
        transitions.performed_by_id,
        transitions.recorded_from_state,
        coalesce(
            transitions.recorded_from_state,
            lag(transitions.to_state) over (
                partition by transitions.story_id
                order by transitions.transition_number
            )
        ) as from_state,
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

),

final as (

    select
        *,
        -- A story has at most one inferred transition of each kind.
        story_id || '-' || case
            when record_source = 'inferred' and is_creation then 'created'
            when record_source = 'inferred' then 'inferred'
            else occurred_in_project_id || '-' || project_version
        end as story_transition_key
    from with_neighbours

)

select * from final
