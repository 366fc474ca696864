with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

-- Comments, tasks, blockers and reviews of a deleted story went with it.
final as (

    select
        stories.story_id,
        stories.project_id,
        project_settings.time_zone,
        stories.accepted_at,
        stories.as_of
    from stories
    left join project_settings
        on stories.project_id = project_settings.project_id

)

select * from final
