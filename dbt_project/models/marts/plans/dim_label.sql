{{ config(enabled=is_built('plans')) }}
with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted and coalesce(story_type, '') != 'release'

),

labels as (

    select * from {{ ref('int_labels') }}
    where is_current

),

story_labels as (

    select * from {{ ref('bridge_story_label') }}

),

-- Where several epics have the label, the first of them; each of them keeps it.
epics_by_label as (

    select
        label_id,
        min(epic_id) as epic_id
    from {{ ref('int_epics') }}
    group by label_id

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

stories_by_label as (

    select
        story_labels.label_id,
        count(*) as story_count,
        count(case when stories.current_state = 'accepted' then 1 end)
            as accepted_story_count
    from story_labels
    inner join stories
        on story_labels.story_id = stories.story_id
    group by story_labels.label_id

),

final as (

    select
        labels.label_id,
        labels.project_id,
        epics_by_label.epic_id,
        projects.project_name,
        labels.label_name,
        {{ zero_if_read('stories_by_label.story_count', 'project_settings') }}
            as story_count,
        {{ zero_if_read('stories_by_label.accepted_story_count', 'project_settings') }}
            as accepted_story_count,
        labels.is_listed,
        labels.created_at,
        labels.updated_at
    from labels
    left join projects
        on labels.project_id = projects.project_id
    left join epics_by_label
        on labels.label_id = epics_by_label.label_id
    left join project_settings
        on labels.project_id = project_settings.project_id
    left join stories_by_label
        on labels.label_id = stories_by_label.label_id

)

select * from final
