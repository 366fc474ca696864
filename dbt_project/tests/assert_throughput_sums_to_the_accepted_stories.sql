-- Summed over its weeks, each project counts every story now accepted in it once.
with

projects as (

    select * from {{ ref('dim_project') }}

),

dated_stories as (

    select
        project_id,
        count(*) as story_count,
        coalesce(sum(estimate), 0) as points
    from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted
        and accepted_at is not null
    group by project_id

),

throughput as (

    select
        project_id,
        sum(story_count) as story_count,
        sum(points) as points
    from {{ ref('fct_throughput') }}
    group by project_id

)

select
    projects.project_id,
    throughput.story_count,
    dated_stories.story_count as expected_story_count,
    throughput.points,
    dated_stories.points as expected_points
from projects
left join throughput
    on projects.project_id = throughput.project_id
left join dated_stories
    on projects.project_id = dated_stories.project_id
where
    coalesce(throughput.story_count, 0) != coalesce(dated_stories.story_count, 0)
    or coalesce(throughput.points, 0) != coalesce(dated_stories.points, 0)
