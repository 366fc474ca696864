-- A table: nearly every mart reads it. MEASURED_HERE
{{ config(materialized='table') }}

with

as_of as (

    select * from {{ ref('int_as_of') }}

),

stories as (

    select * from {{ ref('int_stories_last_known') }}

),

transitions as (

    select * from {{ ref('int_story_transitions_completed') }}

),

transitions_around_as_of as (

    select
        transitions.*,
        transitions.occurred_at <= as_of.as_of as is_past,
        lead(transitions.occurred_at <= as_of.as_of) over (
            partition by transitions.story_id
            order by transitions.transition_number
        ) as is_next_past,
        lag(transitions.occurred_at <= as_of.as_of) over (
            partition by transitions.story_id
            order by transitions.transition_number
        ) as is_previous_past
    from transitions
    cross join as_of

),

-- Only of a story that moved on after as_of: its last transition until then tells the state, else
-- what the first one after it left. Any other story stands as it was last known.
states_at_as_of as (

    select
        story_id,
        coalesce(
            max(to_state) filter (where is_past),
            max(told_from_state) filter (where not is_past)
        ) as current_state,
        max(coalesce(accepted_at, occurred_at))
            filter (where is_past and to_state = 'accepted') as accepted_at
    from transitions_around_as_of
    where
        (is_past and not is_next_past)
        or (not is_past and coalesce(is_previous_past, true))
    group by story_id

),

final as (

    select
        stories.story_id,
        stories.project_id,
        stories.requested_by_id,
        stories.owned_by_id,
        stories.external_id,
        stories.story_name,
        stories.story_description,
        stories.story_type,
        stories.story_priority,
        case
            when states_at_as_of.story_id is null then stories.current_state
            else states_at_as_of.current_state
        end as current_state,
        stories.url,
        case when stories.deleted_at <= as_of.as_of then stories.delete_evidence end
            as delete_evidence,
        stories.record_source,
        stories.estimate,
        coalesce(stories.deleted_at <= as_of.as_of, false) as is_deleted,
        stories.deadline_at,
        case
            when states_at_as_of.story_id is not null
                then states_at_as_of.accepted_at
            when stories.current_state = 'accepted' then stories.accepted_at
        end as accepted_at,
        stories.created_at,
        stories.updated_at,
        case when stories.deleted_at <= as_of.as_of then stories.deleted_at end
            as deleted_at
    from stories
    cross join as_of
    left join states_at_as_of
        on stories.story_id = states_at_as_of.story_id
    where
        stories.created_at is null
        or stories.created_at <= as_of.as_of

)

select * from final
