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

-- A creation leaves out what is empty, so it tells each attribute; an update tells only
-- what it changed.
final as (

    {% for attribute in attributes %}
    select
        activity_id,
        change_index,
        story_id,
        '{{ attribute }}' as attribute_name,
        {{ activity_value_as_text('original_story_values', attribute) }} as original_value,
        {{ activity_value_as_text('new_story_values', attribute) }} as new_value,
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
