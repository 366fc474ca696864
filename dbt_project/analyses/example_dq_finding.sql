-- Which problems does the data have, and what can be done?
{{ config(enabled=is_built('trust')) }}
select
    severity,
    rule_name,
    remedy,
    count(*) as finding_count
from {{ ref('dq_finding') }}
where severity != 'info'
group by
    severity,
    rule_name,
    remedy
order by
    severity asc,
    finding_count desc
