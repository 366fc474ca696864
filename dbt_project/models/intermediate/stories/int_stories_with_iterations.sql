with

stories as (

    select * from {{ ref('int_stories') }}

),

iterations as (

    select * from {{ ref('int_iterations') }}

),

-- Each range join finds at most one iteration: those of a project are half-open, and
-- the next one starts where one finishes (assert_an_instant_is_in_one_iteration).
final as (

    select
        stories.story_id,
        accepted_iterations.iteration_key as accepted_iteration_key,
        created_iterations.iteration_key as created_iteration_key
    from stories
    left join iterations as accepted_iterations
        on
            stories.project_id = accepted_iterations.project_id
            and stories.accepted_at >= accepted_iterations.starts_at
            and stories.accepted_at < accepted_iterations.finishes_at
    left join iterations as created_iterations
        on
            stories.project_id = created_iterations.project_id
            and stories.created_at >= created_iterations.starts_at
            and stories.created_at < created_iterations.finishes_at

)

select * from final
