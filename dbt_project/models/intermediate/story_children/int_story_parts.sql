{%- set kinds = {
    'comment': {'person_id': 'person_id', 'part_text': 'comment_text'},
    'task': {
        'part_text': 'task_description', 'part_position': 'task_position',
        'flag': 'is_complete'
    },
    'blocker': {
        'person_id': 'person_id', 'part_text': 'blocker_description',
        'flag': 'is_resolved'
    },
    'review': {
        'person_id': 'reviewer_id', 'review_type_id': 'review_type_id',
        'review_type_name': 'review_type_name', 'part_status': 'review_status'
    }
} -%}
{%- set no_number = 'cast(null as bigint)' -%}
{%- set values = [
    'person_id', 'review_type_id', 'part_text', 'to_status', 'part_position',
    'created_at', 'updated_at'
] -%}

-- A table: six models read it.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

part_changes as (

    select * from {{ ref('int_story_part_changes') }}
    where story_id is not null

),

listed as (

    {% for kind, columns in kinds.items() %}
    select
        '{{ kind }}' as part_kind,
        {{ kind }}_id as part_id,
        story_id,
        {{ columns.person_id or no_number }} as person_id,
        {{ columns.review_type_id or no_number }} as review_type_id,
        {{ columns.review_type_name or as_text('null') }} as review_type_name,
        {{ columns.part_text or as_text('null') }} as part_text,
        {% if columns.flag %}
        case
            when {{ columns.flag }} then 'true'
            when not {{ columns.flag }} then 'false'
        end as part_status,
        {% else %}
        {{ columns.part_status or as_text('null') }} as part_status,
        {% endif %}
        {{ columns.part_position or no_number }} as part_position,
        record_source,
        created_at,
        updated_at,
        {{ as_instant('null') }} as deleted_at
    from {{ ref('stg_pivotal_tracker__story_' ~ kind ~ 's') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- The list that was read with a story has the last word. Where none was, or the story's
-- record was never read, activities say which parts there are.
relevant_changes as (

    select part_changes.*
    from part_changes
    left join stories
        on part_changes.story_id = stories.story_id
    where
        stories.story_id is null
        {% for kind in kinds %}
        or (part_changes.part_kind = '{{ kind }}' and not stories.has_{{ kind }}_list)
        {% endfor %}

),

-- What a change does not mention stays as it was: each value has its own order.
ranked as (

    select
        *,
        {% for value in values %}
        row_number() over (
            partition by
                part_kind,
                part_id,
                case
                    when {{ 'is_person_change' if value == 'person_id'
                        else value ~ ' is not null' }} then 1
                    else 0
                end
            order by occurred_at desc, project_version desc, change_index desc
        ) as {{ value }}_recency,
        {% endfor %}
        row_number() over (
            partition by part_kind, part_id
            order by occurred_at desc, project_version desc, change_index desc
        ) as recency
    from relevant_changes

),

from_activities as (

    select
        part_kind,
        part_id,
        max(case when recency = 1 then story_id end) as story_id,
        {% for value in values %}
        max(
            case
                when
                    {{ 'is_person_change' if value == 'person_id'
                        else value ~ ' is not null' }}
                    and {{ value }}_recency = 1
                    then {{ value }}
            end
        ) as {{ value }},
        {% endfor %}
        max(case when is_person_change then 1 else 0 end) as person_change_count,
        max(case when change_type = 'create' then performed_by_id end)
            as performed_by_id,
        min(case when change_type = 'create' then occurred_at end)
            as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        max(case when change_type = 'delete' then occurred_at end) as deleted_at
    from ranked
    group by
        part_kind,
        part_id

),

final as (

    select * from listed

    union all

    select
        part_kind,
        part_id,
        story_id,
        case
            when person_change_count = 1 then person_id
            when part_kind in ('comment', 'blocker') then performed_by_id
        end as person_id,
        review_type_id,
        null as review_type_name,
        part_text,
        to_status as part_status,
        part_position,
        'activity' as record_source,
        coalesce(created_at, first_occurred_at) as created_at,
        coalesce(updated_at, last_occurred_at) as updated_at,
        deleted_at
    from from_activities

)

select * from final
