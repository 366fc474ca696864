-- Do estimates grow once work has begun?
{{ config(enabled=is_built('rework')) }}
select
    project_id,
    phase,
    count(*) as change_count,
    count(case when points_added > 0 then 1 end) as raised_count,
    sum(points_added) as points_added
from {{ ref('fct_estimate_change') }}
where
    not is_deleted
    and from_estimate is not null
group by project_id, phase
order by project_id, phase
