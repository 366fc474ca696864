{{ config(enabled=is_built('iterations')) }}
with

iterations as (

    select * from {{ ref('int_iterations') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

project_settings as (

    select * from {{ ref('int_projects') }}

),

with_settings as (

    select
        iterations.*,
        projects.project_name,
        projects.iteration_length_weeks,
        {{ local_date('iterations.starts_at', 'project_settings.time_zone') }}
            as start_date,
        {{ local_date('iterations.finishes_at', 'project_settings.time_zone') }}
            as finish_date
    from iterations
    left join projects
        on iterations.project_id = projects.project_id
    left join project_settings
        on iterations.project_id = project_settings.project_id

),

final as (

    select
        iteration_key,
        project_id,
        project_name,
        iteration_number,
        length_weeks,
        team_strength,
        is_done,
        is_current,
        is_future,
        length_weeks != iteration_length_weeks as has_length_override,
        team_strength != 1 as has_strength_override,
        start_date,
        finish_date - 1 as last_date,
        starts_at,
        finishes_at
    from with_settings

)

select * from final
