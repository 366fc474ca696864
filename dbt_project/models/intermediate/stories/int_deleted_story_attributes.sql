{%- set attributes = [
    'project_id', 'name', 'description', 'story_type', 'story_priority',
    'current_state', 'external_id', 'requested_by_id', 'owned_by_id', 'estimate',
    'deadline', 'accepted_at', 'created_at', 'updated_at'
] -%}

with

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

story_changes as (

    select changes.*
    from {{ ref('int_story_changes') }} as changes
    inner join deletions
        on changes.story_id = deletions.story_id

),

attribute_changes as (

    {% for attribute in attributes %}
    select
        story_id,
        '{{ attribute }}' as attribute_name,
        {{ json_text('new_story_values', attribute) }} as attribute_value,
        occurred_at,
        stay_in_second,
        project_version,
        change_index,
        project_id
    from story_changes
    where {{ json_has_key('new_story_values', attribute) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by story_id, attribute_name
            order by
                occurred_at desc,
                stay_in_second desc,
                project_version desc,
                change_index desc,
                project_id desc
        ) as recency
    from attribute_changes

),

final as (

    select
        story_id,
        attribute_name,
        attribute_value
    from ranked
    where recency = 1

)

select * from final
