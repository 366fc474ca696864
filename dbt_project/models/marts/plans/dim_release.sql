{{ config(enabled=is_built('plans')) }}
with

stories as (

    select * from {{ ref('int_stories') }}
    where story_type = 'release'

),

releases as (

    select * from {{ ref('stg_pivotal_tracker__releases') }}

),

release_stories as (

    select * from {{ ref('stg_pivotal_tracker__release_stories') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

stories_by_release as (

    select
        release_id,
        count(*) as story_count
    from release_stories
    group by release_id

),

final as (

    select
        stories.story_id as release_id,
        stories.project_id,
        projects.project_name,
        stories.story_name as release_name,
        stories.current_state,
        stories.url,
        stories_by_release.story_count,
        stories.current_state = 'accepted' as is_accepted,
        case
            when stories.deadline_at is null then false
            when stories.accepted_at is not null
                then stories.accepted_at > stories.deadline_at
            when stories.as_of <= stories.deadline_at then false
            when stories.current_state != 'accepted' then true
        end as is_late,
        stories.is_deleted,
        stories.deadline_at,
        releases.tracker_projected_completion_at,
        stories.accepted_at,
        stories.created_at,
        stories.updated_at,
        stories.deleted_at
    from stories
    left join releases
        on stories.story_id = releases.release_id
    left join stories_by_release
        on stories.story_id = stories_by_release.release_id
    left join projects
        on stories.project_id = projects.project_id

)

select * from final
