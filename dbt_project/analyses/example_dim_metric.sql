-- What does this number mean, and which test guards it?
{{ config(enabled=is_built('trust')) }}
select
    metric_name,
    unit,
    formula,
    edge_rules,
    guarded_by
from {{ ref('dim_metric') }}
where mart_name = 'fct_iteration_velocity'
order by metric_name
