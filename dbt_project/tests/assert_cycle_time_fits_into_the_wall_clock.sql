-- Time in progress cannot exceed the time from the first start to the end. Only where
-- the history fits: an acceptance inferred before the last transition blurs both.
select
    story_id,
    cycle_time_seconds,
    elapsed_cycle_time_seconds
from {{ ref('fct_story_cycle_time') }}
where
    history_coverage = 'complete'
    and cycle_time_seconds > elapsed_cycle_time_seconds
