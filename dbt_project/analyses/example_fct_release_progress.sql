-- Will it miss its deadline, and by how much?
{{ config(enabled=is_built('plans')) }}
select
    release_name,
    deadline_date,
    projected_date,
    projected_late_days,
    remaining_points,
    queued_points
from {{ ref('fct_release_progress') }}
where is_projected_late
order by
    projected_late_days desc,
    release_id asc
