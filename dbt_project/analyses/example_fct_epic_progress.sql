-- How far along is it, and when will it be done at our velocity?
{{ config(enabled=is_built('plans')) }}
select
    epic_name,
    accepted_story_share,
    remaining_story_count,
    queued_story_count,
    early_projected_date,
    projected_date,
    late_projected_date
from {{ ref('fct_epic_progress') }}
where remaining_story_count > 0
order by
    remaining_points desc,
    epic_id asc
