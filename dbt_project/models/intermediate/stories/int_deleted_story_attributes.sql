{%- set attributes = [
    'project_id', 'name', 'description', 'story_type', 'story_priority',
    'current_state', 'external_id', 'requested_by_id', 'owned_by_id', 'estimate',
    'deadline', 'accepted_at', 'created_at', 'updated_at'
] -%}

with

activity_changes as (

    select * from {{ ref('int_activity_changes') }}

),

deletions as (

    select * from {{ ref('int_story_deletions') }}

),

story_changes as (

    select
        activity_changes.resource_id as story_id,
        activity_changes.change_type,
        activity_changes.new_story_values,
        activity_changes.occurred_at,
        activity_changes.project_version,
        activity_changes.change_index
    from activity_changes
    inner join deletions
        on activity_changes.resource_id = deletions.story_id
    where activity_changes.resource_kind = 'story'

),

attribute_changes as (

    {% for attribute in attributes %}
    select
        story_id,
        '{{ attribute }}' as attribute_name,
        {{ json_text('new_story_values', attribute) }} as attribute_value,
        occurred_at,
        project_version,
        change_index
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
            order by occurred_at desc, project_version desc, change_index desc
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
