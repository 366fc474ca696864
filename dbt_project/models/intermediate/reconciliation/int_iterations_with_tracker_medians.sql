with

stories as (

    select * from {{ ref('fct_story_cycle_time') }}
    where iteration_key is not null and not is_deleted

),

created_in_progress as (

    select * from {{ ref('int_stories_created_in_progress') }}

),

-- The only stay in progress may be the one that Tracker leaves out.
tracker_cycle_times as (

    select
        stories.iteration_key,
        created_in_progress.story_id is not null as is_created_in_progress,
        case
            when
                stories.started_count + stories.finished_count
                + stories.delivered_count + stories.rejected_count
                > case when created_in_progress.story_id is null then 0 else 1 end
                then
                    stories.cycle_time_seconds
                    - coalesce(created_in_progress.created_state_seconds, 0)
        end as cycle_time_seconds
    from stories
    left join created_in_progress
        on stories.story_id = created_in_progress.story_id

),

final as (

    select
        iteration_key,
        count(case when is_created_in_progress then 1 end) as created_in_progress_count,
        {{ median('cycle_time_seconds') }} as median_cycle_time_seconds
    from tracker_cycle_times
    group by iteration_key

)

select * from final
