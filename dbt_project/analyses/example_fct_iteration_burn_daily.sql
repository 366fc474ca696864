-- Is the current iteration on its ideal line?
{{ config(enabled=is_built('iterations')) }}
select
    burn_days.iteration_key,
    burn_days.burn_date,
    burn_days.scope_points,
    burn_days.remaining_points,
    burn_days.ideal_remaining_points,
    burn_days.remaining_points <= burn_days.ideal_remaining_points as is_on_track
from {{ ref('fct_iteration_burn_daily') }} as burn_days
inner join {{ ref('dim_iteration') }} as iterations
    on burn_days.iteration_key = iterations.iteration_key
where iterations.is_current
order by
    burn_days.iteration_key,
    burn_days.burn_date
