with

projects as (

    select * from {{ ref('int_project_settings') }}

),

stories_by_project as (

    select
        project_id,
        count(*) as story_count,
        count(case when current_state = 'accepted' then 1 end) as accepted_story_count,
        sum(case when current_state = 'accepted' then estimate end) as accepted_points
    from {{ ref('int_stories') }}
    where
        not is_deleted
        and coalesce(story_type, '') != 'release'
    group by project_id

),

members_by_project as (

    select
        project_id,
        count(*) as member_count
    from {{ ref('stg_pivotal_tracker__memberships') }}
    group by project_id

),

activities_by_project as (

    select
        activities.project_id,
        min(activities.occurred_at) as first_activity_at,
        max(activities.occurred_at) as last_activity_at
    from {{ ref('stg_pivotal_tracker__activities') }} as activities
    inner join projects
        on activities.project_id = projects.project_id
    where activities.occurred_at <= projects.as_of
    group by activities.project_id

),

final as (

    select
        projects.project_id,
        coalesce(stories_by_project.story_count, 0) as story_count,
        coalesce(stories_by_project.accepted_story_count, 0) as accepted_story_count,
        coalesce(stories_by_project.accepted_points, 0) as accepted_points,
        -- Every project has an owner: none means that members were not read.
        members_by_project.member_count,
        activities_by_project.first_activity_at,
        activities_by_project.last_activity_at
    from projects
    left join stories_by_project
        on projects.project_id = stories_by_project.project_id
    left join members_by_project
        on projects.project_id = members_by_project.project_id
    left join activities_by_project
        on projects.project_id = activities_by_project.project_id

)

select * from final
