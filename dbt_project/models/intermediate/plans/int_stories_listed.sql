with

iteration_stories as (

    select * from {{ ref('stg_pivotal_tracker__iteration_stories') }}

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

-- A story that two iterations show, as two exports may, has its place in the later.
final as (

    select
        list_rank,
        story_id,
        project_id,
        source_file,
        iteration_number,
        story_index,
        row_number() over (
            partition by project_id, story_id
            order by list_rank asc, iteration_number desc, story_index asc
        ) as listing_number
    from listings

)

select * from final
