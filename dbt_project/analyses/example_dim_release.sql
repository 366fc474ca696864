-- Which releases have a deadline?
{{ config(enabled=is_built('plans')) }}
select
    project_name,
    release_name,
    current_state,
    is_late,
    deadline_at,
    accepted_at
from {{ ref('dim_release') }}
where
    deadline_at is not null
    and not is_deleted
order by project_name, deadline_at
