{%- set settings = [
    'name', 'time_zone', 'week_start_day', 'iteration_length',
    'velocity_averaged_over', 'initial_velocity', 'point_scale',
    'bugs_and_chores_are_estimatable', 'automatic_planning', 'public'
] -%}

with

activity_changes as (

    select * from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'project'
        and change_type in ('create', 'update')

),

told as (

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

final as (

    select
        *,
        row_number() over (
            partition by project_id, attribute_name
            order by occurred_at, project_version, change_index
        ) as telling_number,
        count(*) over (partition by project_id, attribute_name) as telling_count
    from told

)

select * from final
