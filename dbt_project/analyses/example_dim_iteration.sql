-- Which weeks ran at half strength?
{{ config(enabled=is_built('iterations')) }}
select
    project_name,
    iteration_number,
    start_date,
    last_date,
    team_strength,
    length_weeks
from {{ ref('dim_iteration') }}
where
    is_done
    and (team_strength <= 0.5 or has_length_override)
order by project_name, iteration_number
