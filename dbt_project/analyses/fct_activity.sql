-- What happened on each of the last days, and how much of it moved stories?
select
    occurred_date,
    count(*) as activity_count,
    count(*) filter (where is_state_change) as state_change_count
from {{ ref('fct_activity') }}
group by occurred_date
order by occurred_date desc
limit 14
