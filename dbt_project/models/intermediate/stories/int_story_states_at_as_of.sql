with

as_of as (

    select * from {{ ref('int_as_of') }}

),

transitions as (

    select
        transitions.*,
        transitions.occurred_at <= as_of.as_of as is_past
    from {{ ref('int_story_transitions_completed') }} as transitions
    cross join as_of

),

with_neighbours as (

    select
        *,
        lag(is_past) over story_history as is_previous_past,
        lead(is_past) over story_history as is_next_past
    from transitions
    window story_history as (
        partition by story_id
        order by transition_number
    )

),

-- Only of a story that moved on after as_of: its last transition until then tells the
-- state, else what the first one after it left. Any other stands as it was last known.
final as (

    select
        story_id,
        coalesce(
            max(to_state) filter (where is_past),
            max(told_from_state) filter (where not is_past)
        ) as current_state,
        max(case
            when is_past and to_state = 'accepted'
                then coalesce(accepted_at, occurred_at)
        end) as accepted_at
    from with_neighbours
    where
        (is_past and not is_next_past)
        or (not is_past and coalesce(is_previous_past, true))
    group by story_id

)

select * from final
