with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

stories_by_project as (

    select
        project_id,
        min(created_at) as first_created_at,
        min(case when not is_deleted then accepted_at end) as first_accepted_at
    from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'
    group by project_id

),

-- For some projects, only changes of stories are known.
first_intervals as (

    select
        stories.project_id,
        min(intervals.entered_at) as first_entered_at
    from {{ ref('int_story_state_intervals') }} as intervals
    inner join {{ ref('int_stories') }} as stories
        on intervals.story_id = stories.story_id
    where coalesce(stories.story_type, '') != 'release'
    group by stories.project_id

),

-- If no story of a project has a known history, it is not known what was in progress.
projects_without_history as (

    select project_id
    from {{ ref('int_stories') }}
    where coalesce(story_type, '') != 'release'
    group by project_id
    having count(case when is_history_known then 1 end) = 0

),

-- Tracker moves the start of a project back to its first accepted story. If an archive
-- does not contain it, the project begins with the first known instant.
projects_begun as (

    select
        projects.project_id,
        project_settings.time_zone,
        project_settings.as_of,
        project_settings.week_start_day,
        projects_without_history.project_id is null as has_known_history,
        coalesce(
            case
                when projects.started_at is not null
                    then {{ earliest(
                        'projects.started_at', 'stories_by_project.first_accepted_at'
                    ) }}
                else {{ earliest(
                    'projects.created_at', 'stories_by_project.first_created_at',
                    'stories_by_project.first_accepted_at',
                    'first_intervals.first_entered_at'
                ) }}
            end,
            case
                when stories_by_project.project_id is not null
                    then project_settings.as_of
            end
        ) as first_at
    from projects
    inner join project_settings
        on projects.project_id = project_settings.project_id
    left join stories_by_project
        on projects.project_id = stories_by_project.project_id
    left join first_intervals
        on projects.project_id = first_intervals.project_id
    left join projects_without_history
        on projects.project_id = projects_without_history.project_id

),

bounds as (

    select
        projects_begun.project_id,
        projects_begun.time_zone,
        projects_begun.week_start_day,
        projects_begun.has_known_history,
        projects_begun.as_of,
        {{ local_date('projects_begun.first_at', 'projects_begun.time_zone') }}
            as first_date,
        {{ local_date('projects_begun.as_of', 'projects_begun.time_zone') }}
            as last_date
    from projects_begun
    where projects_begun.first_at <= projects_begun.as_of

),

days as (

    {{ day_series(
        'bounds', 'first_date', 'last_date',
        keep=[
            'project_id', 'time_zone', 'week_start_day', 'has_known_history',
            'last_date', 'as_of'
        ]
    ) }}

),

final as (

    select
        project_id,
        has_known_history,
        calendar_date,
        {{ week_start('calendar_date', 'week_start_day') }} as week_start_date,
        last_date,
        least({{ local_midnight('calendar_date + 1', 'time_zone') }}, as_of) as ends_at
    from days

)

select * from final
