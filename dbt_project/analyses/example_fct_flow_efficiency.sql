-- How much of the cycle time is work, and what is the rest spent on?
{{ config(enabled=is_built('flow')) }}
select
    project_id,
    sum(active_seconds) * 1.0 / nullif(sum(active_seconds + waiting_seconds), 0)
        as flow_efficiency,
    sum(delivered_seconds) * 1.0 / nullif(sum(waiting_seconds), 0) as delivered_share,
    sum(blocked_seconds) * 1.0 / nullif(sum(waiting_seconds), 0) as blocked_share
from {{ ref('fct_flow_efficiency') }}
where is_accepted
group by project_id
order by project_id
