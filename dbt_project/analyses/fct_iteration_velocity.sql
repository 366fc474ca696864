-- Do we deliver what an iteration starts with, and do closed ones keep their points?
select
    project_id,
    iteration_number,
    committed_points,
    say_do_ratio,
    added_points,
    spilled_points,
    accepted_points_as_closed,
    restated_points
from {{ ref('fct_iteration_velocity') }}
where is_done
order by
    project_id,
    iteration_number
