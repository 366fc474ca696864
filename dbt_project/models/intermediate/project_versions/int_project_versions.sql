{%- set settings = [
    'name', 'time_zone', 'week_start_day', 'iteration_length',
    'velocity_averaged_over', 'initial_velocity', 'point_scale',
    'bugs_and_chores_are_estimatable', 'automatic_planning', 'public'
] -%}

with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

setting_changes as (

    select setting_changes.*
    from {{ ref('int_project_setting_changes') }} as setting_changes
    inner join projects_as_of
        on setting_changes.project_id = projects_as_of.project_id
    where setting_changes.changed_at <= projects_as_of.as_of

),

{{ version_ctes('setting_changes', 'project_id', settings) }},

final as (

    select
        filled.project_id,
        filled.name as project_name,
        filled.time_zone,
        filled.week_start_day,
        filled.point_scale,
        filled.version_number,
        cast(filled.iteration_length as bigint) as iteration_length_weeks,
        cast(filled.velocity_averaged_over as bigint) as velocity_averaged_over,
        cast(filled.initial_velocity as bigint) as initial_velocity,
        cast(filled.bugs_and_chores_are_estimatable as boolean)
            as estimates_bugs_and_chores,
        cast(filled.automatic_planning as boolean) as is_automatic_planning,
        cast(filled.public as boolean) as is_public,
        filled.next_valid_from is null as is_last,
        filled.is_inferred,
        filled.valid_from,
        coalesce(filled.next_valid_from, projects_as_of.as_of) as valid_to
    from filled
    inner join projects_as_of
        on filled.project_id = projects_as_of.project_id

)

select * from final
