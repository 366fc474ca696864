-- A table: cycle times and the mart read it. MEASURED_HERE
{{ config(materialized='table') }}

with

as_of as (

    select * from {{ ref('int_as_of') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

known_intervals as (

    select
        transitions.story_id,
        stories.project_id,
        transitions.to_state as story_state,
        transitions.next_state,
        transitions.record_source,
        transitions.transition_number as interval_number,
        row_number() over (
            partition by transitions.story_id, transitions.to_state
            order by transitions.transition_number
        ) as visit_number,
        transitions.next_occurred_at is null and not stories.is_deleted as is_open,
        false as is_inferred,
        transitions.occurred_at as entered_at,
        coalesce(transitions.next_occurred_at, stories.deleted_at, as_of.as_of)
            as left_at
    from transitions
    inner join stories
        on transitions.story_id = stories.story_id
    cross join as_of

),

first_transitions as (

    select
        story_id,
        case when is_creation then to_state else told_from_state end as initial_state,
        to_state,
        occurred_at
    from transitions
    where transition_number = 1

),

-- From its creation to its first known transition a story stood in its initial state, where that
-- is known. For daily flow only: nobody recorded an entry, so it is no visit and has no number.
inferred_intervals as (

    select
        stories.story_id,
        stories.project_id,
        case
            when first_transitions.story_id is null then stories.current_state
            else first_transitions.initial_state
        end as story_state,
        first_transitions.to_state as next_state,
        'inferred' as record_source,
        cast(0 as bigint) as interval_number,
        cast(null as bigint) as visit_number,
        first_transitions.story_id is null and not stories.is_deleted as is_open,
        true as is_inferred,
        stories.created_at as entered_at,
        coalesce(first_transitions.occurred_at, stories.deleted_at, as_of.as_of)
            as left_at
    from stories
    cross join as_of
    left join first_transitions
        on stories.story_id = first_transitions.story_id

),

unioned as (

    select * from known_intervals

    union all

    select * from inferred_intervals
    where
        story_state is not null
        and entered_at < left_at

),

final as (

    select
        *,
        {{ seconds_between('entered_at', 'left_at') }} as interval_seconds
    from unioned

)

select * from final
