-- A table: three facts read it, and each would unnest all activities again.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}

),

-- A task is complete or not, a blocker resolved or not, a review somewhere between.
part_changes as (

    select
        part_changes.*,
        part_changes.occurred_at <= stories.as_of as is_past
    from {{ ref('int_story_part_changes') }} as part_changes
    inner join stories
        on part_changes.story_id = stories.story_id
    where part_changes.to_status is not null

),

ranked as (

    select
        *,
        row_number() over (
            partition by part_kind, part_id, is_past
            order by occurred_at, project_version, change_index
        ) as change_number,
        count(*) over (
            partition by part_kind, part_id, is_past
        ) as change_count
    from part_changes

),

-- A row tells the status of when it was read; a change after as_of tells the former.
final as (

    select
        part_kind,
        part_id,
        max(case when is_past and change_number = change_count then to_status end)
            as last_status,
        max(case when not is_past and change_number = 1 then from_status end)
            as status_before_next_change,
        max(case when is_past then occurred_at end) as last_changed_at
    from ranked
    group by
        part_kind,
        part_id

)

select * from final
