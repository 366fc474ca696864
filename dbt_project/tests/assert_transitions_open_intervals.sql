-- Each transition starts an interval, and each interval that is not inferred has a
-- transition.
with

transitions as (

    select * from {{ ref('fct_story_transition') }}

),

intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where not is_inferred

)

select
    transitions.story_transition_key,
    intervals.story_state_interval_key
from transitions
full outer join intervals
    on
        transitions.story_id = intervals.story_id
        and transitions.occurred_at = intervals.entered_at
        and transitions.to_state = intervals.story_state
        and transitions.transition_number = intervals.interval_number
where
    transitions.story_id is null
    or intervals.story_id is null
