-- Who has worked here, and since when?
select
    person_name,
    project_count,
    is_member,
    first_seen_at,
    last_seen_at
from {{ ref('dim_person') }}
where first_seen_at is not null
order by first_seen_at, person_id
