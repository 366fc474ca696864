{%- set attributes = {
    'project_id': as_text('stories.project_id'),
    'name': 'stories.story_name',
    'story_type': 'stories.story_type',
    'estimate': as_text(as_decimal('stories.estimate')),
    'label_ids': 'label_ids_by_story.ids',
    'owner_ids': 'owner_ids_by_story.ids'
} -%}

-- A table: each mart that shows a story as it was reads it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}

),

attribute_changes as (

    select * from {{ ref('int_story_attribute_changes') }}

),

story_changes as (

    select * from {{ ref('int_activity_changes') }}
    where story_id is not null

),

{% for kind in ['label', 'owner'] %}
{{ kind }}_ids_by_story as (

    select
        story_id,
        {{ joined_text(as_text('item_id')) }} as ids
    from {{ ref('stg_pivotal_tracker__story_list_items') }}
    where item_kind = '{{ kind }}'
    group by story_id

),

{% endfor %}
-- The record of a deleted story, if one was read, has its lists as of that reading; a
-- story of which only activities are known has none.
values_now as (

    {% for attribute, expression in attributes.items() %}
    select
        stories.story_id,
        '{{ attribute }}' as attribute_name,
        {{ expression }} as attribute_value,
        {{ 'stories.is_record_last' if 'ids' in attribute else 'true' }} as is_last
    from stories
    {% if 'ids' in attribute %}
    left join {{ attribute }}_by_story
        on stories.story_id = {{ attribute }}_by_story.story_id
    {% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- A story whose creation is not known begins with the first thing that is.
first_changes as (

    select
        story_id,
        min(occurred_at) as changed_at
    from story_changes
    group by story_id

),

-- Before its first change a value is what that change replaced; without any change, it
-- is the record's.
first_values as (

    select
        values_now.story_id,
        values_now.attribute_name,
        case
            when attribute_changes.is_creation then attribute_changes.new_value
            when attribute_changes.story_id is not null
                then attribute_changes.original_value
            else values_now.attribute_value
        end as attribute_value,
        0 as change_number,
        attribute_changes.is_creation is not null
        and attribute_changes.is_creation as is_recorded,
        coalesce(
            stories.created_at,
            first_changes.changed_at,
            stories.accepted_at,
            {{ earliest(
                'stories.updated_at', 'stories.deleted_at', 'stories.as_of'
            ) }}
        ) as changed_at
    from values_now
    inner join stories
        on values_now.story_id = stories.story_id
    left join first_changes
        on values_now.story_id = first_changes.story_id
    left join attribute_changes
        on
            values_now.story_id = attribute_changes.story_id
            and values_now.attribute_name = attribute_changes.attribute_name
            and attribute_changes.change_number = 1

),

-- The record is decisive. If it differs from the last change, no activity says since
-- when; the story's last update is assumed.
last_values as (

    select
        values_now.story_id,
        values_now.attribute_name,
        values_now.attribute_value,
        attribute_changes.change_number + 1 as change_number,
        false as is_recorded,
        case
            when coalesce(stories.updated_at < stories.deleted_at, true)
                then {{ latest('stories.updated_at', 'attribute_changes.changed_at') }}
            else attribute_changes.changed_at
        end as changed_at
    from values_now
    inner join stories
        on values_now.story_id = stories.story_id
    inner join attribute_changes
        on
            values_now.story_id = attribute_changes.story_id
            and values_now.attribute_name = attribute_changes.attribute_name
            and attribute_changes.change_number = attribute_changes.change_count
    where
        values_now.is_last
        and {{ differ('values_now.attribute_value', 'attribute_changes.new_value') }}

),

all_values as (

    select * from first_values

    union all

    select
        story_id,
        attribute_name,
        new_value as attribute_value,
        change_number,
        true as is_recorded,
        changed_at
    from attribute_changes

    union all

    select * from last_values

),

-- Of the values of one instant only the last one lasted.
ranked_values as (

    select
        *,
        row_number() over (
            partition by story_id, attribute_name, changed_at
            order by change_number desc
        ) as recency
    from all_values

),

with_previous_values as (

    select
        ranked_values.story_id,
        ranked_values.attribute_name,
        ranked_values.attribute_value,
        lag(ranked_values.attribute_value) over (
            partition by ranked_values.story_id, ranked_values.attribute_name
            order by ranked_values.changed_at
        ) as previous_value,
        row_number() over (
            partition by ranked_values.story_id, ranked_values.attribute_name
            order by ranked_values.changed_at
        ) as value_number,
        ranked_values.is_recorded,
        ranked_values.changed_at
    from ranked_values
    inner join stories
        on ranked_values.story_id = stories.story_id
    where
        ranked_values.recency = 1
        and ranked_values.changed_at <= stories.as_of
        and (
            stories.deleted_at is null
            or ranked_values.changed_at <= stories.deleted_at
        )

),

lasting_values as (

    select * from with_previous_values
    where
        value_number = 1
        or {{ differ('attribute_value', 'previous_value') }}

),

{{ version_ctes('lasting_values', 'story_id', attributes) }},

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
        coalesce(filled.next_valid_from, stories.deleted_at, stories.as_of) as valid_to
    from filled
    inner join stories
        on filled.story_id = stories.story_id

)

select * from final
