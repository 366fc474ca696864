with

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

iterations as (

    select * from {{ ref('stg_pivotal_tracker__iterations') }}

),

final as (

    select
        iterations.iteration_key,
        iterations.project_id,
        iterations.iteration_number,
        iterations.length_weeks,
        iterations.team_strength,
        iterations.finishes_at <= projects_as_of.as_of as is_done,
        iterations.starts_at <= projects_as_of.as_of
        and iterations.finishes_at > projects_as_of.as_of
            as is_current,
        iterations.starts_at > projects_as_of.as_of as is_future,
        projects_as_of.are_stories_read,
        iterations.starts_at,
        iterations.finishes_at
    from iterations
    inner join projects_as_of
        on iterations.project_id = projects_as_of.project_id

)

select * from final
