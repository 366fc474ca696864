-- What does each number of a mart mean, in which unit, and when is it null?
select
    metric_name,
    unit,
    formula,
    edge_rules,
    guarded_by
from {{ ref('dim_metric') }}
where mart_name = 'fct_iteration_velocity'
order by metric_name
