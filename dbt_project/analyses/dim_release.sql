-- Which releases have a deadline, and which are late?
select
    project_name,
    release_name,
    deadline_at,
    accepted_at,
    is_late
from {{ ref('dim_release') }}
where deadline_at is not null and not is_deleted
order by deadline_at
