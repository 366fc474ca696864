-- How much was done in each quarter?
{{ config(enabled=is_built('flow')) }}
select
    dates.quarter_label,
    sum(throughput.story_count) as story_count,
    sum(throughput.points) as points
from {{ ref('fct_throughput') }} as throughput
inner join {{ ref('dim_date') }} as dates
    on throughput.week_start_date = dates.calendar_date
group by dates.quarter_label
order by dates.quarter_label
