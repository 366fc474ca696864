with

stories_in_progress as (

    select * from {{ ref('int_stories_in_progress') }}
    where age_seconds is not null

),

accepted_stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        is_accepted
        and not is_deleted
        and cycle_time_seconds is not null

),

-- Ages and cycle times on one scale: a running count then tells how many finished ones
-- took no longer, without comparing each with each.
compared as (

    select
        story_id,
        project_id,
        story_type,
        age_seconds as compared_seconds,
        0 as finished_count,
        true as is_in_progress
    from stories_in_progress

    union all

    select
        story_id,
        project_id,
        story_type,
        cycle_time_seconds as compared_seconds,
        1 as finished_count,
        false as is_in_progress
    from accepted_stories

),

running as (

    select
        *,
        sum(finished_count) over (
            partition by project_id, story_type
            order by compared_seconds
            rows between unbounded preceding and current row
        ) as running_count
    from compared

),

-- Those that took as long are among them.
counted as (

    select
        story_id,
        is_in_progress,
        max(running_count) over (
            partition by project_id, story_type, compared_seconds
        ) as not_longer_count,
        sum(finished_count) over (partition by project_id, story_type)
            as compared_story_count
    from running

),

final as (

    select
        story_id,
        cast(not_longer_count as bigint) as not_longer_count,
        cast(compared_story_count as bigint) as compared_story_count
    from counted
    where is_in_progress

)

select * from final
