-- Who rejects, and when last?
select
    people.person_name,
    count(*) as rejection_count,
    max(transitions.occurred_at) as last_rejected_at
from {{ ref('fct_story_transition') }} as transitions
inner join {{ ref('dim_person') }} as people
    on transitions.performed_by_id = people.person_id
where transitions.to_state = 'rejected'
group by people.person_name
order by rejection_count desc
