-- Active and waiting time sum to the cycle time; blocked time is part of the time in
-- started.
with

efficiencies as (

    select * from {{ ref('fct_flow_efficiency') }}

),

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}
    where
        cycle_time_seconds is not null
        and not is_deleted

)

select
    cycle_times.story_id,
    cycle_times.cycle_time_seconds,
    cycle_times.started_seconds,
    efficiencies.active_seconds,
    efficiencies.waiting_seconds,
    efficiencies.blocked_seconds
from cycle_times
left join efficiencies
    on cycle_times.story_id = efficiencies.story_id
where
    efficiencies.story_id is null
    -- If the blocked time is unknown, so are both parts.
    or efficiencies.active_seconds + efficiencies.waiting_seconds
    != cycle_times.cycle_time_seconds
    or efficiencies.active_seconds + efficiencies.blocked_seconds
    != cycle_times.started_seconds
    or {{ differ(
        'case when efficiencies.active_seconds is null then 1 else 0 end',
        'case when efficiencies.blocked_seconds is null then 1 else 0 end'
    ) }}
