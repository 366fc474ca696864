-- A table: plans and releases read it, and its windows cost more than its rows.
{{ config(materialized='table') }}

with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

-- Iterations that an export states do not list their stories in order; its rows do.
iteration_stories as (

    select * from {{ ref('stg_pivotal_tracker__iteration_stories') }}
    where record_source != 'stories_csv'

),

-- An export gives its rows in Tracker's order: what is done, the backlog, the icebox.
csv_stories as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}
    where
        record_source = 'stories_csv'
        and current_state != 'unscheduled'

),

listings as (

    select
        1 as list_rank,
        story_id,
        project_id,
        '' as source_file,
        iteration_number,
        story_index
    from iteration_stories

    union all

    select
        2 as list_rank,
        story_id,
        project_id,
        coalesce(source_file, '') as source_file,
        0 as iteration_number,
        source_line as story_index
    from csv_stories

),

-- Two exports may list a story in two iterations: its place is that of the later one.
ranked_listings as (

    select
        *,
        row_number() over (
            partition by project_id, story_id
            order by list_rank asc, iteration_number desc, story_index asc
        ) as listing_number
    from listings

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
                ranked_listings.list_rank,
                ranked_listings.iteration_number,
                ranked_listings.source_file,
                ranked_listings.story_index
        ) as backlog_place
    from stories
    inner join ranked_listings
        on
            stories.story_id = ranked_listings.story_id
            and stories.project_id = ranked_listings.project_id
            and ranked_listings.listing_number = 1

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
