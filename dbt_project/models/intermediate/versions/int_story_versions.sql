{%- set attributes = {
    'project_id': as_text('stories.project_id'),
    'name': 'stories.story_name',
    'story_type': 'stories.story_type',
    'estimate': as_text(as_decimal('stories.estimate')),
    'label_ids': 'lists_now.ids',
    'owner_ids': 'lists_now.ids'
} -%}

-- A table: each mart that shows a story as it was reads it.
{{ config(materialized='table') }}

with

story_changes as (

    select
        *,
        change_type = 'create' and {{ json_has_key('new_story_values', 'name') }}
            as is_creation
    from {{ ref('int_activity_changes') }}
    where story_id is not null

),

-- Lists of transitions can begin before the activities.
known_instants as (

    select
        story_id,
        occurred_at
    from story_changes

    union all

    select
        story_id,
        occurred_at
    from {{ ref('int_story_transitions_last_known') }}
    where record_source != 'inferred'

),

first_changes as (

    select
        story_id,
        min(occurred_at) as changed_at
    from known_instants
    group by story_id

),

-- A story whose creation is unknown begins with the first instant that is known. An
-- update at the deletion does not say when a value changed.
stories as (

    select
        stories.story_id,
        stories.project_id,
        stories.story_name,
        stories.story_type,
        stories.estimate,
        stories.is_record_last,
        coalesce(
            stories.created_at,
            first_changes.changed_at,
            stories.accepted_at,
            {{ earliest(
                'stories.updated_at', 'stories.deleted_at', 'stories.as_of'
            ) }}
        ) as first_at,
        stories.record_at,
        case
            when coalesce(stories.updated_at < stories.deleted_at, true)
                then coalesce(stories.record_at, stories.updated_at)
        end as updated_at,
        stories.deleted_at,
        coalesce(stories.deleted_at, stories.as_of) as ends_at
    from {{ ref('int_stories') }} as stories
    left join first_changes
        on stories.story_id = first_changes.story_id

),

lists_now as (

    select
        story_id,
        item_kind || '_ids' as attribute_name,
        {{ joined_text(as_text('item_id')) }} as ids
    from {{ ref('stg_pivotal_tracker__story_list_items') }}
    where item_kind in ('label', 'owner')
    group by
        story_id,
        item_kind

),

-- A creation omits only empty attributes, so it counts for all of them; an update
-- counts for those that it changed. Without a valid project, a story is in the
-- activity's.
changed_values as (

    {% for attribute in attributes %}
    select
        activity_id,
        change_index,
        story_id,
        '{{ attribute }}' as attribute_name,
        {% for which in ['original', 'new'] %}
        {% set value = activity_value_as_text(which ~ '_story_values', attribute) %}
        {% if attribute == 'project_id' %}
        coalesce({{ value }}, {{ as_text('project_id') }})
            as {{ which }}_value,
        {% else %}
        {{ value }} as {{ which }}_value,
        {% endif %}
        {% endfor %}
        order_in_second,
        project_id,
        project_version,
        is_creation,
        occurred_at
    from story_changes
    where
        change_type in ('create', 'update')
        and (is_creation or {{ json_has_key('new_story_values', attribute) }})
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Lists in a uniform notation, so that two can be compared: sorted, and null if empty.
changed_lists as (

    {% for which in ['original', 'new'] %}
    select
        activity_id,
        change_index,
        attribute_name,
        '{{ which }}' as which,
        {{ which }}_value as ids
    from changed_values
    where attribute_name in ('label_ids', 'owner_ids')
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

list_elements as (

    {{ unnest_json_list(
        from_cte='changed_lists',
        list_column='ids',
        keep=['activity_id', 'change_index', 'attribute_name', 'which'],
        element_type='bigint'
    ) }}

),

lists_as_text as (

    select
        activity_id,
        change_index,
        attribute_name,
        which,
        {{ joined_text(as_text('element')) }} as ids
    from list_elements
    group by
        activity_id,
        change_index,
        attribute_name,
        which

),

-- Changes after a story's deletion do not count.
attribute_changes as (

    select
        changed_values.story_id,
        changed_values.attribute_name,
        {% for which in ['original', 'new'] %}
        case
            when changed_values.attribute_name = 'estimate'
                then {{ as_text(as_decimal('changed_values.' ~ which ~ '_value')) }}
            when changed_values.attribute_name in ('label_ids', 'owner_ids')
                then {{ which }}_lists.ids
            else changed_values.{{ which }}_value
        end as {{ which }}_value,
        {% endfor %}
        changed_values.is_creation,
        changed_values.order_in_second,
        changed_values.project_id,
        changed_values.project_version,
        changed_values.change_index,
        changed_values.occurred_at
    from changed_values
    inner join stories
        on changed_values.story_id = stories.story_id
    {% for which in ['original', 'new'] %}
    left join lists_as_text as {{ which }}_lists
        on
            changed_values.activity_id = {{ which }}_lists.activity_id
            and changed_values.change_index = {{ which }}_lists.change_index
            and changed_values.attribute_name = {{ which }}_lists.attribute_name
            and {{ which }}_lists.which = '{{ which }}'
    {% endfor %}
    where
        stories.deleted_at is null
        or changed_values.occurred_at <= stories.deleted_at

),

last_changes as (

    select
        story_id,
        attribute_name,
        max(occurred_at) as changed_at
    from attribute_changes
    group by
        story_id,
        attribute_name

),

-- The record of a story has its lists as of its reading: not the last ones if the story
-- was deleted or the list changed since. A story of which only activities are known has
-- none.
values_now as (

    {% for attribute, expression in attributes.items() %}
    select
        stories.story_id,
        '{{ attribute }}' as attribute_name,
        {{ expression }} as attribute_value,
        {% if 'ids' in attribute %}
        stories.is_record_last
        and coalesce(stories.record_at >= last_changes.changed_at, true) as is_last,
        {% else %}
        true as is_last,
        {% endif %}
        stories.first_at,
        stories.updated_at,
        stories.ends_at
    from stories
    {% if 'ids' in attribute %}
    left join lists_now
        on
            stories.story_id = lists_now.story_id
            and lists_now.attribute_name = '{{ attribute }}'
    left join last_changes
        on
            stories.story_id = last_changes.story_id
            and last_changes.attribute_name = '{{ attribute }}'
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{{ value_ctes('story_id') }},

{{ version_ctes('different_values', 'story_id', attributes) }},

final as (

    select
        filled.story_id,
        cast(filled.project_id as bigint) as project_id,
        filled.name as story_name,
        filled.story_type,
        filled.label_ids,
        filled.owner_ids,
        filled.version_number,
        {{ as_decimal('filled.estimate') }} as estimate,
        filled.next_valid_from is null as is_last,
        filled.is_inferred,
        filled.valid_from,
        coalesce(filled.next_valid_from, stories.ends_at) as valid_to
    from filled
    inner join stories
        on filled.story_id = stories.story_id

)

select * from final
