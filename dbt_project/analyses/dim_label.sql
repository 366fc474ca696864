-- Which labels are in use?
select
    project_name,
    label_name,
    story_count,
    accepted_story_count
from {{ ref('dim_label') }}
where is_listed and story_count > 0
order by story_count desc
