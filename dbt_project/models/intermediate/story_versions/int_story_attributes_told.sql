{%- set attributes = [
    'project_id', 'name', 'story_type', 'estimate', 'label_ids', 'owner_ids'
] -%}

with

activity_changes as (

    select
        *,
        change_type = 'create' and {{ json_has_key('new_story_values', 'name') }}
            as is_creation
    from {{ ref('int_activity_changes') }}
    where
        resource_kind = 'story'
        and change_type in ('create', 'update')

),

-- A creation leaves out what is empty, so it tells each attribute; an update tells only
-- what it changed. A move is told by both projects: is_arrival marks the new one.
final as (

    {% for attribute in attributes %}
    select
        activity_id,
        change_index,
        resource_id as story_id,
        '{{ attribute }}' as attribute_name,
        {{ json_text('original_story_values', attribute) }} as original_value,
        {{ json_text('new_story_values', attribute) }} as new_value,
        project_version,
        is_creation,
        coalesce(
            cast({{ json_text('new_story_values', 'project_id') }} as bigint)
            = project_id,
            false
        ) as is_arrival,
        occurred_at
    from activity_changes
    where
        is_creation
        or {{ json_has_key('new_story_values', attribute) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
