with

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        history_coverage = 'complete'
        and not is_deleted

),

open_intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where is_open

)

select
    cycle_times.story_id,
    cycle_times.current_state,
    open_intervals.story_state
from cycle_times
left join open_intervals
    on cycle_times.story_id = open_intervals.story_id
where {{ differ('cycle_times.current_state', 'open_intervals.story_state') }}
