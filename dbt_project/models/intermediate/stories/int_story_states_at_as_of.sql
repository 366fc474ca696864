with

transitions as (

    select
        transitions.*,
        transitions.occurred_at <= stories.as_of as is_past
    from {{ ref('int_story_transitions_completed') }} as transitions
    inner join {{ ref('int_stories_last_known') }} as stories
        on transitions.story_id = stories.story_id

),

with_neighbours as (

    select
        *,
        lag(is_past) over (partition by story_id order by transition_number)
            as is_previous_past,
        lead(is_past) over (partition by story_id order by transition_number)
            as is_next_past
    from transitions

),

-- Only of a story that moved on after as_of: its last transition until then tells the
-- state, else what the first one after it left. Any other stands as it was last known.
final as (

    select
        story_id,
        coalesce(
            max(case when is_past then to_state end),
            max(case when not is_past then told_from_state end)
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
