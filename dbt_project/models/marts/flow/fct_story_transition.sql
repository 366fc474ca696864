with

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

-- The state before, as the activity told it; else the last known one.
with_from_state as (

    select
        *,
        coalesce(told_from_state, previous_state) as from_state
    from transitions

),

ranked as (

    select
        *,
        {{ story_state_rank('from_state') }} as from_rank,
        {{ story_state_rank('to_state') }} as to_rank
    from with_from_state

),

final as (

    select
        -- A story has at most one inferred transition.
        story_id || '-' || case
            when record_source = 'inferred' then 'inferred'
            else occurred_in_project_id || '-' || project_version
        end as story_transition_key,
        story_id,
        project_id,
        occurred_in_project_id,
        performed_by_id,
        from_state,
        to_state,
        case
            when is_creation then 'created'
            when to_rank > from_rank then 'forward'
            when to_rank < from_rank then 'backward'
            when to_rank = from_rank then 'unchanged'
            else 'unknown'
        end as direction,
        record_source,
        project_version,
        transition_number,
        occurred_at
    from ranked

)

select * from final
