-- Does work in progress grow, and where does it pile up?
select
    project_id,
    flow_date,
    sum(story_count) filter (where story_state = 'started') as started_count,
    sum(story_count) filter (where story_state = 'finished') as finished_count,
    sum(story_count) filter (where story_state = 'delivered') as delivered_count,
    sum(story_count) filter (where story_state = 'rejected') as rejected_count
from {{ ref('fct_flow_daily') }}
where is_complete
group by project_id, flow_date
order by project_id, flow_date
