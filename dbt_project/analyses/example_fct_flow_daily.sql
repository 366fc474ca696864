-- Does work in progress grow, and where does it pile up?
{{ config(enabled=is_built('flow')) }}
select
    project_id,
    flow_date,
    sum(case when story_state = 'started' then story_count end) as started_count,
    sum(case when story_state = 'finished' then story_count end) as finished_count,
    sum(case when story_state = 'delivered' then story_count end) as delivered_count,
    sum(case when story_state = 'rejected' then story_count end) as rejected_count
from {{ ref('fct_flow_daily') }}
where is_complete
group by project_id, flow_date
order by project_id, flow_date
