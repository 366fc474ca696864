with

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        not is_deleted
        and current_state in {{ in_progress_states() }}

),

time_in_states as (

    select * from {{ ref('int_stories_with_time_in_states') }}

),

open_intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where
        is_open
        and not is_inferred

),

with_clocks as (

    select
        stories.story_id,
        stories.project_id,
        stories.story_type,
        stories.current_state,
        stories.estimate,
        stories.cycle_time_seconds as age_seconds,
        stories.rejected_count,
        open_intervals.interval_seconds as state_age_seconds,
        time_in_states.first_in_progress_at,
        open_intervals.entered_at as state_entered_at,
        {{ local_date(
            'time_in_states.first_in_progress_at', 'project_settings.time_zone'
        ) }} as first_in_progress_date,
        {{ local_date('project_settings.as_of', 'project_settings.time_zone') }}
            as as_of_date
    from stories
    inner join project_settings
        on stories.project_id = project_settings.project_id
    left join time_in_states
        on stories.story_id = time_in_states.story_id
    -- A history with a hole may end in another state than the current one.
    left join open_intervals
        on
            stories.story_id = open_intervals.story_id
            and stories.current_state = open_intervals.story_state

),

final as (

    select
        *,
        {{ days_between('first_in_progress_date', 'as_of_date') }} + 1 as age_days
    from with_clocks

)

select * from final
