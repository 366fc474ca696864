with

-- The calendar serves all projects: it reaches to the year after the newest as_of.
newest as (

    select max(as_of) as as_of from {{ ref('int_projects_as_of') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_project_settings') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}

),

story_parts as (

    select * from {{ ref('int_story_parts') }}

),

epic_comments as (

    select * from {{ ref('stg_pivotal_tracker__epic_comments') }}

),

-- An imported story may be older than its project, and an archive may hold activities
-- or comments without their stories.
first_instants as (

    select
        project_id,
        started_at as first_at
    from projects

    union all

    select
        project_id,
        created_at as first_at
    from stories

    union all

    select
        project_id,
        min(occurred_at) as first_at
    from activities
    group by project_id

    union all

    select
        stories.project_id,
        story_parts.created_at as first_at
    from story_parts
    inner join stories
        on story_parts.story_id = stories.story_id
    where not stories.is_deleted

    union all

    select
        project_id,
        created_at as first_at
    from epic_comments

),

first_dates as (

    select
        {{ local_date('first_instants.first_at', 'project_settings.time_zone') }}
            as first_date
    from first_instants
    inner join project_settings
        on first_instants.project_id = project_settings.project_id

),

bounds as (

    select
        cast(
            {{ as_text('extract(year from max(newest.as_of)) + 1') }} || '-12-31'
            as date
        ) as last_date,
        min(first_dates.first_date) as first_date
    from first_dates
    cross join newest

),

final as (

    {{ day_series('bounds', 'first_date', 'last_date') }}

)

select * from final
