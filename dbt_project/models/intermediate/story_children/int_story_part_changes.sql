-- A table: else each reader unnests all activities again.
{{ config(materialized='table') }}

{%- set repairs = [] %}

with

activities as (

    select * from {{ ref('stg_pivotal_tracker__activities') }}
    where primary_resource_kind = 'story'

),

activity_changes as (

    select * from {{ ref('stg_pivotal_tracker__activity_changes') }}
    where resource_kind in ('comment', 'task', 'blocker', 'review')

),

-- Only a creation says which story it belongs to; for any other change it is the story
-- that the activity is about.
final as (

    select
        activity_changes.activity_id,
        activity_changes.project_id,
        activity_changes.resource_kind as part_kind,
        activity_changes.resource_id as part_id,
        coalesce(
            {{ activity_value('activity_changes.new_values', 'story_id', repairs) }},
            activities.primary_resource_id
        ) as story_id,
        activity_changes.change_type,
        coalesce(
            {{ activity_value('activity_changes.new_values', 'person_id', repairs) }},
            {{ activity_value('activity_changes.new_values', 'reviewer_id', repairs) }}
        ) as person_id,
        {{ activity_value('activity_changes.new_values', 'review_type_id', repairs) }}
            as review_type_id,
        coalesce(
            {{ json_text('activity_changes.new_values', 'text') }},
            {{ json_text('activity_changes.new_values', 'description') }}
        ) as part_text,
        coalesce(
            {{ json_text('activity_changes.original_values', 'complete') }},
            {{ json_text('activity_changes.original_values', 'resolved') }},
            {{ json_text('activity_changes.original_values', 'status') }}
        ) as from_status,
        coalesce(
            {{ json_text('activity_changes.new_values', 'complete') }},
            {{ json_text('activity_changes.new_values', 'resolved') }},
            {{ json_text('activity_changes.new_values', 'status') }}
        ) as to_status,
        {{ activity_value('activity_changes.new_values', 'position', repairs) }}
            as part_position,
        {{ json_has_key('activity_changes.new_values', 'person_id') }}
        or {{ json_has_key('activity_changes.new_values', 'reviewer_id') }}
            as is_person_change,
        activity_changes.performed_by_id,
        activity_changes.project_version,
        activity_changes.change_index,
        {{ activity_value('activity_changes.new_values', 'created_at', repairs) }}
            as created_at,
        {{ activity_value('activity_changes.new_values', 'updated_at', repairs) }}
            as updated_at,
        {{ repairs_shown(repairs) }} as repairs,
        activity_changes.occurred_at
    from activity_changes
    left join activities
        on activity_changes.activity_id = activities.activity_id

)

select * from final
