-- How far along is it, and when will it be done?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    epic_name,
    accepted_points,
    total_points,
    projected_date
from {{ ref('rpt_epic') }}
where not is_complete
order by
    project_name asc,
    projected_date asc
