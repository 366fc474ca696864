-- Both the seconds of the four states and the intervals sum to the cycle time.
with

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}

),

time_in_progress as (

    select
        story_id,
        sum(interval_seconds) as interval_seconds
    from {{ ref('fct_story_state_interval') }}
    where
        is_in_progress
        and not is_inferred
    group by story_id

)

select
    cycle_times.story_id,
    cycle_times.cycle_time_seconds,
    time_in_progress.interval_seconds
from cycle_times
left join time_in_progress
    on cycle_times.story_id = time_in_progress.story_id
where
    {{ differ('cycle_times.cycle_time_seconds', 'time_in_progress.interval_seconds') }}
    or coalesce(cycle_times.cycle_time_seconds, 0)
    != cycle_times.started_seconds + cycle_times.finished_seconds
    + cycle_times.delivered_seconds + cycle_times.rejected_seconds
