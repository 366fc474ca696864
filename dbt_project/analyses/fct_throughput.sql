-- How many features get accepted in a typical week, and how many weeks see none?
select
    project_id,
    avg(story_count) as mean_feature_count,
    count(*) filter (where story_count = 0) as empty_week_count,
    count(*) as week_count
from {{ ref('fct_throughput') }}
where is_complete and story_type = 'feature'
group by project_id
order by project_id
