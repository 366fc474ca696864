-- What did the last twelve iterations deliver, and how fast does that make us?
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
