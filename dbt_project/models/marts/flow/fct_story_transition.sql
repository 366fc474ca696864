{{ config(enabled=is_built('flow')) }}
with

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

versions as (

    select * from {{ ref('int_story_versions') }}

),

-- Versions have no gaps or overlaps, and the first one also applies before it: exactly
-- one matches.
with_versions as (

    select
        transitions.*,
        versions.story_type as story_type_at_event,
        versions.estimate as estimate_at_event
    from transitions
    left join versions
        on
            transitions.story_id = versions.story_id
            and (
                transitions.occurred_at >= versions.valid_from
                or versions.version_number = 1
            )
            and (transitions.occurred_at < versions.valid_to or versions.is_last)

),

ranked as (

    select
        *,
        {{ story_state_rank('from_state') }} as from_rank,
        {{ story_state_rank('to_state') }} as to_rank
    from with_versions

),

final as (

    select
        story_transition_key,
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
        story_type_at_event,
        record_source,
        project_version,
        transition_number,
        estimate_at_event,
        occurred_at,
        accepted_at
    from ranked

)

select * from final
