{{ config(enabled=is_built('plans')) }}
with

stories as (

    select * from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'

),

state_intervals as (

    select * from {{ ref('int_story_state_intervals') }}
    where story_state in ('accepted', 'unscheduled')

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

intervals as (

    select
        stories.story_id,
        stories.project_id,
        state_intervals.story_state,
        project_settings.time_zone,
        project_settings.week_start_day,
        state_intervals.counted_from as entered_at,
        case when not state_intervals.is_open then state_intervals.counted_until end
            as left_at
    from state_intervals
    inner join stories
        on state_intervals.story_id = stories.story_id
    inner join project_settings
        on stories.project_id = project_settings.project_id

),

with_dates as (

    select
        story_id,
        project_id,
        story_state,
        week_start_day,
        {{ local_date('entered_at', 'time_zone') }} as entered_date,
        {{ local_date('left_at', 'time_zone') }} as left_date
    from intervals

),

final as (

    select
        story_id,
        project_id,
        story_state,
        entered_date,
        left_date,
        {{ week_start('entered_date', 'week_start_day') }} as week_start_date
    from with_dates
    -- Left on the day of its entry: it was there at the end of no day.
    where left_date is null or entered_date < left_date

)

select * from final
