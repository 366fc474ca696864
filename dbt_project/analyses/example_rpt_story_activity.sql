-- Who moved what last?
{{ config(enabled=is_built('reports')) }}
select
    performed_by_name,
    story_name,
    highlight,
    occurred_at
from {{ ref('rpt_story_activity') }}
where
    is_state_change
    and occurred_date = (
        select max(activities.occurred_date)
        from {{ ref('rpt_story_activity') }} as activities
        where activities.is_state_change
    )
order by occurred_at
