-- Which problems in the data are detected?
{{ config(enabled=is_built('trust')) }}
select
    rule_name,
    severity,
    rule_description
from {{ ref('dq_rule') }}
order by rule_name
