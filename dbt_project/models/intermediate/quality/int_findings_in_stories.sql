with

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

stories as (

    select * from {{ ref('dim_story') }}
    where not is_deleted

),

known_projects as (

    select project_id from projects
    where is_read

),

orphans as (

    select stories.*
    from stories
    left join known_projects
        on stories.project_id = known_projects.project_id
    where known_projects.project_id is null

),

projects_with_iterations as (

    select project_id
    from {{ ref('int_iterations') }}
    group by project_id

),

outside_iterations as (

    select
        cycle_times.story_id,
        cycle_times.project_id,
        cycle_times.accepted_at
    from {{ ref('fct_story_cycle_time') }} as cycle_times
    inner join projects_with_iterations
        on cycle_times.project_id = projects_with_iterations.project_id
    where
        cycle_times.accepted_at is not null
        and not cycle_times.is_deleted
        and cycle_times.iteration_key is null

),

final as (

    {{ finding(
        'accepted_before_created', 'stories', 'story_id',
        instants_shown('accepted_at', 'created_at'),
        'accepted_at < created_at'
    ) }}

    union all

    {{ finding(
        'updated_before_created', 'stories', 'story_id',
        instants_shown('updated_at', 'created_at'),
        'updated_at < created_at'
    ) }}

    union all

    {{ finding(
        'accepted_without_instant', 'stories', 'story_id', "'no accepted_at'",
        'is_accepted and accepted_at is null'
    ) }}

    union all

    {{ finding(
        'orphan_story', 'orphans', 'story_id', "'project_id ' || project_id"
    ) }}

    union all

    {{ finding(
        'accepted_outside_iterations', 'outside_iterations', 'story_id',
        instants_shown('accepted_at')
    ) }}

)

select * from final
