-- How long do features take, by their points?
select
    estimate,
    count(*) as story_count,
    avg(cycle_time_seconds) / 86400 as mean_cycle_time_days,
    avg(lead_time_seconds) / 86400 as mean_lead_time_days
from {{ ref('fct_story_cycle_time') }}
where
    story_type = 'feature'
    and is_accepted
    and not is_deleted
group by estimate
order by estimate
