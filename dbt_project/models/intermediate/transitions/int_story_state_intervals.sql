with

stories as (

    select * from {{ ref('int_stories') }}

),

transitions as (

    select * from {{ ref('int_story_transitions') }}

),

first_intervals as (

    select * from {{ ref('int_story_first_intervals') }}

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
        transitions.occurred_at as entered_at,
        coalesce(transitions.next_occurred_at, stories.deleted_at, stories.as_of)
            as left_at
    from transitions
    inner join stories
        on transitions.story_id = stories.story_id

    union all

    -- Nobody recorded the entry into it: it is no visit.
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
        entered_at,
        left_at
    from first_intervals

),

final as (

    select
        *,
        {{ seconds_between('entered_at', 'left_at') }} as interval_seconds
    from unioned

)

select * from final
