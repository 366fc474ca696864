with

projects as (

    select * from {{ ref('int_projects') }}

),

records as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

-- The API and a CSV contain all stories of a project; without one from any other
-- source, they were not read.
final as (

    select projects.project_id
    from projects
    left join records
        on projects.project_id = records.project_id
    left join stories
        on projects.project_id = stories.project_id
    where
        stories.story_id is null
        and coalesce(records.record_source, '') not in ('api', 'stories_csv')

)

select * from final
