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

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

-- A project of an archive has no creation time: that of its first story is used.
first_stories as (

    select
        project_id,
        min(created_at) as created_at
    from {{ ref('int_stories') }}
    group by project_id

),

with_start as (

    select
        projects.*,
        coalesce(
            projects.created_at,
            projects.started_at,
            first_stories.created_at,
            projects_as_of.as_of
        ) as first_at
    from projects
    inner join projects_as_of
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
        first_at,
        updated_at
    from with_start
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

activity_changes as (

    select * from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'project'
        and change_type in ('create', 'update')

),

changed_values as (

    {% for setting in settings %}
    select
        resource_id as project_id,
        '{{ setting }}' as attribute_name,
        {% for which in ['original', 'new'] %}
        {{ activity_value_as_text(which ~ '_project_values', setting) }}
            as {{ which }}_value,
        {% endfor %}
        change_type = 'create' as is_creation,
        project_version,
        change_index,
        occurred_at
    from activity_changes
    where {{ json_has_key('new_project_values', setting) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

setting_changes as (

    select
        *,
        row_number() over (
            partition by project_id, attribute_name
            order by occurred_at, project_version, change_index
        ) as change_number,
        count(*) over (partition by project_id, attribute_name) as change_count
    from changed_values

),

-- As for stories: a setting begins with the value that the first change replaced, and
-- the project's record is decisive at the end.
all_values as (

    select
        values_now.project_id,
        values_now.attribute_name,
        case
            when setting_changes.is_creation then setting_changes.new_value
            when setting_changes.project_id is not null
                then setting_changes.original_value
            else values_now.attribute_value
        end as attribute_value,
        0 as change_number,
        setting_changes.is_creation is not null
        and setting_changes.is_creation as is_recorded,
        values_now.first_at as changed_at
    from values_now
    left join setting_changes
        on
            values_now.project_id = setting_changes.project_id
            and values_now.attribute_name = setting_changes.attribute_name
            and setting_changes.change_number = 1

    union all

    select
        values_now.project_id,
        values_now.attribute_name,
        setting_changes.new_value as attribute_value,
        setting_changes.change_number,
        true as is_recorded,
        {{ latest('setting_changes.occurred_at', 'values_now.first_at') }} as changed_at
    from values_now
    inner join setting_changes
        on
            values_now.project_id = setting_changes.project_id
            and values_now.attribute_name = setting_changes.attribute_name

    union all

    select
        values_now.project_id,
        values_now.attribute_name,
        values_now.attribute_value,
        setting_changes.change_number + 1 as change_number,
        false as is_recorded,
        {{ latest(
            'values_now.updated_at', 'setting_changes.occurred_at',
            'values_now.first_at'
        ) }}
            as changed_at
    from values_now
    inner join setting_changes
        on
            values_now.project_id = setting_changes.project_id
            and values_now.attribute_name = setting_changes.attribute_name
            and setting_changes.change_number = setting_changes.change_count
    where {{ differ('values_now.attribute_value', 'setting_changes.new_value') }}

),

-- Of the values of one instant only the last one lasted.
ranked_values as (

    select
        all_values.*,
        row_number() over (
            partition by
                all_values.project_id, all_values.attribute_name, all_values.changed_at
            order by all_values.change_number desc
        ) as recency
    from all_values
    inner join projects_as_of
        on all_values.project_id = projects_as_of.project_id
    where all_values.changed_at <= projects_as_of.as_of

),

lasting_values as (

    select * from ranked_values
    where recency = 1

),

{{ version_ctes('lasting_values', 'project_id', settings) }},

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
