with

as_of as (

    select * from {{ ref('int_as_of') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

current_iterations as (

    select
        project_id,
        max(iteration_number) as iteration_number
    from {{ ref('int_iterations') }}
    where is_current
    group by project_id

),

done_iterations as (

    select
        project_id,
        velocity,
        row_number() over (partition by project_id order by iteration_number desc)
            as recency
    from {{ ref('fct_iteration_velocity') }}
    where is_done

),

stories_by_project as (

    select
        project_id,
        count(*) as story_count,
        count(*) filter (where is_accepted) as accepted_story_count,
        sum(estimate) filter (where is_accepted) as accepted_points
    from {{ ref('fct_story_cycle_time') }}
    where not is_deleted
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
        project_id,
        min(occurred_at) as first_activity_at,
        max(occurred_at) as last_activity_at
    from {{ ref('fct_activity') }}
    group by project_id

),

settings as (

    select * from {{ ref('int_project_settings') }}

),

final as (

    select
        projects.project_id,
        projects.account_id,
        projects.project_name,
        projects.project_type,
        projects.time_zone,
        projects.week_start_day,
        projects.point_scale,
        projects.iteration_length_weeks,
        projects.velocity_averaged_over,
        projects.initial_velocity,
        current_iterations.iteration_number as current_iteration_number,
        coalesce(done_iterations.velocity, settings.initial_velocity)
            as current_velocity,
        coalesce(stories_by_project.story_count, 0) as story_count,
        coalesce(stories_by_project.accepted_story_count, 0) as accepted_story_count,
        cast(coalesce(stories_by_project.accepted_points, 0) as decimal(18, 4))
            as accepted_points,
        coalesce(members_by_project.member_count, 0) as member_count,
        projects.is_point_scale_custom,
        projects.estimates_bugs_and_chores,
        projects.is_automatic_planning,
        projects.is_public,
        projects.started_at,
        projects.created_at,
        activities_by_project.first_activity_at,
        activities_by_project.last_activity_at,
        as_of.as_of
    from projects
    cross join as_of
    left join settings
        on projects.project_id = settings.project_id
    left join current_iterations
        on projects.project_id = current_iterations.project_id
    left join done_iterations
        on
            projects.project_id = done_iterations.project_id
            and done_iterations.recency = 1
    left join stories_by_project
        on projects.project_id = stories_by_project.project_id
    left join members_by_project
        on projects.project_id = members_by_project.project_id
    left join activities_by_project
        on projects.project_id = activities_by_project.project_id

)

select * from final
