-- How much of the work is a label's?
{{ config(enabled=is_built('plans')) }}
select
    labels.project_name,
    labels.label_name,
    count(*) as story_count,
    sum(cycle_times.estimate) as points,
    {{ median('cycle_times.cycle_time_seconds') }} / 86400.0 as median_cycle_time_days
from {{ ref('bridge_story_label') }} as story_labels
inner join {{ ref('dim_label') }} as labels
    on story_labels.label_id = labels.label_id
inner join {{ ref('fct_story_cycle_time') }} as cycle_times
    on story_labels.story_id = cycle_times.story_id
where
    cycle_times.is_accepted
    and not cycle_times.is_deleted
group by labels.project_name, labels.label_name
order by labels.project_name asc, story_count desc, labels.label_name asc
