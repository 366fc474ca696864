-- Will it make its deadline?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    release_name,
    remaining_points,
    deadline_date,
    projected_date,
    is_projected_late
from {{ ref('rpt_release') }}
where accepted_at is null
order by
    project_name asc,
    deadline_date asc
