-- What did they deliver?
{{ config(enabled=is_built('reports')) }}
select
    project_name,
    iteration_number,
    last_date,
    accepted_points,
    velocity,
    velocity_volatility
from {{ ref('rpt_velocity') }}
order by
    project_name asc,
    iteration_number desc
