-- Which labels are in use?
{{ config(enabled=is_built('plans')) }}
select
    project_name,
    label_name,
    story_count,
    story_count - accepted_story_count as open_story_count
from {{ ref('dim_label') }}
where story_count > 0
order by project_name asc, open_story_count desc, label_name asc
