{%- set settings = {
    'name': 'project_name',
    'time_zone': 'time_zone',
    'week_start_day': 'week_start_day',
    'iteration_length': 'iteration_length_weeks',
    'velocity_averaged_over': 'velocity_averaged_over',
    'initial_velocity': 'initial_velocity',
    'point_scale': 'point_scale',
    'bugs_and_chores_are_estimatable': 'estimates_bugs_and_chores',
    'automatic_planning': 'is_automatic_planning',
    'public': 'is_public'
} -%}

with

-- A project of an archive has no creation time: that of its first story is used.
first_stories as (

    select
        project_id,
        min(created_at) as created_at
    from {{ ref('int_stories') }}
    group by project_id

),

projects as (

    select
        projects.*,
        coalesce(
            projects.created_at,
            projects.started_at,
            first_stories.created_at,
            projects_as_of.as_of
        ) as first_at,
        projects_as_of.as_of as ends_at
    from {{ ref('stg_pivotal_tracker__projects') }} as projects
    inner join {{ ref('int_projects') }} as projects_as_of
        on projects.project_id = projects_as_of.project_id
    left join first_stories
        on projects.project_id = first_stories.project_id

),

values_now as (

    {% for setting, column in settings.items() %}
    select
        project_id,
        '{{ setting }}' as attribute_name,
        {{ as_text(column) }} as attribute_value,
        true as is_last,
        first_at,
        updated_at,
        ends_at
    from projects
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

project_changes as (

    select * from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'project'
        and change_type in ('create', 'update')

),

attribute_changes as (

    {% for setting in settings %}
    select
        resource_id as project_id,
        '{{ setting }}' as attribute_name,
        {% for which in ['original', 'new'] %}
        {{ activity_value_as_text(which ~ '_project_values', setting) }}
            as {{ which }}_value,
        {% endfor %}
        change_type = 'create' as is_creation,
        order_in_second,
        project_version,
        change_index,
        occurred_at
    from project_changes
    where {{ json_has_key('new_project_values', setting) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{{ value_ctes('project_id') }},

{{ version_ctes('different_values', 'project_id', settings) }},

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
        coalesce(filled.next_valid_from, projects.ends_at) as valid_to
    from filled
    inner join projects
        on filled.project_id = projects.project_id

)

select * from final
