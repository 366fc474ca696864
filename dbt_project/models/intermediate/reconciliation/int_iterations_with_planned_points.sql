with

iteration_stories as (

    select * from {{ ref('stg_pivotal_tracker__iteration_stories') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

iterations as (

    select * from {{ ref('int_iterations') }}
    where not is_done

),

projects_with_iterations as (

    select * from {{ ref('int_projects_with_iterations') }}

),

points_by_iteration as (

    select
        iteration_stories.iteration_key,
        sum(stories.estimate) as planned_points
    from iteration_stories
    inner join stories
        on iteration_stories.story_id = stories.story_id
    group by iteration_stories.iteration_key

),

-- Which stories the current and the coming iterations hold is Tracker's plan; what they
-- are worth is ours.
final as (

    select
        iterations.iteration_key,
        projects_with_iterations.current_velocity,
        coalesce(points_by_iteration.planned_points, 0) as planned_points
    from iterations
    left join projects_with_iterations
        on iterations.project_id = projects_with_iterations.project_id
    left join points_by_iteration
        on iterations.iteration_key = points_by_iteration.iteration_key

)

select * from final
