-- How long does work that came back wait, and does it come back again?
{{ config(enabled=is_built('rework')) }}
select
    project_id,
    count(*) as rejection_count,
    count(case when outcome = 'rejected_again' then 1 end) as rejected_again_count,
    avg(delivered_to_rejected_seconds) / 3600 as hours_until_rejected,
    avg(rejected_to_restarted_seconds) / 3600 as hours_until_restarted,
    avg(restarted_to_redelivered_seconds) / 3600 as hours_to_fix
from {{ ref('fct_rejection') }}
where not is_deleted
group by project_id
order by project_id
