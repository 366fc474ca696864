-- A table: nearly every model reads it.
{{ config(materialized='table') }}

with

project_instants as (

    select * from {{ ref('stg_pivotal_tracker__project_instants') }}
    where project_id is not null

),

-- A story can be in a project of which nothing else is known than that it moved there.
moves as (

    select
        moved_to_project_id as project_id,
        max(occurred_at) as known_at
    from {{ ref('int_activity_changes') }}
    where moved_to_project_id is not null
    group by moved_to_project_id

),

projects as (

    select
        project_id,
        max(newest_at) as known_at,
        max(case when raw_name = 'extracts' then newest_at end) as api_as_of
    from project_instants
    group by project_id

    union all

    select
        moves.project_id,
        moves.known_at,
        {{ as_instant('null') }} as api_as_of
    from moves
    left join project_instants
        on moves.project_id = project_instants.project_id
    where project_instants.project_id is null

),

last_run as (

    select max(newest_at) as ended_at
    from {{ ref('stg_pivotal_tracker__project_instants') }}
    where project_id is null

),

-- A project without any instant ends with the newest of all, or with the last run.
with_fallback as (

    select
        projects.project_id,
        projects.api_as_of,
        coalesce(
            projects.known_at, max(projects.known_at) over (), last_run.ended_at
        ) as known_at
    from projects
    cross join last_run

),

known_projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

-- The API and a CSV contain all stories of a project, even if it has none. Without one
-- from any other source, they were not read.
projects_with_stories as (

    select project_id
    from known_projects
    where record_source in ('api', 'stories_csv')

    union all

    select project_id
    from {{ ref('stg_pivotal_tracker__stories') }}

    union all

    select project_id
    from {{ ref('int_activity_changes') }}
    where story_id is not null or part_story_id is not null

    union all

    select project_id
    from moves

),

projects_read as (

    select project_id
    from projects_with_stories
    group by project_id

),

-- What a project of an archive does not say is as Tracker sets up a new project, but
-- for its initial velocity, which would be an invented figure.
final as (

    select
        with_fallback.project_id,
        coalesce(known_projects.time_zone, 'UTC') as time_zone,
        coalesce(known_projects.week_start_day, 'Monday') as week_start_day,
        coalesce(known_projects.iteration_length_weeks, 1) as iteration_length_weeks,
        coalesce(known_projects.velocity_averaged_over, 3) as velocity_averaged_over,
        known_projects.initial_velocity,
        projects_read.project_id is not null as are_stories_read,
        {{ earliest('with_fallback.known_at', as_of_override()) }} as as_of,
        with_fallback.known_at as newest_known_at,
        with_fallback.api_as_of
    from with_fallback
    left join known_projects
        on with_fallback.project_id = known_projects.project_id
    left join projects_read
        on with_fallback.project_id = projects_read.project_id

)

select * from final
