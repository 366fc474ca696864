-- A table: plans and releases read it, and its windows cost more than its rows.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

listed as (

    select * from {{ ref('int_stories_listed') }}

),

placed as (

    select
        stories.story_id,
        stories.project_id,
        stories.story_type,
        stories.estimate,
        coalesce(
            stories.story_type != 'release'
            and stories.current_state not in ('accepted', 'unscheduled'),
            false
        ) as is_waiting,
        row_number() over (
            partition by stories.project_id
            order by
                listed.list_rank,
                listed.iteration_number,
                listed.source_file,
                listed.story_index
        ) as backlog_place
    from stories
    inner join listed
        on
            stories.story_id = listed.story_id
            and stories.project_id = listed.project_id
            and listed.listing_number = 1

),

final as (

    select
        story_id,
        project_id,
        backlog_place,
        is_waiting,
        count(case when is_waiting then 1 end) over (
            partition by project_id
            order by backlog_place
            rows between unbounded preceding and current row
        ) as queued_story_count,
        coalesce(
            sum(case when is_waiting then estimate end) over (
                partition by project_id
                order by backlog_place
                rows between unbounded preceding and current row
            ),
            0
        ) as queued_points,
        min(case when story_type = 'release' then backlog_place end) over (
            partition by project_id
            order by backlog_place
            rows between current row and unbounded following
        ) as release_place
    from placed

)

select * from final
