with

accepted_stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

with_dates as (

    select
        accepted_stories.story_id,
        accepted_stories.project_id,
        accepted_stories.story_type,
        accepted_stories.estimate,
        project_settings.week_start_day,
        {{ local_date('accepted_stories.accepted_at', 'project_settings.time_zone') }}
            as accepted_date
    from accepted_stories
    inner join project_settings
        on accepted_stories.project_id = project_settings.project_id
    where accepted_stories.accepted_at is not null

),

final as (

    select
        story_id,
        project_id,
        coalesce(story_type, 'unknown') as story_type,
        estimate,
        accepted_date,
        {{ week_start('accepted_date', 'week_start_day') }} as week_start_date
    from with_dates

)

select * from final
