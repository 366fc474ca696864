with

transitions as (

    select * from {{ ref('int_story_transitions') }}
    where is_creation and to_state in {{ in_progress_states() }}

),

intervals as (

    select * from {{ ref('int_story_state_intervals') }}

),

-- The first stay of a story that was created at work: Tracker keeps no transition of
-- it, so that its own cycle times leave it out.
final as (

    select
        transitions.story_id,
        transitions.to_state as created_state,
        intervals.interval_seconds as created_state_seconds
    from transitions
    inner join intervals
        on
            transitions.story_id = intervals.story_id
            and transitions.transition_number = intervals.interval_number

)

select * from final
