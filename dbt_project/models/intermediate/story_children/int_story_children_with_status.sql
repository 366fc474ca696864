-- A table: three facts read it, and each would unnest all activities again.
{{ config(materialized='table') }}

with

as_of as (

    select * from {{ ref('int_as_of') }}

),

activity_changes as (

    select * from {{ ref('stg_pivotal_tracker__activity_changes') }}
    where resource_kind in ('task', 'blocker', 'review')

),

-- Each kind has one field of these: the one that says how far it is.
tellings as (

    select
        activity_changes.resource_kind,
        activity_changes.resource_id,
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
        activity_changes.project_version,
        activity_changes.change_index,
        activity_changes.occurred_at <= as_of.as_of as is_past,
        activity_changes.occurred_at
    from activity_changes
    cross join as_of

),

ranked as (

    select
        *,
        row_number() over (
            partition by resource_kind, resource_id, is_past
            order by occurred_at, project_version, change_index
        ) as telling_number,
        count(*) over (
            partition by resource_kind, resource_id, is_past
        ) as telling_count
    from tellings
    where to_status is not null

),

-- A row tells the status of when it was read; a change after as_of tells the former.
final as (

    select
        resource_kind,
        resource_id,
        max(case when is_past and telling_number = telling_count then to_status end)
            as last_status,
        max(case when not is_past and telling_number = 1 then from_status end)
            as status_before_next_change,
        max(case when is_past then occurred_at end) as last_changed_at
    from ranked
    group by
        resource_kind,
        resource_id

)

select * from final
