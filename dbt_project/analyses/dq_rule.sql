-- What is looked for in the data?
select
    rule_name,
    severity,
    rule_description
from {{ ref('dq_rule') }}
order by rule_name
