-- Who has worked here, since when, and who has left?
select
    person_name,
    project_count,
    is_member,
    first_seen_at,
    last_seen_at
from {{ ref('dim_person') }}
order by first_seen_at
