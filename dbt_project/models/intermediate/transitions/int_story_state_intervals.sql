with

stories as (

    select * from {{ ref('int_stories') }}

),

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

first_transitions as (

    select * from transitions
    where transition_number = 1

),

-- Its creation gives a story's initial state; else the first known transition does, by
-- the state that it left; without any transition it is the current one. Else nothing is
-- assumed.
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
            else first_transitions.recorded_from_state
        end as story_state,
        first_transitions.to_state as next_state,
        first_transitions.story_id is null and not stories.is_deleted as is_open,
        stories.created_at as entered_at,
        coalesce(first_transitions.occurred_at, stories.deleted_at, stories.as_of)
            as left_at
    from stories
    left join first_transitions
        on stories.story_id = first_transitions.story_id
    where stories.is_history_known

),

first_intervals as (

    select * from with_initial_states
    where
        story_state is not null
        and entered_at < left_at

),

unioned as (

    select
        transitions.story_id,
        transitions.project_id,
        transitions.to_state as story_state,
        transitions.next_state,
        transitions.record_source,
        transitions.transition_number as interval_number,
        cast(
            row_number() over (
                partition by transitions.story_id, transitions.to_state
                order by transitions.transition_number
            ) as bigint
        ) as visit_number,
        transitions.next_occurred_at is null and not stories.is_deleted as is_open,
        false as is_inferred,
        transitions.accepted_at,
        transitions.occurred_at as entered_at,
        coalesce(transitions.next_occurred_at, stories.deleted_at, stories.as_of)
            as left_at
    from transitions
    inner join stories
        on transitions.story_id = stories.story_id

    union all

    -- Its entry was not recorded, so it has no visit number.
    select
        story_id,
        project_id,
        story_state,
        next_state,
        'inferred' as record_source,
        0 as interval_number,
        null as visit_number,
        is_open,
        true as is_inferred,
        null as accepted_at,
        entered_at,
        left_at
    from first_intervals

),

-- Marts that count by days put an acceptance at Tracker's accepted_at. That may be a
-- second away from the transition, or days if somebody changed it: no earlier interval
-- reaches beyond it.
with_counted_from as (

    select
        *,
        min(coalesce(accepted_at, entered_at)) over (
            partition by story_id
            order by interval_number
            rows between current row and unbounded following
        ) as counted_from
    from unioned

),

final as (

    select
        *,
        coalesce(
            lead(counted_from) over (partition by story_id order by interval_number),
            left_at
        ) as counted_until,
        {{ seconds_between('entered_at', 'left_at') }} as interval_seconds
    from with_counted_from

)

select * from final
