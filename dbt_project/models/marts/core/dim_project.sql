with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

projects_with_iterations as (

    select * from {{ ref('int_projects_with_iterations') }}

),

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}

),

stories as (

    select
        *,
        not is_deleted and coalesce(story_type, '') != 'release' as is_counted
    from {{ ref('int_stories') }}

),

stories_by_project as (

    select
        project_id,
        count(case when is_counted then 1 end) as story_count,
        count(case when is_counted and current_state = 'accepted' then 1 end)
            as accepted_story_count,
        sum(case when is_counted and current_state = 'accepted' then estimate end)
            as accepted_points
    from stories
    group by project_id

),

-- Every project has an owner: none means that members were not read.
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
    from activities
    inner join projects_as_of
        on activities.project_id = projects_as_of.project_id
    where activities.occurred_at <= projects_as_of.as_of
    group by activities.project_id

),

settings_inferred as (

    {{ unnest_json_list('projects', 'inferred_settings', keep=['project_id']) }}

),

columns_inferred as (

    select
        project_id,
        case
            when element = 'iteration_length' then 'iteration_length_weeks'
            else element
        end as column_name
    from settings_inferred

),

columns_inferred_by_project as (

    select
        project_id,
        {{ joined_text('column_name') }} as inferred_settings
    from columns_inferred
    group by project_id

),

final as (

    select
        projects.project_id,
        projects.account_id,
        projects.resembles_project_id,
        projects.project_name,
        projects.project_type,
        projects.time_zone,
        projects.week_start_day,
        projects.point_scale,
        columns_inferred_by_project.inferred_settings,
        projects.record_source,
        projects_with_iterations.velocity_source,
        projects.iteration_length_weeks,
        projects.velocity_averaged_over,
        projects.initial_velocity,
        projects_with_iterations.current_iteration_number,
        projects_with_iterations.current_velocity,
        {{ zero_if_read('stories_by_project.story_count', 'projects_as_of') }}
            as story_count,
        {{ zero_if_read('stories_by_project.accepted_story_count', 'projects_as_of') }}
            as accepted_story_count,
        {{ as_decimal(
            zero_if_read('stories_by_project.accepted_points', 'projects_as_of')
        ) }}
            as accepted_points,
        members_by_project.member_count,
        projects.is_point_scale_custom,
        projects.estimates_bugs_and_chores,
        projects.is_automatic_planning,
        projects.is_public,
        projects.started_at,
        projects.created_at,
        activities_by_project.first_activity_at,
        activities_by_project.last_activity_at,
        projects_as_of.as_of
    from projects
    inner join projects_as_of
        on projects.project_id = projects_as_of.project_id
    inner join projects_with_iterations
        on projects.project_id = projects_with_iterations.project_id
    left join stories_by_project
        on projects.project_id = stories_by_project.project_id
    left join members_by_project
        on projects.project_id = members_by_project.project_id
    left join activities_by_project
        on projects.project_id = activities_by_project.project_id
    left join columns_inferred_by_project
        on projects.project_id = columns_inferred_by_project.project_id

)

select * from final
