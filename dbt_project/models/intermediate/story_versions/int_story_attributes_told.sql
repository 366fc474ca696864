{%- set attributes = [
    'project_id', 'name', 'story_type', 'estimate', 'label_ids', 'owner_ids'
] -%}

with

story_changes as (

    select
        *,
        change_type = 'create' and {{ json_has_key('new_story_values', 'name') }}
            as is_creation
    from {{ ref('int_story_changes') }}
    where change_type in ('create', 'update')

),

-- A creation leaves out what is empty, so it gives each attribute; an update gives only
-- what it changed. Without a possible project, a story is in that of the activity.
final as (

    {% for attribute in attributes %}
    select
        activity_id,
        change_index,
        story_id,
        '{{ attribute }}' as attribute_name,
        {% for which in ['original', 'new'] %}
        {% set value = activity_value_as_text(which ~ '_story_values', attribute) %}
        {% if attribute == 'project_id' %}
        coalesce({{ value }}, {{ as_text('project_id') }}) as {{ which }}_value,
        {% else %}
        {{ value }} as {{ which }}_value,
        {% endif %}
        {% endfor %}
        stay_in_second,
        project_version,
        is_creation,
        occurred_at
    from story_changes
    where
        is_creation
        or {{ json_has_key('new_story_values', attribute) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
