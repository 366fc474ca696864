with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

projects_with_iterations as (

    select * from {{ ref('int_projects_with_iterations') }}

),

inferred_settings as (

    select * from {{ ref('int_projects_with_inferred_settings') }}

),

projects_with_counts as (

    select * from {{ ref('int_projects_with_counts') }}

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
        inferred_settings.inferred_settings,
        projects.record_source,
        projects_with_iterations.velocity_source,
        projects.iteration_length_weeks,
        projects.velocity_averaged_over,
        projects.initial_velocity,
        projects_with_iterations.current_iteration_number,
        projects_with_iterations.current_velocity,
        projects_with_counts.story_count,
        projects_with_counts.accepted_story_count,
        {{ as_decimal('projects_with_counts.accepted_points') }}
            as accepted_points,
        projects_with_counts.member_count,
        projects.is_point_scale_custom,
        projects.estimates_bugs_and_chores,
        projects.is_automatic_planning,
        projects.is_public,
        projects.started_at,
        projects.created_at,
        projects_with_counts.first_activity_at,
        projects_with_counts.last_activity_at,
        projects_as_of.as_of
    from projects
    inner join projects_as_of
        on projects.project_id = projects_as_of.project_id
    inner join projects_with_iterations
        on projects.project_id = projects_with_iterations.project_id
    inner join projects_with_counts
        on projects.project_id = projects_with_counts.project_id
    left join inferred_settings
        on projects.project_id = inferred_settings.project_id

)

select * from final
