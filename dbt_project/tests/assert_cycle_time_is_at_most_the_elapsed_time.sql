-- Only for complete histories: in others, an acceptance inferred before the last
-- transition makes both times inexact.
select
    story_id,
    cycle_time_seconds,
    elapsed_cycle_time_seconds
from {{ ref('fct_story_cycle_time') }}
where
    history_coverage = 'complete'
    and cycle_time_seconds > elapsed_cycle_time_seconds
