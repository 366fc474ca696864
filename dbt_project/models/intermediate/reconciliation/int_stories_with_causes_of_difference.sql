with

stories as (

    select * from {{ ref('fct_story_cycle_time') }}

),

created_in_progress as (

    select * from {{ ref('int_stories_created_in_progress') }}

),

-- What led into the state that the first known transition leaves was not read.
begun_late as (

    select * from {{ ref('int_story_transitions') }}
    where
        transition_number = 1
        and not is_creation
        and told_from_state in {{ in_progress_states() }}

),

running_intervals as (

    select * from {{ ref('int_story_state_intervals') }}
    where
        is_open
        and not is_inferred
        and story_state in {{ in_progress_states() }}

),

final as (

    select
        stories.story_id,
        created_in_progress.created_state,
        created_in_progress.created_state_seconds,
        running_intervals.story_state as running_state,
        running_intervals.interval_seconds as running_state_seconds,
        case
            when stories.history_coverage != 'complete'
                then 'the history that was read is not complete'
            when begun_late.story_id is not null
                then 'the history that was read begins when work was under way'
        end as missing_history
    from stories
    left join created_in_progress
        on stories.story_id = created_in_progress.story_id
    left join begun_late
        on stories.story_id = begun_late.story_id
    left join running_intervals
        on stories.story_id = running_intervals.story_id

)

select * from final
