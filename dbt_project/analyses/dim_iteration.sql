-- Which weeks ran at another strength or length than usual?
select
    project_name,
    iteration_number,
    start_date,
    length_weeks,
    team_strength
from {{ ref('dim_iteration') }}
where has_strength_override or has_length_override
order by
    project_name,
    iteration_number
