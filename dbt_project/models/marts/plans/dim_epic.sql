{{ config(enabled=is_built('plans')) }}
with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted and coalesce(story_type, '') != 'release'

),

epics as (

    select * from {{ ref('int_epics') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

story_epics as (

    select * from {{ ref('bridge_story_epic') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

stories_by_epic as (

    select
        story_epics.epic_id,
        count(*) as story_count,
        count(case when stories.current_state = 'accepted' then 1 end)
            as accepted_story_count,
        min(case
            when stories.current_state = 'accepted' then 2
            when stories.current_state is null then 1
            else 0
        end) as least_progress
    from story_epics
    inner join stories
        on story_epics.story_id = stories.story_id
    group by story_epics.epic_id

),

final as (

    select
        epics.epic_id,
        epics.project_id,
        epics.label_id,
        projects.project_name,
        epics.epic_name,
        epics.label_name,
        epics.url,
        {{ zero_if_read('stories_by_epic.story_count', 'project_settings') }}
            as story_count,
        {{ zero_if_read('stories_by_epic.accepted_story_count', 'project_settings') }}
            as accepted_story_count,
        case {{ zero_if_read('stories_by_epic.least_progress', 'project_settings') }}
            when 2 then true
            when 0 then false
        end as is_complete,
        epics.created_at,
        epics.updated_at
    from epics
    left join projects
        on epics.project_id = projects.project_id
    left join project_settings
        on epics.project_id = project_settings.project_id
    left join stories_by_epic
        on epics.epic_id = stories_by_epic.epic_id

)

select * from final
