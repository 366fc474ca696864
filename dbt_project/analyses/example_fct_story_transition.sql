-- Who rejects, and when?
{{ config(enabled=is_built('flow')) }}
select
    people.person_name,
    count(*) as rejection_count,
    avg(deliveries.interval_seconds) / 3600 as hours_since_delivery
from {{ ref('fct_story_transition') }} as transitions
inner join {{ ref('dim_person') }} as people
    on transitions.performed_by_id = people.person_id
inner join {{ ref('fct_story_state_interval') }} as deliveries
    on
        transitions.story_id = deliveries.story_id
        and transitions.occurred_at = deliveries.left_at
        and deliveries.story_state = 'delivered'
where transitions.to_state = 'rejected'
group by people.person_name
order by rejection_count desc, people.person_name asc
