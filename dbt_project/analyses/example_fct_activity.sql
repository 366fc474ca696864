-- Who changed the scope in the last week?
{{ config(enabled=is_built('history')) }}
select
    people.person_name,
    activities.activity_kind,
    count(*) as activity_count
from {{ ref('fct_activity') }} as activities
inner join {{ ref('dim_project') }} as projects
    on activities.project_id = projects.project_id
inner join {{ ref('dim_person') }} as people
    on activities.performed_by_id = people.person_id
where
    activities.activity_kind in ('story_create_activity', 'story_delete_activity')
    and {{ seconds_between('activities.occurred_at', 'projects.as_of') }} < 7 * 86400
group by people.person_name, activities.activity_kind
order by activity_count desc, people.person_name asc, activities.activity_kind asc
