with

accepted_stories as (

    select * from {{ ref('int_stories') }}
    where
        current_state = 'accepted'
        and not is_deleted
        and coalesce(story_type, '') != 'release'

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

final as (

    select
        accepted_stories.story_id,
        accepted_stories.project_id,
        coalesce(accepted_stories.story_type, 'unknown') as story_type,
        accepted_stories.estimate,
        accepted_stories.accepted_date,
        {{ week_start(
            'accepted_stories.accepted_date', 'project_settings.week_start_day'
        ) }} as week_start_date
    from accepted_stories
    inner join project_settings
        on accepted_stories.project_id = project_settings.project_id
    where accepted_stories.accepted_date is not null

)

select * from final
