-- In which state do stories wait longest?
select
    story_state,
    count(*) as stay_count,
    avg(interval_seconds) / 86400 as mean_days
from {{ ref('fct_story_state_interval') }}
where not is_inferred and story_state != 'accepted'
group by story_state
order by mean_days desc
