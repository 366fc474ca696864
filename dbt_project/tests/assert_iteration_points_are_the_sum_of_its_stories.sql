with

iterations as (

    select * from {{ ref('fct_iteration_velocity') }}

),

accepted_stories as (

    select
        iteration_key,
        count(*) as story_count,
        sum(coalesce(estimate, 0)) as points
    from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted
    group by iteration_key

)

select
    iterations.iteration_key,
    iterations.accepted_points,
    accepted_stories.points,
    iterations.accepted_story_count,
    accepted_stories.story_count
from iterations
left join accepted_stories
    on iterations.iteration_key = accepted_stories.iteration_key
where
    {{ differ(
        'iterations.accepted_points', 'coalesce(accepted_stories.points, 0)'
    ) }}
    or {{ differ(
        'iterations.accepted_story_count', 'coalesce(accepted_stories.story_count, 0)'
    ) }}
