-- Where do we differ from Tracker, and why?
{{ config(enabled=is_built('trust')) }}
select
    entity_kind,
    metric_name,
    verdict,
    explanation,
    count(*) as figure_count
from {{ ref('fct_reconciliation') }}
where verdict != 'equal'
group by
    entity_kind,
    metric_name,
    verdict,
    explanation
order by figure_count desc
